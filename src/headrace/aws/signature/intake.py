"""Takes a streaming body in: decodes it, and compares it with what was signed and claimed of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from headrace.aws.signature.checksums import claimed
from headrace.aws.signature.payload import Payload, other_body
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request
from headrace.server.stores.objects import Staged


class BodyIntake:
    """The intake of one request's body; the object store computes `digests` while it writes what `feed` returns.

    Raises InvalidInput at once when what the request's head claims can't be.
    """

    def __init__(self, request: Request, payload: Payload, further: tuple[str, ...] = ()) -> None:
        self._claim = claimed(request)
        self._payload = payload
        self._decoder = payload.chunks.decoder() if payload.chunks else None
        signed = ("sha256",) if payload.sha256 else ()
        self.digests = tuple(dict.fromkeys(("md5", *self._claim.needed, *signed, *further)))
        announced = payload.chunks.trailers if payload.chunks else ()
        if self._claim.algorithm and self._claim.value is None and not announced:
            raise InvalidInput(
                "The x-amz-trailer header needs a body in aws-chunked encoding with trailing headers",
                code="InvalidRequest",
            )

    def feed(self, block: bytes) -> Iterable[bytes]:
        """Return the data inside a block of the body; raises InvalidInput or Unauthenticated."""
        return (block,) if self._decoder is None else self._decoder.feed(block)

    def finish(self, staged: Staged) -> Staged:
        """Return the staged body with the checksum that was claimed; raises InvalidInput when a digest differs."""
        trailers = {}
        if self._decoder is not None:
            self._decoder.finish()
            trailers = self._decoder.trailers
        if self._payload.sha256 and staged.digests["sha256"].hex() != self._payload.sha256:
            raise other_body()
        return replace(staged, checksum=self._claim.check(staged.digests, trailers))
