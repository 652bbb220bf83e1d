"""The RSA keys that digest files are signed with; their private halves lie sealed in the metadata store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import Connection, insert, select, update

from headrace.server.clock import moment, stamp
from headrace.server.context import Context, Platform
from headrace.server.errors import InvalidInput
from headrace.server.security.secrets import Keyring, SealBroken
from headrace.server.stores.metadata.tables.audit import AUDIT_KEYS

PURPOSE = "cloudtrail digests"
YEAR, DAY = 365 * 86_400_000, 86_400_000


@dataclass(frozen=True)
class SigningKey:
    """A private key and the fingerprint of its public half (MD5 of its PKCS #1 DER, as CloudTrail names keys)."""

    fingerprint: str
    private: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, text: str) -> str:
        """Return the SHA-256 with RSA signature of a text, hexadecimal."""
        return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()


def signing_key(platform: Platform, connection: Connection, now: int) -> SigningKey:
    """Return the key that signs now, making one (valid for a year) where none is or the last ends within a day."""
    query = select(AUDIT_KEYS).where(AUDIT_KEYS.c.ends > now + DAY).order_by(AUDIT_KEYS.c.ends.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is not None:
        private = serialization.load_der_private_key(platform.keyring.unseal(row.private, purpose=PURPOSE), None)
        assert isinstance(private, rsa.RSAPrivateKey)
        return SigningKey(row.fingerprint, private)
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = made.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    plain = made.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    fingerprint = hashlib.md5(public, usedforsecurity=False).hexdigest()
    connection.execute(
        insert(AUDIT_KEYS).values(
            fingerprint=fingerprint, public=public, private=platform.keyring.seal(plain, purpose=PURPOSE),
            begins=now - DAY, ends=now + YEAR,
        )
    )  # fmt: skip
    return SigningKey(fingerprint, made)


def retire_unreadable(connection: Connection, keyring: Keyring, now: int) -> int:
    """End the keys that the keyring can't open, and return how many; their public halves still validate old digests."""
    retired = 0
    for row in connection.execute(select(AUDIT_KEYS).where(AUDIT_KEYS.c.ends > now)).all():
        try:
            keyring.unseal(row.private, purpose=PURPOSE)
        except SealBroken:
            ended = update(AUDIT_KEYS).where(AUDIT_KEYS.c.fingerprint == row.fingerprint)
            connection.execute(ended.values(ends=now))
            retired += 1
    return retired


def list_public_keys(
    context: Context,
    *,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """List the public keys that were valid at any moment of a time range (the last day unless given).

    Raises InvalidInput on a range that ends before it begins.
    """
    context.position(next_token, of="list_public_keys")
    end = stamp(end_time) if end_time else context.now
    begin = stamp(start_time) if start_time else end - DAY
    if begin > end:
        raise InvalidInput(
            f"the time range ends ({end_time}) before it begins ({start_time}); swap the two",
            code="InvalidTimeRangeException",
        )
    query = select(AUDIT_KEYS).where(AUDIT_KEYS.c.begins <= end, AUDIT_KEYS.c.ends >= begin)
    rows = context.connection.execute(query.order_by(AUDIT_KEYS.c.begins))
    return {
        "public_key_list": [
            {
                "value": bytes(row.public),
                "validity_start_time": moment(row.begins),
                "validity_end_time": moment(row.ends),
                "fingerprint": row.fingerprint,
            }
            for row in rows
        ]
    }
