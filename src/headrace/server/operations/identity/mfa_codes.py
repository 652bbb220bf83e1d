"""The codes of virtual MFA devices, which change every thirty seconds (RFC 6238): made, checked, each good once."""

from __future__ import annotations

import base64
import hmac
import io
from threading import Lock
from weakref import WeakKeyDictionary

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from headrace.server.context import Platform
from headrace.server.resources import Stored
from headrace.server.security.secrets import Keyring
from headrace.server.stores.metadata import MetadataStore

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
    for steps in sorted(range(-_SEARCH, _SEARCH + 1), key=abs):
        first = now // STEP + steps
        if _same(generator, first, codes[0]) and _same(generator, first + 1, codes[1]):
            return steps + 1 if first < now // STEP else steps
    return None


def holds(platform: Platform, device: Stored, code: str, now: int, *, spend: bool) -> bool:
    """Tell whether a device shows this code now; a code that was spent once holds no more (on this server)."""
    expected = now // STEP + device.record.get("drift", 0)
    generator = _generator(platform.keyring, device)
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


def _generator(keyring: Keyring, device: Stored) -> HOTP:
    seed = keyring.unseal(base64.b64decode(device.record["seed"]), purpose=_PURPOSE)
    return HOTP(seed, 6, SHA1())  # noqa: S303


def _same(generator: HOTP, counter: int, code: str) -> bool:
    return counter >= 0 and hmac.compare_digest(generator.generate(counter), code.encode())
