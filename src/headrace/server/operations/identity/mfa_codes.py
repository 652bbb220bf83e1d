"""The codes of virtual MFA devices, which change every thirty seconds (RFC 6238): made, checked, each good once."""

from __future__ import annotations

import base64
import hmac
import io
import json
from collections.abc import Mapping
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, delete, select, update

from headrace.server.context import Platform
from headrace.server.operations.identity.entities import MFA_DEVICE
from headrace.server.resources import Stored
from headrace.server.security.secrets import Keyring, SealBroken
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS
from headrace.server.stores.metadata.tables.resources import RESOURCES

STEP = 30_000
"""Milliseconds for which a code is shown."""

_TOLERANCE = 1
_SEARCH = 20
_PURPOSE = "virtual MFA seed"

_spent: WeakKeyDictionary[MetadataStore, dict[str, int]] = WeakKeyDictionary()
_lock = Lock()


def sealed(keyring: Keyring, seed: bytes) -> str:
    """Return a device's seed as its record keeps it."""
    return base64.b64encode(keyring.seal(seed, purpose=_PURPOSE)).decode()


def picture(seed: bytes, name: str, account: str) -> bytes:
    """Return a PNG of the QR code that authenticator apps read."""
    address = TOTP(seed, 6, SHA1(), STEP // 1000).get_provisioning_uri(f"{name}@{account}", "Amazon Web Services")  # noqa: S303
    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="png", scale=4)
    return drawn.getvalue()


def drift(keyring: Keyring, device: Stored, codes: tuple[str, str], now: int) -> int | None:
    """Return how many steps a device's clock is ahead, by two consecutive codes; None when they are not its codes."""
    generator = _generator(keyring, device)
    if generator is None:
        return None
    for steps in sorted(range(-_SEARCH, _SEARCH + 1), key=abs):
        first = now // STEP + steps
        if _same(generator, first, codes[0]) and _same(generator, first + 1, codes[1]):
            return steps + 1 if first < now // STEP else steps
    return None


def holds(platform: Platform, device: Stored, code: str, now: int, *, spend: bool) -> bool:
    """Tell whether a device shows this code now; a code that was spent once holds no more (on this server)."""
    expected = now // STEP + device.record.get("drift", 0)
    generator = _generator(platform.keyring, device)
    if generator is None:
        return False
    candidates = range(expected - _TOLERANCE, expected + _TOLERANCE + 1)
    counter = next((each for each in candidates if _same(generator, each, code)), None)
    if counter is None:
        return False
    with _lock:
        spent = _spent.setdefault(platform.metadata, {})
        if counter <= spent.get(device.arn, 0):
            return False
        if spend:
            spent[device.arn] = counter
    return True


def release_unreadable(connection: Connection, keyring: Keyring) -> int:
    """Take devices whose seeds the keyring can't open from their users; returns how many (after a lost signing key)."""
    lost = []
    for row in connection.execute(
        select(RESOURCES.c.arn, RESOURCES.c.record).where(RESOURCES.c.kind == MFA_DEVICE.kind)
    ):
        record = json.loads(row.record)
        if record.get("enabled") and _seed(keyring, record) is None:
            lost.append((row.arn, record))
    for arn, record in lost:
        connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.container == record["id"]))
        released = json.dumps(record | {"enabled": None})
        connection.execute(update(RESOURCES).where(RESOURCES.c.arn == arn).values(record=released))
    return len(lost)


def _generator(keyring: Keyring, device: Stored) -> HOTP | None:
    seed = _seed(keyring, device.record)
    return None if seed is None else HOTP(seed, 6, SHA1())  # noqa: S303


def _seed(keyring: Keyring, record: Mapping[str, Any]) -> bytes | None:
    try:
        return keyring.unseal(base64.b64decode(record["seed"]), purpose=_PURPOSE)
    except SealBroken:
        return None


def _same(generator: HOTP, counter: int, code: str) -> bool:
    return counter >= 0 and hmac.compare_digest(generator.generate(counter), code.encode())
