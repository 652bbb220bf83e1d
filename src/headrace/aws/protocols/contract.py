"""What every wire protocol does, and what they share in doing it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from headrace.aws.errors import Codes, Fault
from headrace.aws.protocols.scalars import UnreadableError
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request, Response

LARGEST_UNPACKED = 64 << 20
"""Bytes that a compressed body may have when it is unpacked."""


class WireProtocol(Protocol):
    """One wire protocol, both directions on the server's side: each module of this folder that is named after one."""

    def parse(self, operation: Operation, request: Request, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the parameters in the model's casing, without a streaming body; raises InvalidInput.

        `labels` are the decoded parts of the path that routing found; without them they are found in the path itself.
        """

    def render(self, operation: Operation, result: dict[str, Any], request_id: str) -> Response:
        """Return the answer; `result` is in the model's casing, a streaming member bytes or an iterator of bytes."""

    def render_error(
        self,
        service: Specification,
        error: Exception,
        request_id: str,
        *,
        codes: Codes | None = None,
        request: Request | None = None,
    ) -> Response:
        """Return the error in the service's words; `codes` are the service's own codes of kinds of error."""

    def code_of(self, service: Specification, error: Exception, codes: Codes | None = None) -> str:
        """Return the code that an error answers with."""


@contextmanager
def reading(code: str, message: str = "") -> Iterator[None]:
    """Turn a value that can't be read into the protocol's own error, in AWS's words or those of what failed."""
    try:
        yield
    except UnreadableError as error:
        raise InvalidInput(message or str(error), code=code) from None
    except RecursionError:
        raise InvalidInput(message or "The request nests too deep", code=code) from None


def expect(request: Request, fragment: str, code: str, status: int) -> None:
    """Raise InvalidInput when a body comes with a content type without `fragment`; none at all is fine."""
    found = request.header.get("content-type", "")
    if found and request.body and fragment not in found.lower():
        raise InvalidInput(f"The content type '{found[:80]}' is not one of {fragment}", code=code, status=status)


def content(operation: Operation, request: Request) -> bytes:
    """Return the body of a request, unpacked where the operation takes compressed ones; raises UnreadableError."""
    body = request.body or b""
    packed = request.header.get("content-encoding", "").endswith("gzip")
    if not packed or "requestcompression" not in operation.traits:
        return body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(body, LARGEST_UNPACKED + 1)
    except zlib.error:
        raise UnreadableError("The body is not valid gzip") from None
    if len(unpacked) > LARGEST_UNPACKED or not unpacking.eof:
        raise UnreadableError("The gzip of the body is cut off or unpacks to too much")
    return unpacked


def host_labels(operation: Operation, request: Request) -> dict[str, str]:
    """Return the members that the host's name begins with ("{AccountId}."), where it does."""
    parts = operation.host_prefix.split(".")
    labels = request.header.get("host", "").split(".")
    return {part[1:-1]: label for part, label in zip(parts, labels, strict=False) if part.startswith("{")}


def error_members(fault: Fault, writer: Callable[[Shape], Callable[[Any], Any]]) -> dict[str, Any]:
    """Return an error's members and its message, under the names that the model or else AWS's habit gives them."""
    written: dict[str, Any] = writer(fault.shape)(fault.members) if fault.shape and fault.members else {}
    names = fault.shape.members if fault.shape else {}
    name = next((each for each in names if each.lower() == "message"), "message")
    if fault.message:
        written.setdefault(names[name].wire_name(name) if name in names else name, fault.message)
    return written


def error_type(fault: Fault) -> str:
    """Return the name of an error's shape, or its code where the model has none."""
    return fault.shape.name if fault.shape else fault.code


def query_error(service: Specification, fault: Fault) -> dict[str, str]:
    """Return the header that tells the code of a service's former query protocol, where it had one."""
    if not service.query_compatible:
        return {}
    code = fault.shape.traits.get("error", {}).get("code", fault.shape.name) if fault.shape else fault.code
    return {"x-amzn-query-error": f"{code};{fault.side}"}
