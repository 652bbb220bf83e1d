"""SSE-C: bytes encrypted under a key that the client sends with each request and the server never keeps.

AES-256 in counter mode, so that a range is decrypted from its first block on; what is stored of the key is a salted
digest that tells whether a later request brings the same one.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import md5, sha256
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from headrace.server.operations.storage.refusals import denied, invalid_argument, invalid_request
from headrace.server.stores.objects import ObjectStore, Staged

_BLOCK = 16


@dataclass(frozen=True)
class CustomerKey:
    """A key of 32 bytes that came with a request; `digest` is the base64 of its MD5."""

    secret: bytes = field(repr=False)
    digest: str

    def cipher(self, nonce: bytes, start: int = 0) -> CipherContext:
        """Return what encrypts or decrypts from byte `start` of a blob on."""
        counter = (int.from_bytes(nonce, "big") + start // _BLOCK) % (1 << 128)
        context = Cipher(AES256(self.secret), CTR(counter.to_bytes(_BLOCK, "big"))).encryptor()
        context.update(bytes(start % _BLOCK))
        return context


def key_of(given: Mapping[str, Any], prefix: str = "") -> CustomerKey | None:
    """Return the key that a request brings, if it does; `prefix` "copy_source_" is for that of a source."""
    algorithm, key, digest = (given.get(f"{prefix}sse_customer_{name}") for name in ("algorithm", "key", "key_md5"))
    if not (algorithm or key or digest):
        return None
    header = f"x-amz-{prefix.replace('_', '-')}server-side-encryption-customer-"
    if not algorithm:
        raise invalid_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption "
            "algorithm.",
            f"{header}algorithm",
        )
    if algorithm != "AES256":
        raise invalid_argument("The requested encryption algorithm is not valid, must be AES256.", f"{header}algorithm")
    if not key:
        raise invalid_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret "
            "key.",
            f"{header}key",
        )
    if not digest:
        raise invalid_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated "
            "MD5 of the secret key.",
            f"{header}key-MD5",
        )
    try:
        secret = b64decode(key, validate=True)
        stated = b64decode(digest, validate=True)
    except ValueError:
        raise invalid_argument("The secret key was invalid for the specified algorithm.", f"{header}key") from None
    if len(secret) != 32:
        raise invalid_argument("The secret key was invalid for the specified algorithm.", f"{header}key")
    if not hmac.compare_digest(md5(secret, usedforsecurity=False).digest(), stated):
        raise invalid_argument(
            "The calculated MD5 hash of the key did not match the hash that was provided.", f"{header}key-MD5"
        )
    return CustomerKey(secret, digest)


def encrypt(objects: ObjectStore, staged: Staged, key: CustomerKey) -> tuple[Staged, str]:
    """Return a staged blob of the same bytes under a key, with its nonce; the plain one is discarded.

    The digests stay those of the plain bytes.
    """
    nonce = os.urandom(_BLOCK)
    cipher = key.cipher(nonce)
    staging = objects.stage(())
    try:
        for block in objects.read(staged.blob):
            staging.write(cipher.update(block))
        sealed = staging.finish()
    except BaseException:
        staging.abort()
        raise
    objects.discard(staged)
    return Staged(sealed.blob, staged.size, staged.digests, staged.checksum), nonce.hex()


def decrypt(blocks: Iterator[bytes], key: CustomerKey, nonce: str, start: int) -> Iterator[bytes]:
    """Return the plain blocks of a blob that is read from byte `start` on."""
    cipher = key.cipher(bytes.fromhex(nonce), start)
    return (cipher.update(block) for block in blocks)


def sealed_record(key: CustomerKey) -> dict[str, str]:
    """Return what an object's record tells of its key: its digest as S3 answers it, and a salted one to know it by."""
    salt = os.urandom(_BLOCK)
    return {"md5": key.digest, "salt": salt.hex(), "check": _check(key, salt)}


def check_key(record: Mapping[str, Any], key: CustomerKey | None, *, reading: bool = True) -> None:
    """Raise an error unless a request brings just the key that an object or upload was made with."""
    sealed = record.get("customer_key")
    if sealed is None:
        if key is not None:
            raise invalid_request("The encryption parameters are not applicable to this object.")
        return
    if key is None:
        raise invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
            if reading
            else "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
    if not hmac.compare_digest(_check(key, bytes.fromhex(sealed["salt"])), sealed["check"]):
        raise (
            denied()
            if reading
            else invalid_request("The provided encryption parameters did not match the ones used originally.")
        )


def shown(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the members that tell of a customer's key."""
    sealed = record.get("customer_key")
    return {"sse_customer_algorithm": "AES256", "sse_customer_key_md5": sealed["md5"]} if sealed else {}


def _check(key: CustomerKey, salt: bytes) -> str:
    return hmac.new(key.secret, salt, sha256).hexdigest()
