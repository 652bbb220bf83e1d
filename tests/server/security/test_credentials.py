"""Access keys, sessions, the account's first start, and the recovery from a lost signing key."""

import base64
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from headrace.server.security import credentials
from headrace.server.security.credentials import Caller
from headrace.server.security.secrets import KEY_FILE, Keyring, KeyringError, write_private
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.access_keys import ACCESS_KEYS

NOW = 1_800_000_000_000
ACCOUNT = "123456789012"
ANN = Caller(
    "IAMUser", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDAANN", f"arn:aws:iam::{ACCOUNT}:user/ann", "ann"
)
SESSION = Caller(
    "AssumedRole", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/today", "AROAREADER:today",
    f"arn:aws:iam::{ACCOUNT}:role/reader", "reader", session_policies=('{"Version":"2012-10-17","Statement":[]}',),
    session_tags={"team": "blue"}, mfa_present=True, source_identity="ann",
)  # fmt: skip
KEYRING = Keyring(bytes(range(32)))


def test_a_key_is_told_once_and_found_by_its_id(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        made = credentials.create_access_key(connection, KEYRING, ANN, now=NOW)
    assert made.access_key_id.startswith("AKIA") and len(made.access_key_id) == 20 and len(made.secret) == 40
    assert made.secret not in repr(made)
    with metadata.reading() as connection:
        found = credentials.find_key(connection, KEYRING, made.access_key_id)
        assert found == made
        assert found.caller == replace(ANN, access_key_id=made.access_key_id)
        assert credentials.find_key(connection, KEYRING, "AKIAAAAAAAAAAAAAAAAA") is None
        assert credentials.find_key(connection, KEYRING, made.access_key_id, "token") is None
        assert credentials.find_access_key(connection, "AKIAAAAAAAAAAAAAAAAA") is None
        record = credentials.find_access_key(connection, made.access_key_id)
        assert record == credentials.KeyRecord(made.access_key_id, "AIDAANN", "ann", True, NOW)
        stored = connection.execute(select(ACCESS_KEYS)).one()
        assert made.secret.encode() not in stored.sealed


def test_a_key_that_is_deleted_or_inactive_stops_at_once(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        first, second = (credentials.create_access_key(connection, KEYRING, ANN, now=NOW + i) for i in range(2))

    def active(access_key_id: str) -> bool | None:
        with metadata.reading() as connection:
            found = credentials.find_key(connection, KEYRING, access_key_id)
        return found and found.active

    assert active(first.access_key_id) and active(second.access_key_id)
    with metadata.writing() as connection:
        assert credentials.set_active(connection, first.access_key_id, False)
        assert credentials.delete_access_key(connection, second.access_key_id)
    assert active(first.access_key_id) is False
    assert active(second.access_key_id) is None
    with metadata.writing() as connection:
        assert not credentials.delete_access_key(connection, second.access_key_id)
        assert not credentials.set_active(connection, second.access_key_id, True)
        assert credentials.set_active(connection, first.access_key_id, True)
    assert active(first.access_key_id) is True


def test_keys_are_listed_oldest_first_and_follow_their_user_s_name(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        made = [credentials.create_access_key(connection, KEYRING, ANN, now=NOW + i) for i in (1, 0)]
        credentials.create_access_key(connection, KEYRING, replace(ANN, user_id="AIDABOB"), now=NOW)
        credentials.rename_user(connection, "AIDAANN", arn=f"arn:aws:iam::{ACCOUNT}:user/x/anna", name="anna")
    with metadata.reading() as connection:
        listed = credentials.access_keys_of(connection, "AIDAANN")
        assert [each.access_key_id for each in listed] == [made[1].access_key_id, made[0].access_key_id]
        found = credentials.find_key(connection, KEYRING, made[0].access_key_id)
        assert found and found.caller.principal == found.caller.arn == f"arn:aws:iam::{ACCOUNT}:user/x/anna"
        assert found.caller.name == "anna"


def test_a_sealed_secret_is_bound_to_its_row(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        made = credentials.create_access_key(connection, KEYRING, ANN, now=NOW)
        row = connection.execute(select(ACCESS_KEYS)).one()._asdict()
        connection.execute(insert(ACCESS_KEYS).values(row | {"access_key_id": "AKIAMOVED", "kind": "Root"}))
        assert credentials.find_key(connection, KEYRING, "AKIAMOVED") is None
        assert credentials.find_key(connection, Keyring(bytes(32)), made.access_key_id) is None


@given(st.integers(0, 10**12 - 1))
def test_an_access_key_id_tells_its_account(number: int) -> None:
    account = f"{number:012d}"
    assert credentials.account_of(credentials.new_access_key_id(account)) == account


@given(st.text(max_size=25))
def test_other_text_is_no_access_key_id(text: str) -> None:
    assert credentials.account_of(text) is None


def test_a_session_s_token_carries_its_caller() -> None:
    issued = credentials.issue_session(KEYRING, SESSION, now=NOW, expires=NOW + 3_600_000)
    assert issued.access_key_id.startswith("ASIA")
    assert issued.secret not in repr(issued) and issued.token not in repr(issued)
    opened = credentials.open_session(KEYRING, issued.token, issued.access_key_id)
    assert opened is not None and opened.secret == issued.secret and opened.caller == issued.caller
    assert opened.caller == replace(
        SESSION, access_key_id=issued.access_key_id, session_issued=NOW, session_expires=NOW + 3_600_000
    )
    again = credentials.issue_session(KEYRING, SESSION, now=NOW, expires=NOW + 3_600_000)
    assert again.secret != issued.secret and again.access_key_id != issued.access_key_id
    assert credentials.open_session(KEYRING, issued.token, again.access_key_id) is None
    assert credentials.open_session(Keyring(bytes(32)), issued.token, issued.access_key_id) is None


def test_a_session_of_root_survives_too() -> None:
    issued = credentials.issue_session(KEYRING, credentials.root(ACCOUNT), now=NOW, expires=NOW + 1)
    opened = credentials.open_session(KEYRING, issued.token, issued.access_key_id)
    assert opened is not None and opened.caller.kind == "Root" and opened.caller == issued.caller


@given(place=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_token_opens_nothing(place: int, bit: int) -> None:
    issued = credentials.issue_session(KEYRING, SESSION, now=NOW, expires=NOW + 1)
    sealed = bytearray(base64.b64decode(issued.token))
    sealed[place % len(sealed)] ^= 1 << bit
    token = base64.b64encode(bytes(sealed)).decode()
    assert credentials.open_session(KEYRING, token, issued.access_key_id) is None


@given(st.text(max_size=60))
def test_any_text_as_token_opens_nothing(token: str) -> None:
    assert credentials.open_session(KEYRING, token, "ASIAAAAAAAAAAAAAAAAA") is None


def test_sessions_end_together_when_they_were_issued_before_a_moment(metadata: MetadataStore) -> None:
    early = credentials.issue_session(KEYRING, SESSION, now=NOW, expires=NOW + 10)
    late = credentials.issue_session(KEYRING, SESSION, now=NOW + 5, expires=NOW + 10)
    other = credentials.issue_session(KEYRING, replace(SESSION, user_id="AROAWRITER:today"), now=NOW, expires=NOW + 10)

    def known(session: credentials.Session, connection: Connection) -> bool:
        return credentials.find_key(connection, KEYRING, session.access_key_id, session.token) is not None

    with metadata.writing() as connection:
        assert all(known(each, connection) for each in (early, late, other))
        assert credentials.find_key(connection, KEYRING, early.access_key_id) is None
        credentials.end_sessions(connection, "AROAREADER", before=NOW)
        assert known(early, connection)
        credentials.end_sessions(connection, "AROAREADER", before=NOW + 5)
        assert [known(each, connection) for each in (early, late, other)] == [False, True, True]


def first_start(metadata: MetadataStore, folder: Path) -> credentials.FirstStart:
    with metadata.writing() as connection:
        return credentials.first_start(folder, connection, Keyring.open(folder / "keys"), now=NOW)


def test_the_first_start_makes_an_account_and_writes_root_s_key(metadata: MetadataStore, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    started = first_start(metadata, folder)
    assert started.made and len(started.account) == 12 and started.account.isdigit()
    assert started.path == folder / "credentials" and started.path.stat().st_mode & 0o777 == 0o600
    access_key_id, secret = credentials.read_credentials(started.path)
    assert credentials.account_of(access_key_id) == started.account
    with metadata.reading() as connection:
        found = credentials.find_key(connection, Keyring.open(folder / "keys"), access_key_id)
    assert found is not None and found.secret == secret
    assert found.caller == replace(credentials.root(started.account), access_key_id=access_key_id)
    written = started.path.read_bytes()
    assert first_start(metadata, folder) == replace(started, made=False)
    assert started.path.read_bytes() == written


def test_aws_s_clients_read_the_credentials_file(metadata: MetadataStore, tmp_path: Path) -> None:
    started = first_start(metadata, tmp_path / "data")
    script = "import botocore.session as s; c = s.Session().get_credentials(); print(c.access_key, c.secret_key)"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env=environment | {"AWS_SHARED_CREDENTIALS_FILE": str(started.path), "AWS_EC2_METADATA_DISABLED": "true"},
    )  # fmt: skip
    assert tuple(done.stdout.split()) == credentials.read_credentials(started.path)


def test_a_first_start_that_did_not_commit_is_made_again(metadata: MetadataStore, tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path / "keys")
    with pytest.raises(RuntimeError), metadata.writing() as connection:
        credentials.first_start(tmp_path, connection, keyring, now=NOW)
        raise RuntimeError("the machine stopped here")
    lost, _ = credentials.read_credentials(tmp_path / "credentials")
    started = first_start(metadata, tmp_path)
    access_key_id, _ = credentials.read_credentials(started.path)
    assert started.made and access_key_id != lost


@pytest.mark.parametrize("text", ["", "[default]\n", "[other]\naws_access_key_id = a\n", "aws = b", "[default]\n\xff"])
def test_a_file_without_credentials_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(KeyringError, match="holds no credentials"):
        credentials.read_credentials(path)


@pytest.mark.parametrize("loss", ["deleted", "foreign", "damaged"])
def test_a_lost_signing_key_is_noticed_and_recovered(metadata: MetadataStore, tmp_path: Path, loss: str) -> None:
    folder = tmp_path / "data"
    started = first_start(metadata, folder)
    old_id, _ = credentials.read_credentials(started.path)
    with metadata.writing() as connection:
        credentials.create_access_key(connection, Keyring.open(folder / "keys"), ANN, now=NOW)
    if loss == "deleted":
        (folder / "keys" / KEY_FILE).unlink()
    else:
        write_private(folder / "keys" / KEY_FILE, bytes(32) if loss == "foreign" else b"short")
    with pytest.raises(KeyringError, match="headrace keys recover"):
        first_start(metadata, folder)

    repaired = []
    with metadata.writing() as connection:
        done = credentials.recover(
            folder, connection, now=NOW + 1, repairs=[lambda _, keyring: repaired.append(keyring) or 3]
        )
    assert done == credentials.Recovery(started.account, 2 + 3, started.path) and len(repaired) == 1
    assert first_start(metadata, folder).account == started.account
    new_id, secret = credentials.read_credentials(started.path)
    keyring = Keyring.open(folder / "keys")
    with metadata.reading() as connection:
        assert credentials.find_key(connection, keyring, old_id) is None
        found = credentials.find_key(connection, keyring, new_id)
        assert found is not None and found.secret == secret and found.active
        states = {each.access_key_id: each.active for each in credentials.access_keys_of(connection, started.account)}
        assert states == {old_id: False, new_id: True}


def test_a_recovery_that_did_not_commit_may_be_repeated(metadata: MetadataStore, tmp_path: Path) -> None:
    first_start(metadata, tmp_path)
    (tmp_path / "keys" / KEY_FILE).unlink()
    with pytest.raises(RuntimeError), metadata.writing() as connection:
        credentials.recover(tmp_path, connection, now=NOW)
        raise RuntimeError("the machine stopped here")
    with metadata.writing() as connection:
        credentials.recover(tmp_path, connection, now=NOW)
    assert not first_start(metadata, tmp_path).made


def test_nothing_is_recovered_that_is_not_lost(metadata: MetadataStore, tmp_path: Path) -> None:
    with metadata.writing() as connection, pytest.raises(KeyringError, match="no account"):
        credentials.recover(tmp_path, connection, now=NOW)
    first_start(metadata, tmp_path)
    key = (tmp_path / "keys" / KEY_FILE).read_bytes()
    with metadata.writing() as connection, pytest.raises(KeyringError, match="nothing to recover"):
        credentials.recover(tmp_path, connection, now=NOW)
    (tmp_path / "keys" / KEY_FILE).chmod(0o644)
    with metadata.writing() as connection, pytest.raises(KeyringError, match="chmod 600"):
        credentials.recover(tmp_path, connection, now=NOW)
    assert (tmp_path / "keys" / KEY_FILE).read_bytes() == key
