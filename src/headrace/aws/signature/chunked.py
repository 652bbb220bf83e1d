"""Bodies in aws-chunked encoding, taken apart block by block while their signatures are checked.

A chunk's data is handed on before its signature is known to be right, so nothing of it may become visible before
`finish`. AWS pages: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from headrace.aws.signature.canonical import EMPTY_SHA256, sign
from headrace.server.errors import InvalidInput, Unauthenticated

SMALLEST_CHUNK = 8192
"""Bytes that every chunk but the last must have."""

LONGEST_HEADER = 1024
LONGEST_TRAILER = 8192

_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER_NAME = re.compile(r"[a-z0-9-]+")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


@dataclass
class ChunkSigner:
    """Checks the chain of signatures that starts with the request's own."""

    key: bytes = field(repr=False)
    stamp: str
    scope: str
    previous: str

    def check(self, digest: str, signature: str) -> None:
        """Check a chunk by the hexadecimal SHA-256 of its data."""
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY_SHA256}\n{digest}", signature, "a chunk of the body")

    def check_trailer(self, digest: str, signature: str) -> None:
        """Check the trailing headers by the hexadecimal SHA-256 of their canonical lines."""
        self._check("AWS4-HMAC-SHA256-TRAILER", digest, signature, "the body's trailing headers")

    def _check(self, algorithm: str, rest: str, signature: str, what: str) -> None:
        expected = sign(self.key, f"{algorithm}\n{self.stamp}\n{self.scope}\n{self.previous}\n{rest}")
        if not hmac.compare_digest(expected, signature):
            raise Unauthenticated(
                f"The signature that we calculated for {what} does not match the one that came with it; "
                "check your key and signing method",
                code="SignatureDoesNotMatch",
            )
        self.previous = expected


class ChunkedBody:
    """One body being decoded.

    `length` is its announced decoded length, `signer` None for unsigned chunks, `announced` the names of its trailing
    headers, which `trailers` holds after `finish`.
    """

    def __init__(self, length: int, signer: ChunkSigner | None = None, announced: tuple[str, ...] = ()) -> None:
        self.trailers: dict[str, str] = {}
        self._announced = announced
        self._signer = signer
        self._digest = sha256()
        self._signature = ""
        self._pending = b""
        self._remaining = length
        self._left = 0
        self._last = 0
        self._step: Callable[[bytes, int, list[bytes]], int] = self._header

    def feed(self, block: bytes) -> list[bytes]:
        """Return the data inside the next block; raises InvalidInput or Unauthenticated on a broken or forged chunk."""
        if self._pending:
            block, self._pending = self._pending + block, b""
        data: list[bytes] = []
        place = 0
        while place < len(block):
            after = self._step(block, place, data)
            if after == place:
                self._pending = block[place:]
                break
            place = after
        return data

    def finish(self) -> None:
        """Tell that nothing follows; raises InvalidInput (IncompleteBody) unless the body was whole."""
        if self._step != self._nothing:
            raise _incomplete()

    def _header(self, block: bytes, place: int, _: list[bytes]) -> int:
        end = block.find(b"\r\n", place, place + LONGEST_HEADER)
        if end < 0:
            if len(block) - place >= LONGEST_HEADER:
                raise _malformed("a chunk's header is longer than a size and a signature")
            return place
        match = _HEADER.fullmatch(block, place, end)
        if match is None or (match[2] is None) is not (self._signer is None):
            raise _malformed(
                "a chunk does not begin with its size in hexadecimal digits, and its signature where signed"
            )
        self._left = int(match[1], 16)
        self._signature = (match[2] or b"").decode()
        if self._left > self._remaining:
            raise _incomplete("The body holds more bytes than x-amz-decoded-content-length announced")
        if self._left and 0 < self._last < SMALLEST_CHUNK:
            raise InvalidInput(
                f"Only the last chunk is allowed to have a size less than {SMALLEST_CHUNK} bytes",
                code="InvalidChunkSizeError", status=403,
            )  # fmt: skip
        self._last = self._left
        self._remaining -= self._left
        if self._left:
            self._step = self._data
        else:
            self._check_chunk()
            self._step = self._trailing
            if self._remaining:
                raise _incomplete()
        return end + 2

    def _data(self, block: bytes, place: int, data: list[bytes]) -> int:
        end = min(place + self._left, len(block))
        piece = block[place:end]
        if self._signer is not None:
            self._digest.update(piece)
        data.append(piece)
        self._left -= end - place
        if not self._left:
            self._check_chunk()
            self._step = self._data_end
        return end

    def _data_end(self, block: bytes, place: int, _: list[bytes]) -> int:
        ending = block[place : place + 2]
        if ending == b"\r\n":
            self._step = self._header
            return place + 2
        if ending != b"\r":
            raise _malformed("a chunk is longer than its header says")
        return place

    def _trailing(self, block: bytes, place: int, _: list[bytes]) -> int:
        if block.startswith(b"\r\n", place):
            end = place
        else:
            end = block.find(b"\r\n\r\n", place, place + LONGEST_TRAILER)
            if end < 0:
                if len(block) - place >= LONGEST_TRAILER:
                    raise _malformed_trailer()
                return place
        self._read_trailers(block[place:end])
        self._step = self._nothing
        return end + (2 if end == place else 4)

    def _nothing(self, block: bytes, place: int, _: list[bytes]) -> int:
        raise _malformed(f"{len(block) - place} bytes follow its end")

    def _check_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check(self._digest.hexdigest(), self._signature)
            self._digest = sha256()

    def _read_trailers(self, content: bytes) -> None:
        lines = content.decode("latin-1").split("\r\n") if content else []
        signature = None
        for line in lines:
            name, colon, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if not colon or not _TRAILER_NAME.fullmatch(name) or name in self.trailers:
                raise _malformed_trailer()
            if name == _TRAILER_SIGNATURE and signature is None:
                signature = value
            else:
                self.trailers[name] = value
        if sorted(self.trailers) != sorted(self._announced):
            raise _malformed_trailer()
        if self._signer is not None and self._announced:
            canonical = "".join([f"{name}:{value}\n" for name, value in sorted(self.trailers.items())])
            self._signer.check_trailer(sha256(canonical.encode("latin-1")).hexdigest(), ascii(signature or "")[1:-1])


def _incomplete(message: str = "The request body terminated unexpectedly") -> InvalidInput:
    return InvalidInput(message, code="IncompleteBody")


def _malformed(what: str) -> InvalidInput:
    return InvalidInput(f"The aws-chunked body is malformed: {what}", code="InvalidRequest")


def _malformed_trailer() -> InvalidInput:
    return InvalidInput(
        "The request contained trailing data that was not well-formed or did not conform to our published schema",
        code="MalformedTrailerError",
    )
