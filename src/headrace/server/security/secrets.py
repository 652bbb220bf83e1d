"""The keyring: the server's signing key, and everything sealed with it."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from headrace.ml.errors import HeadraceError
from headrace.server.errors import InvalidInput

KEY_FILE = "signing.key"
KEY_SIZE = 32
VERSION = b"\x01"
NONCE_SIZE = 12
SMALLEST_SEALED = len(VERSION) + NONCE_SIZE + 16


class KeyringError(HeadraceError):
    """The signing key can't be used: unsafe, damaged, or not the one that the data was sealed with."""


class KeyDamaged(KeyringError):  # noqa: N818 (what happened to the key)
    """The signing key's file does not hold a key."""


class SealBroken(Exception):  # noqa: N818 (what happened to the seal)
    """Sealed bytes were changed, sealed by another key, for another purpose or in another context."""


class Keyring:
    """Seals and unseals with keys derived from one signing key (HKDF-SHA256, AES-256-GCM).

    A sealed value is a version byte, a nonce of 12 bytes, the ciphertext and its tag. What was sealed for one `purpose`
    and `context` opens for no other.
    """

    def __init__(self, signing_key: bytes) -> None:
        self._signing_key = signing_key
        self._derived: dict[str, bytes] = {}
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def open(cls, folder: Path) -> Keyring:
        """Return the keyring of a data folder, making `signing.key` at the first start.

        Raises KeyringError when others can read or replace the key, or when it is damaged.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / KEY_FILE
        if not path.exists():
            write_private(path, secrets.token_bytes(KEY_SIZE), replace=False)
        return cls(_read_key(path))

    @classmethod
    def renew(cls, folder: Path) -> Keyring:
        """Replace the signing key by a new one; the old file, if any, stays beside it as `signing.key.old-1`, …."""
        path = folder / KEY_FILE
        if path.exists():
            aside = next(each for number in count(1) if not (each := folder / f"{KEY_FILE}.old-{number}").exists())
            path.replace(aside)
        return cls.open(folder)

    def __repr__(self) -> str:
        return "Keyring(…)"

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key of a purpose."""
        key = self._derived.get(purpose)
        if key is None:
            derivation = HKDF(SHA256(), KEY_SIZE, salt=None, info=b"headrace/" + purpose.encode())
            key = self._derived[purpose] = derivation.derive(self._signing_key)
        return key

    def seal(self, plain: bytes, *, purpose: str, context: bytes = b"") -> bytes:
        """Return `plain` encrypted and authenticated; the same `purpose` and `context` open it."""
        nonce = os.urandom(NONCE_SIZE)
        return VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, VERSION + context)

    def unseal(self, sealed: bytes, *, purpose: str, context: bytes = b"") -> bytes:
        """Return what was sealed; raises SealBroken."""
        if len(sealed) < SMALLEST_SEALED or sealed[:1] != VERSION:
            raise SealBroken("not a sealed value of a format that this version of headrace reads")
        nonce, rest = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
        try:
            return self._cipher(purpose).decrypt(nonce, rest, VERSION + context)
        except InvalidTag:
            raise SealBroken("changed, or sealed by another key or for another purpose") from None

    def write_position(self, position: Sequence[Any], *, of: str) -> str:
        """Return an opaque, URL-safe pagination token; `position` is of JSON's types."""
        plain = json.dumps(list(position), separators=(",", ":")).encode()
        return url_safe(self.seal(plain, purpose="pagination", context=of.encode()))

    def read_position(self, token: str, *, of: str) -> list[Any]:
        """Return the position inside a token; raises InvalidInput unless `write_position` made it for this listing."""
        try:
            plain = self.unseal(from_url_safe(token), purpose="pagination", context=of.encode())
        except SealBroken:
            raise InvalidInput(
                "the pagination token is not one that this listing returned; pass the last answer's token unchanged"
            ) from None
        position: list[Any] = json.loads(plain)
        return position

    def _cipher(self, purpose: str) -> AESGCM:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            cipher = self._ciphers[purpose] = AESGCM(self.derive(purpose))
        return cipher


def url_safe(content: bytes) -> str:
    """Return bytes as base64 of letters, digits, - and _ alone."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_url_safe(text: str) -> bytes:
    """Return the bytes of such text; raises SealBroken when it is not written exactly so."""
    try:
        content = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SealBroken("not base64") from None
    if url_safe(content) != text:
        raise SealBroken("not base64 as it is written here")
    return content


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file that only its owner reads (0600), whole or not at all, and durably (fsync, rename).

    With `replace=False` a file that is there meanwhile stays as it is.
    """
    work = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            work.replace(path)
        else:
            _keep_first(work, path)
    except OSError as error:
        raise KeyringError(
            f"{path} can't be written: {error.strerror}; free space or allow it, then start again"
        ) from None
    finally:
        work.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _keep_first(work: Path, path: Path) -> None:
    try:
        path.hardlink_to(work)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            work.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            key = file.read(KEY_SIZE + 1)
        folder_mode = path.parent.stat().st_mode
    except OSError as error:
        raise KeyringError(f"the signing key {path} can't be read: {error.strerror}; give this user access") from None
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise KeyringError(f"the signing key {path} is open to other users (mode {mode:04o}); run chmod 600 {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyringError(f"the signing key {path} belongs to user {status.st_uid}; run chown {os.geteuid()} {path}")
    if folder_mode & 0o022:
        mode = stat.S_IMODE(folder_mode)
        raise KeyringError(
            f"others can replace the signing key in {path.parent} (mode {mode:04o}); run chmod 700 {path.parent}"
        )
    if len(key) != KEY_SIZE:
        raise KeyDamaged(
            f"the signing key {path} does not have {KEY_SIZE} bytes, so it is damaged; put it back from a backup, "
            "or run headrace keys recover"
        )
    return key
