"""What a signature says of the body, and so what is to be checked while the body is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256

from headrace.aws.signature.chunked import ChunkedBody, ChunkSigner
from headrace.aws.signature.refusals import S3, Dialect, Fault
from headrace.server.errors import InvalidInput, OperationError
from headrace.server.messages import Request

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMS = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (True, False),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (True, True),
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": (False, True),
}
"""The kinds of aws-chunked bodies: whether chunks are signed, and whether trailing headers follow."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Chunks:
    """How an aws-chunked body is to be read: its decoded length, its trailers, and what checks its signatures."""

    length: int
    trailers: tuple[str, ...] = ()
    key: bytes | None = field(default=None, repr=False)
    stamp: str = ""
    scope: str = ""
    seed: str = ""

    def decoder(self) -> ChunkedBody:
        """Return a decoder for the body."""
        signer = None if self.key is None else ChunkSigner(self.key, self.stamp, self.scope, self.seed)
        return ChunkedBody(self.length, signer, self.trailers)


@dataclass(frozen=True)
class Payload:
    """What is to be checked of a body; the default is nothing.

    `sha256` is the hexadecimal digest that the whole body must have, `chunks` is there for aws-chunked bodies.
    """

    sha256: str = ""
    chunks: Chunks | None = None


NOTHING = Payload()
"""Nothing is to be checked."""


def payload_hash(request: Request, dialect: Dialect, *, presigned: bool) -> str:
    """Return what stands for the body in the canonical request; raises Unauthenticated or InvalidInput.

    Services other than S3 sign the body's digest without saying it; their bodies must be here.
    """
    said = request.header.get("x-amz-content-sha256")
    if said is None and presigned:
        said = dict(request.parameters).get("X-Amz-Content-Sha256") or (UNSIGNED_PAYLOAD if dialect is S3 else None)
    if said is not None:
        if said == UNSIGNED_PAYLOAD or said in STREAMS or _SHA256.fullmatch(said):
            return said
        raise _unknown(said, dialect)
    if dialect is S3:
        raise InvalidInput("Missing required header for this request: x-amz-content-sha256", code="InvalidRequest")
    if request.body is None:
        raise dialect.refusal(Fault.MALFORMED, "A body that is streamed needs the header x-amz-content-sha256")
    return sha256(request.body).hexdigest()


def announced_chunks(request: Request, kind: str, key: bytes, stamp: str, scope: str, seed: str) -> Chunks:
    """Return how the aws-chunked body of a request with a right signature is to be read; raises InvalidInput."""
    signed, trailing = STREAMS[kind]
    length = request.header.get("x-amz-decoded-content-length", "")
    if not re.fullmatch(r"[0-9]{1,16}", length):
        raise InvalidInput(
            "You must provide the length of the decoded body in the x-amz-decoded-content-length HTTP header",
            code="MissingContentLength", status=411,
        )  # fmt: skip
    names = request.header.get("x-amz-trailer", "") if trailing else ""
    trailers = tuple(name.strip().lower() for name in names.split(",") if name.strip())
    if signed:
        return Chunks(int(length), trailers, key, stamp, scope, seed)
    return Chunks(int(length), trailers)


def check_whole(body: bytes, payload: Payload, dialect: Dialect) -> bytes:
    """Return a body that is here already, decoded where it is aws-chunked; raises InvalidInput or Unauthenticated."""
    if payload.chunks is not None:
        decoder = payload.chunks.decoder()
        data = b"".join(decoder.feed(body))
        decoder.finish()
        return data
    if payload.sha256 and sha256(body).hexdigest() != payload.sha256:
        raise (
            other_body()
            if dialect is S3
            else dialect.refusal(Fault.MISMATCH, "The body is not the one whose digest x-amz-content-sha256 was signed")
        )
    return body


def other_body() -> OperationError:
    """Return S3's error for a body that is not the signed one."""
    return InvalidInput(
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        code="XAmzContentSHA256Mismatch",
    )


def _unknown(said: str, dialect: Dialect) -> OperationError:
    if said.startswith("STREAMING-AWS4-ECDSA"):
        return dialect.refusal(Fault.UNSUPPORTED, "Signature Version 4A is not supported; please use AWS4-HMAC-SHA256")
    if dialect is not S3:
        return dialect.refusal(Fault.MALFORMED, f"x-amz-content-sha256 is {said[:80]!r}, which is no SHA-256 digest")
    return InvalidInput(
        f"x-amz-content-sha256 must be {UNSIGNED_PAYLOAD}, {', '.join(STREAMS)} or a valid sha256 value.",
        code="InvalidArgument",
    )
