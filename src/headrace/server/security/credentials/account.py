"""The account and its root user: made at the first start, and made reachable again when the signing key is lost."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from headrace.server.security.credentials.access_keys import PURPOSE, create_access_key
from headrace.server.security.credentials.callers import AccessKey, Caller
from headrace.server.security.credentials.identifiers import new_account_id
from headrace.server.security.secrets import KEY_FILE, KeyDamaged, Keyring, KeyringError, SealBroken, write_private
from headrace.server.stores.metadata.tables.access_keys import ACCESS_KEYS, ACCOUNTS

CREDENTIALS_FILE = "credentials"
KEYS_FOLDER = "keys"
CHECK_PURPOSE = "key check"

Repair = Callable[[Connection, Keyring], int]
"""Deactivates the sealed values of one room that the keyring can't open, and returns how many."""


@dataclass(frozen=True)
class FirstStart:
    """The account of a data folder; `made` tells that this start made it, `path` is where root's key was written."""

    made: bool
    path: Path
    account: str


@dataclass(frozen=True)
class Recovery:
    """What was lost with the signing key, and where the new root access key is."""

    account: str
    deactivated: int
    path: Path


def root(account: str, partition: str = "aws") -> Caller:
    """Return the root user of an account."""
    arn = f"arn:{partition}:iam::{account}:root"
    return Caller("Root", account, arn, account, arn)


def first_start(
    folder: Path, connection: Connection, keyring: Keyring, *, now: int, partition: str = "aws"
) -> FirstStart:
    """Return the account of this data, making it, its root user's key and FOLDER/credentials (0600) when there is none.

    The file is written before the caller commits, so that no root key exists that nobody knows. Raises KeyringError
    when the data was sealed with another signing key.
    """
    path = folder / CREDENTIALS_FILE
    existing = check_signing_key(folder, connection, keyring)
    if existing is not None:
        return FirstStart(False, path, existing)
    account = new_account_id()
    connection.execute(insert(ACCOUNTS).values(account=account, created=now, key_check=_check_value(keyring, account)))
    _write_credentials(path, create_access_key(connection, keyring, root(account, partition), now=now))
    return FirstStart(True, path, account)


def check_signing_key(folder: Path, connection: Connection, keyring: Keyring) -> str | None:
    """Return the account of this data, or None before the first start; raises KeyringError on a foreign signing key."""
    row = connection.execute(select(ACCOUNTS)).one_or_none()
    if row is None:
        return None
    if not _fits(keyring, row.key_check, row.account):
        raise KeyringError(
            f"the signing key {folder / KEYS_FOLDER / KEY_FILE} is not the one that this data was sealed with; put "
            "that one back from a backup, or run headrace keys recover (every access key then has to be made anew)"
        )
    account: str = row.account
    return account


def recover(
    folder: Path, connection: Connection, *, now: int, partition: str = "aws", repairs: Sequence[Repair] = ()
) -> Recovery:
    """Make a new signing key where the old one is lost: what it sealed is deactivated, root gets a new access key.

    May be repeated after a crash. `repairs` do the same for what other rooms sealed. Raises KeyringError while the
    signing key still opens the data.
    """
    row = connection.execute(select(ACCOUNTS)).one_or_none()
    if row is None:
        raise KeyringError(f"there is no account in the data of {folder} to recover; run headrace serve to make one")
    if _signing_key_works(folder, row.key_check, row.account):
        raise KeyringError(
            f"the signing key {folder / KEYS_FOLDER / KEY_FILE} opens this data; there is nothing to recover"
        )
    keyring = Keyring.renew(folder / KEYS_FOLDER)
    deactivated = _deactivate_unreadable(connection, keyring) + sum(repair(connection, keyring) for repair in repairs)
    connection.execute(update(ACCOUNTS).values(key_check=_check_value(keyring, row.account)))
    path = folder / CREDENTIALS_FILE
    _write_credentials(path, create_access_key(connection, keyring, root(row.account, partition), now=now))
    return Recovery(row.account, deactivated, path)


def read_credentials(path: Path) -> tuple[str, str]:
    """Return the access key id and secret of a credentials file's default profile; raises KeyringError."""
    parser = configparser.RawConfigParser()
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
        profile = parser["default"]
        return profile["aws_access_key_id"], profile["aws_secret_access_key"]
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError):
        raise KeyringError(
            f"{path} holds no credentials of the root user; pass other credentials, or put the file back"
        ) from None


def _write_credentials(path: Path, key: AccessKey) -> None:
    text = f"[default]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret}\n"
    write_private(path, text.encode())


def _check_value(keyring: Keyring, account: str) -> bytes:
    return keyring.seal(b"", purpose=CHECK_PURPOSE, context=account.encode())


def _fits(keyring: Keyring, check_value: bytes, account: str) -> bool:
    try:
        keyring.unseal(check_value, purpose=CHECK_PURPOSE, context=account.encode())
    except SealBroken:
        return False
    return True


def _signing_key_works(folder: Path, check_value: bytes, account: str) -> bool:
    if not (folder / KEYS_FOLDER / KEY_FILE).exists():
        return False
    try:
        return _fits(Keyring.open(folder / KEYS_FOLDER), check_value, account)
    except KeyDamaged:
        return False


def _deactivate_unreadable(connection: Connection, keyring: Keyring) -> int:
    lost = []
    for row in connection.execute(select(ACCESS_KEYS.c.access_key_id, ACCESS_KEYS.c.sealed, ACCESS_KEYS.c.active)):
        try:
            keyring.unseal(row.sealed, purpose=PURPOSE, context=row.access_key_id.encode())
        except SealBroken:
            lost.append(row.access_key_id)
    for access_key_id in lost:
        connection.execute(update(ACCESS_KEYS).where(ACCESS_KEYS.c.access_key_id == access_key_id).values(active=False))
    return len(lost)
