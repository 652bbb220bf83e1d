"""The signing key's file, seals and pagination tokens."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.server.errors import InvalidInput
from headrace.server.security.secrets import (
    KEY_FILE,
    Keyring,
    KeyringError,
    SealBroken,
    from_url_safe,
    url_safe,
    write_private,
)

KEYRING = Keyring(bytes(range(32)))
OTHER = Keyring(bytes(32))


def test_the_signing_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = Keyring.open(folder).seal(b"secret", purpose="test")
    path = folder / KEY_FILE
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes()) == 32
    assert Keyring.open(folder).unseal(sealed, purpose="test") == b"secret"
    assert [each.name for each in folder.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_a_signing_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    Keyring.open(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(KeyringError, match=f"mode {mode:04o}.*chmod 600"):
        Keyring.open(tmp_path)


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_in_which_others_can_replace_the_key_is_refused(tmp_path: Path, mode: int) -> None:
    Keyring.open(tmp_path)
    tmp_path.chmod(mode)
    try:
        with pytest.raises(KeyringError, match="chmod 700"):
            Keyring.open(tmp_path)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_signing_key_of_another_user_is_refused(tmp_path: Path) -> None:
    Keyring.open(tmp_path)
    os.chown(tmp_path / KEY_FILE, 12345, -1)
    with pytest.raises(KeyringError, match="belongs to user 12345"):
        Keyring.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_signing_key_names_the_way_out(tmp_path: Path, content: bytes) -> None:
    write_private(tmp_path / KEY_FILE, content)
    with pytest.raises(KeyringError, match="headrace keys recover"):
        Keyring.open(tmp_path)


def test_a_folder_that_takes_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(KeyringError, match=r"can't be read: .*;"):
        Keyring.open(tmp_path)


def test_a_renewed_key_opens_nothing_of_the_old_and_keeps_it_aside(tmp_path: Path) -> None:
    sealed = Keyring.open(tmp_path).seal(b"secret", purpose="test")
    old = (tmp_path / KEY_FILE).read_bytes()
    for number in (1, 2):
        renewed = Keyring.renew(tmp_path)
        assert (tmp_path / f"{KEY_FILE}.old-{number}").is_file()
        with pytest.raises(SealBroken):
            renewed.unseal(sealed, purpose="test")
    assert (tmp_path / f"{KEY_FILE}.old-1").read_bytes() == old


def test_the_first_of_two_that_make_a_key_wins(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    write_private(path, b"first", replace=False)
    write_private(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    write_private(path, b"third")
    assert path.read_bytes() == b"third"
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


@given(plain=st.binary(max_size=300), context=st.binary(max_size=30))
def test_what_is_sealed_opens_again(plain: bytes, context: bytes) -> None:
    sealed = KEYRING.seal(plain, purpose="a", context=context)
    assert plain not in sealed or len(plain) < 8
    assert KEYRING.unseal(sealed, purpose="a", context=context) == plain


@given(plain=st.binary(max_size=40), place=st.integers(0), bit=st.integers(0, 7))
def test_one_changed_bit_breaks_a_seal(plain: bytes, place: int, bit: int) -> None:
    sealed = bytearray(KEYRING.seal(plain, purpose="a"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        KEYRING.unseal(bytes(sealed), purpose="a")


def test_seals_open_for_their_own_key_purpose_and_context_alone() -> None:
    sealed = KEYRING.seal(b"plain", purpose="a", context=b"1")
    for keyring, purpose, context in ((OTHER, "a", b"1"), (KEYRING, "b", b"1"), (KEYRING, "a", b"2")):
        with pytest.raises(SealBroken):
            keyring.unseal(sealed, purpose=purpose, context=context)


@pytest.mark.parametrize("size", [0, 1, 28])
def test_short_bytes_are_no_seal(size: int) -> None:
    with pytest.raises(SealBroken):
        KEYRING.unseal(b"\x01" * size, purpose="a")


@given(st.lists(st.none() | st.integers() | st.text() | st.lists(st.integers(), max_size=3), max_size=4))
def test_positions_survive_as_url_safe_text(position: list[object]) -> None:
    token = KEYRING.write_position(position, of="list_roles")
    assert token.isascii() and not set(token) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert KEYRING.read_position(token, of="list_roles") == position


@given(st.text(max_size=60))
@example("")
@example("AQ==")
@example("Ä")
def test_foreign_tokens_are_invalid_input(token: str) -> None:
    with pytest.raises(InvalidInput, match="pagination token"):
        KEYRING.read_position(token, of="list_roles")


def test_tokens_are_bound_to_their_listing_and_key() -> None:
    token = KEYRING.write_position(["a"], of="list_roles")
    for keyring, of in ((KEYRING, "list_users"), (OTHER, "list_roles")):
        with pytest.raises(InvalidInput):
            keyring.read_position(token, of=of)
    for changed in (token + "=", token[:-1], "A" + token, token + "\n", " " + token):
        with pytest.raises(InvalidInput):
            KEYRING.read_position(changed, of="list_roles")


@given(st.binary(max_size=50))
def test_url_safe_text_goes_both_ways(content: bytes) -> None:
    assert from_url_safe(url_safe(content)) == content


def test_a_keyring_shows_nothing_of_its_key() -> None:
    assert repr(KEYRING) == str(KEYRING) == "Keyring(…)"
