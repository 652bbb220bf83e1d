"""Smithy RPC v2 CBOR: the operation in the path, parameters and answer as one CBOR map.

Source: Smithy, "Smithy RPC v2 CBOR protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.aws.errors import JSON_CODES, Codes, fault
from headrace.aws.protocols.cbor_values import CBOR, dumps, loads
from headrace.aws.protocols.contract import content, error_members, error_type, expect, query_error, reading
from headrace.aws.protocols.event_stream import EventFormat, stream_response
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.messages import Request, Response


def parse(operation: Operation, request: Request, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the parameters; raises InvalidInput with the code SerializationException, or of another content type."""
    del labels
    expect(request, "cbor", "UnsupportedMediaTypeException", 415)
    with reading("SerializationException"):
        body = content(operation, request)
        value = loads(body) if body else {}
        parameters: dict[str, Any] = CBOR.reader(operation.input)(value) if operation.input else {}
    return parameters


def render(operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    """Return the answer of an operation."""
    headers = _headers(request_id)
    if operation.output is None:
        del headers["Content-Type"]
        return Response(200, headers, b"")
    if operation.output.event_member:
        return stream_response(operation.output, result, headers, EVENTS)
    return Response(200, headers, dumps(CBOR.writer(operation.output)(result)))


def render_error(
    service: Specification,
    error: Exception,
    request_id: str,
    *,
    codes: Codes | None = None,
    request: Request | None = None,
) -> Response:
    """Return an error: its name as `__type`, the code of the former query protocol in a header where there was one."""
    del request
    found = fault(error, service, codes or {}, JSON_CODES, plain_status=True)
    headers = {**_headers(request_id), **query_error(service, found), **found.headers}
    body = {"__type": error_type(found), **error_members(found, CBOR.writer)}
    return Response(found.status, headers, dumps(body))


def code_of(service: Specification, error: Exception, codes: Codes | None = None) -> str:
    """Return the code that an error answers with."""
    return error_type(fault(error, service, codes or {}, JSON_CODES))


def write_event(shape: Shape, members: dict[str, Shape], value: Any) -> bytes:
    """Return an event's structure as CBOR."""
    return dumps(CBOR.structure_writer(shape, members)(value))


EVENTS = EventFormat("application/cbor", write_event, opens=True)


def _headers(request_id: str) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id, "smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
