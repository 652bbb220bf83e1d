"""Digests against published check values, and those of wholes against those of parts."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.server.stores import digests

NINE = b"123456789"
CHECK_VALUES = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": hashlib.sha256(NINE).hexdigest(),
    "sha512": hashlib.sha512(NINE).hexdigest(),
    "xxhash64": "8cb841db40e6ae83",
}


@pytest.mark.parametrize(("name", "value"), CHECK_VALUES.items())
def test_published_check_values(name: str, value: str) -> None:
    assert digests.digest(name, NINE).hex() == value


@pytest.mark.parametrize("name", digests.SIZES)
@given(blocks=st.lists(st.binary(max_size=200), max_size=6))
def test_blocks_make_the_digest_of_their_whole(name: str, blocks: list[bytes]) -> None:
    running = digests.new(name)
    for block in blocks:
        running.update(block)
    assert running.digest() == running.digest() == digests.digest(name, b"".join(blocks))
    assert len(running.digest()) == digests.SIZES[name]


@pytest.mark.parametrize("name", sorted(digests.COMBINABLE))
@given(parts=st.lists(st.binary(max_size=300), max_size=6))
def test_crcs_of_parts_combine_to_that_of_the_object(name: str, parts: list[bytes]) -> None:
    of_parts = [(digests.digest(name, part), len(part)) for part in parts]
    assert digests.full_object(name, of_parts) == digests.digest(name, b"".join(parts))


def test_a_composite_is_the_digest_of_digests() -> None:
    parts = [digests.digest("crc32", part) for part in (b"one", b"two")]
    assert digests.composite("crc32", parts) == zlib.crc32(b"".join(parts)).to_bytes(4, "big")
    assert digests.composite("sha256", []) == hashlib.sha256().digest()


def test_a_name_that_is_no_digest() -> None:
    with pytest.raises(KeyError):
        digests.new("adler32")
