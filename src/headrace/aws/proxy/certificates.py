"""A local certificate authority that signs for AWS's host names only, by its own name constraints."""

from __future__ import annotations

import os
import ssl
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOMAINS = ("amazonaws.com", "amazonaws.com.cn")
"""Domains whose hosts the proxy answers."""

NO_ADDRESSES = tuple(x509.IPAddress(ip_network(every)) for every in ("0.0.0.0/0", "::/0"))
"""Excluded too: a constraint on names alone would leave certificates for addresses free."""

YEARS = 10
LEAF_DAYS = 90
RENEWAL_SECONDS = 30 * 86_400
"""How long the same certificate is presented for a host."""


def is_aws_host(host: str) -> bool:
    """Tell whether a host name is one of AWS's."""
    name = host.lower().rstrip(".")
    return any(name.endswith("." + domain) for domain in DOMAINS)


class Authority:
    """The certificate authority of one data folder: `ca.pem` for clients, `ca.key` (0600) that never leaves it."""

    def __init__(self, folder: Path) -> None:
        self.bundle = folder / "ca.pem"
        key_file = folder / "ca.key"
        if not (key_file.is_file() and self.bundle.is_file() and _lasts(self.bundle)):
            _make_authority(key_file, self.bundle)
        key = load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key_file} holds no elliptic curve key; delete it and {self.bundle} to make new ones")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(self.bundle.read_bytes())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._folder = folder
        self._contexts = lru_cache(maxsize=512)(self._context)

    def server_context(self) -> ssl.SSLContext:
        """Return a TLS context that presents a certificate for whatever AWS host a client names."""

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if name is None or not is_aws_host(name):
                return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
            connection.context = self._contexts(name.lower(), int(time.time() // RENEWAL_SECONDS))
            return None

        context = self._context(f"aws.{DOMAINS[0]}")
        context.sni_callback = choose
        return context

    def _context(self, host: str, period: int = 0) -> ssl.SSLContext:
        """Return the context of one host; a later `period` asks for a new certificate."""
        del period
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        chain = self._folder / f".leaf-{os.getpid()}.pem"
        private = self._leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(chain, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(private + self._leaf(host).public_bytes(Encoding.PEM))
            context.load_cert_chain(chain)
        finally:
            chain.unlink(missing_ok=True)
        return context

    def _leaf(self, host: str) -> x509.Certificate:
        now = datetime.now(UTC)
        common = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        return (
            x509.CertificateBuilder()
            .subject_name(common)
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=LEAF_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._leaf_key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _lasts(bundle: Path) -> bool:
    """Tell whether an authority outlives the certificates that it would sign now."""
    ends = x509.load_pem_x509_certificate(bundle.read_bytes()).not_valid_after_utc
    return ends > datetime.now(UTC) + timedelta(days=LEAF_DAYS)


def _make_authority(key_file: Path, bundle: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Headrace local authority for AWS host names")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(domain) for domain in DOMAINS], NO_ADDRESSES), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write(bundle, certificate.public_bytes(Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
