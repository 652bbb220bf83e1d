"""The local authority: what it signs for, what it can't, and who may read its key."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from headrace.aws.proxy import Authority
from headrace.aws.proxy.certificates import is_aws_host


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """Let a client that expects `host` and a server agree on TLS, in memory; raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done = [False, False]
    for _ in range(10):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                done[number] = True
            except ssl.SSLWantReadError:
                continue
    assert all(done)


def forged(folder: Path, host: str) -> ssl.SSLContext:
    """Return a server's context with a certificate for any host, signed by the authority's own key."""
    key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    try:
        name: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "forged.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


HOSTS = [
    "sts.us-east-1.amazonaws.com",
    "my.dotted.bucket.s3.eu-west-1.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn",
    "A.S3.amazonaws.com",
    "b" * 63 + ".s3.us-east-1.amazonaws.com",
]


@pytest.mark.parametrize("host", HOSTS)
def test_it_answers_for_every_host_of_aws(tmp_path: Path, host: str) -> None:
    authority = Authority(tmp_path)
    shake_hands(authority.server_context(), ssl.create_default_context(cafile=str(authority.bundle)), host)
    assert is_aws_host(host)


@pytest.mark.parametrize("host", ["example.com", "amazonaws.com.example.org", "notamazonaws.com"])
def test_it_presents_nothing_for_other_hosts(tmp_path: Path, host: str) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(ssl.SSLError):
        shake_hands(authority.server_context(), ssl.create_default_context(cafile=str(authority.bundle)), host)
    assert not is_aws_host(host)


@pytest.mark.parametrize("host", ["example.com", "amazonaws.com.evil.org", "127.0.0.1", "10.1.2.3", "::1"])
def test_what_its_stolen_key_signs_for_others_is_refused(tmp_path: Path, host: str) -> None:
    client = ssl.create_default_context(cafile=str(Authority(tmp_path).bundle))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"permitted subtree violation|excluded subtree violation"):
        shake_hands(forged(tmp_path, host), client, host)


def test_a_forgery_for_aws_shows_that_the_forging_works(tmp_path: Path) -> None:
    client = ssl.create_default_context(cafile=str(Authority(tmp_path).bundle))
    shake_hands(forged(tmp_path, HOSTS[0]), client, HOSTS[0])
    assert client.cert_store_stats()["x509_ca"] == 1


def test_its_key_is_its_owner_s_alone_and_stays(tmp_path: Path) -> None:
    bundle = Authority(tmp_path).bundle.read_bytes()
    key = (tmp_path / "ca.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    assert Authority(tmp_path).bundle.read_bytes() == bundle
    assert (tmp_path / "ca.key").read_bytes() == key
    assert {path.name for path in tmp_path.iterdir()} == {"ca.key", "ca.pem"}
    assert b"PRIVATE" not in bundle


def test_one_that_is_about_to_end_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.aws.proxy.certificates.YEARS", 0)
    first = Authority(tmp_path).bundle.read_bytes()
    monkeypatch.undo()
    assert Authority(tmp_path).bundle.read_bytes() != first
