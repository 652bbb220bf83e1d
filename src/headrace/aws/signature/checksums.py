"""The digests that clients claim of their bodies: Content-MD5, and x-amz-checksum-* as a header or a trailer.

AWS page: "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from headrace.server.errors import InvalidInput
from headrace.server.messages import Request
from headrace.server.stores import digests

PREFIX = "x-amz-checksum-"


@dataclass(frozen=True)
class Claimed:
    """The digests that a request claims; `algorithm` ("crc32", …) with `value` None comes in a trailer.

    `needed` are the names of all digests that must be computed over the decoded body for `check`.
    """

    md5: bytes | None = None
    algorithm: str = ""
    value: bytes | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """The digests to compute."""
        return tuple(name for name in ("md5" if self.md5 is not None else "", self.algorithm) if name)

    def check(self, computed: Mapping[str, bytes], trailers: Mapping[str, str] | None = None) -> tuple[str, str] | None:
        """Compare with the computed digests; returns the (algorithm, base64) that the client claimed, if any.

        Raises InvalidInput: BadDigest when one differs, InvalidRequest when a trailer's value is no such digest.
        """
        if self.md5 is not None and not hmac.compare_digest(self.md5, computed["md5"]):
            raise InvalidInput("The Content-MD5 you specified did not match what we received.", code="BadDigest")
        if not self.algorithm:
            return None
        value = self.value
        if value is None:
            name = PREFIX + self.algorithm
            value = _decoded(name, (trailers or {}).get(name, ""), self.algorithm)
        if not hmac.compare_digest(value, computed[self.algorithm]):
            raise InvalidInput(
                f"The {self.algorithm.upper()} you specified did not match the calculated checksum.", code="BadDigest"
            )
        return self.algorithm, base64.b64encode(value).decode()


def claimed(request: Request) -> Claimed:
    """Return the digests that a request's head claims of its body; raises InvalidInput on one that can't be."""
    header = request.header
    md5 = None
    if "content-md5" in header:
        md5 = _base64(header["content-md5"])
        if md5 is None or len(md5) != 16:
            raise InvalidInput("The Content-MD5 you specified was invalid.", code="InvalidDigest")
    given = [name for name in header if name.startswith(PREFIX) and name[len(PREFIX) :] in digests.SIZES]
    trailing = [
        name for each in header.get("x-amz-trailer", "").split(",") if (name := each.strip().lower()).startswith(PREFIX)
    ]
    if len(given) + len(trailing) > 1:
        raise InvalidInput(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", code="InvalidRequest"
        )
    algorithm = (given + trailing)[0].removeprefix(PREFIX) if given or trailing else ""
    if algorithm and algorithm not in digests.SIZES:
        raise InvalidInput("The value specified in the x-amz-trailer header is not supported", code="InvalidRequest")
    _check_announced(header.get("x-amz-sdk-checksum-algorithm", ""), algorithm)
    value = _decoded(given[0], header[given[0]], algorithm) if given else None
    return Claimed(md5, algorithm, value)


def check_body(request: Request, body: bytes) -> tuple[str, str] | None:
    """Check a body that is here already (decoded) against the digests that its request claims.

    The checksum of CompleteMultipartUpload is the object's, not the body's, and is left alone.
    """
    if request.method == "POST" and any(name == "uploadId" for name, _ in request.parameters):
        return None
    claim = claimed(request)
    if claim.algorithm and claim.value is None:
        return None
    return claim.check({name: digests.digest(name, body) for name in claim.needed})


def _check_announced(announced: str, algorithm: str) -> None:
    if not announced:
        return
    if announced.lower() not in digests.SIZES:
        raise InvalidInput("Value for x-amz-sdk-checksum-algorithm header is invalid.", code="InvalidRequest")
    if not algorithm:
        raise InvalidInput(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found.",
            code="InvalidRequest",
        )
    if announced.lower() != algorithm:
        raise InvalidInput("Value for x-amz-sdk-checksum-algorithm header is invalid.", code="InvalidRequest")


def _decoded(name: str, text: str, algorithm: str) -> bytes:
    value = _base64(text)
    if value is None or len(value) != digests.SIZES[algorithm]:
        raise InvalidInput(f"Value for {name} header is invalid.", code="InvalidRequest")
    return value


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
