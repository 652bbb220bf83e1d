"""Digests of bytes that arrive in blocks, by name, and digests of whole objects from those of their parts.

Digests are raw bytes, most significant byte first, as Amazon S3's checksums are before base64.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Protocol

from awscrt import checksums  # type: ignore[import-untyped]


class Digest(Protocol):
    """A digest in the making."""

    def update(self, block: bytes, /) -> None:
        """Take in the next block."""

    def digest(self) -> bytes:
        """Return the digest of all blocks so far."""


class Crc:
    """A cyclic redundancy check of `size` bytes over one of awscrt's or zlib's functions."""

    __slots__ = ("_function", "_size", "_value")

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, block: bytes, /) -> None:
        """Take in the next block."""
        self._value = self._function(block, self._value)

    def digest(self) -> bytes:
        """Return the check of all blocks so far."""
        return self._value.to_bytes(self._size, "big")


class XXHash:
    """One of the XXHash family, as awscrt makes it."""

    __slots__ = ("_digest", "_hash")

    def __init__(self, hash: checksums.XXHash) -> None:
        self._hash = hash
        self._digest: bytes | None = None

    def update(self, block: bytes, /) -> None:
        """Take in the next block."""
        self._hash.update(block)

    def digest(self) -> bytes:
        """Return the digest; nothing can be taken in afterwards."""
        if self._digest is None:
            self._digest = self._hash.finalize()
        return self._digest


_MAKE: dict[str, Callable[[], Digest]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "crc32": lambda: Crc(zlib.crc32, 4),
    "crc32c": lambda: Crc(checksums.crc32c, 4),
    "crc64nvme": lambda: Crc(checksums.crc64nvme, 8),
    "xxhash64": lambda: XXHash(checksums.XXHash.new_xxhash64()),
    "xxhash3": lambda: XXHash(checksums.XXHash.new_xxhash3_64()),
    "xxhash128": lambda: XXHash(checksums.XXHash.new_xxhash3_128()),
}

_COMBINE: dict[str, Callable[[int, int, int], int]] = {
    "crc32": checksums.combine_crc32,
    "crc32c": checksums.combine_crc32c,
    "crc64nvme": checksums.combine_crc64nvme,
}

SIZES = {
    "md5": 16, "sha1": 20, "sha256": 32, "sha512": 64, "crc32": 4, "crc32c": 4, "crc64nvme": 8,
    "xxhash64": 8, "xxhash3": 8, "xxhash128": 16,
}  # fmt: skip
"""The names of all digests, and how many bytes each has."""

COMBINABLE = frozenset(_COMBINE)
"""The digests of which a whole object's can be had from its parts' (S3's FULL_OBJECT checksums)."""


def new(name: str) -> Digest:
    """Return a new digest of one of the names in SIZES; raises KeyError on another."""
    return _MAKE[name]()


def digest(name: str, content: bytes) -> bytes:
    """Return the digest of bytes that are here already.

    >>> digest("crc32", b"123456789").hex()
    'cbf43926'
    """
    running = new(name)
    running.update(content)
    return running.digest()


def full_object(name: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """Return the digest of the parts' concatenation, from the (digest, length in bytes) of each; CRCs only.

    >>> first, second = digest("crc32c", b"12345"), digest("crc32c", b"6789")
    >>> full_object("crc32c", [(first, 5), (second, 4)]) == digest("crc32c", b"123456789")
    True
    """
    combine = _COMBINE[name]
    numbers: Iterator[tuple[int, int]] = ((int.from_bytes(part, "big"), length) for part, length in parts)
    value, _ = reduce(lambda left, right: (combine(left[0], right[0], right[1]), 0), numbers, (0, 0))
    return value.to_bytes(SIZES[name], "big")


def composite(name: str, parts: Iterable[bytes]) -> bytes:
    """Return the digest of the parts' digests (S3's COMPOSITE checksums, and the MD5 in a multipart object's ETag)."""
    return digest(name, b"".join(parts))
