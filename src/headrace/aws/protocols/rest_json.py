"""REST with JSON bodies: members in the path, the query, headers and a JSON object.

Source: Smithy, "AWS restJson1 protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.aws.errors import JSON_CODES, Codes, fault
from headrace.aws.protocols.aws_json import write_event
from headrace.aws.protocols.contract import content, error_members, error_type, expect, reading
from headrace.aws.protocols.event_stream import EventFormat, stream_response
from headrace.aws.protocols.http_request import body_members, bound, read_payload
from headrace.aws.protocols.http_response import outline
from headrace.aws.protocols.json_values import JSON, dumps, loads
from headrace.aws.protocols.trees import Function
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.messages import Request, Response

EVENTS = EventFormat("application/json", write_event, opens=False)


def parse(operation: Operation, request: Request, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the parameters; raises InvalidInput with the code SerializationException, or of another content type."""
    if _is_json(operation):
        expect(request, "json", "UnsupportedMediaTypeException", 415)
    with reading("SerializationException"):
        parameters = bound(operation, request, labels)
        if operation.payload:
            parameters.update(read_payload(operation, request, _read))
        elif operation.input is not None and body_members(operation.input) and (body := content(operation, request)):
            parameters.update(operation.input.compiled(_body_reader)(loads(body)))
    return parameters


def render(operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    """Return the answer of an operation."""
    base = {"x-amzn-RequestId": request_id}
    shape = operation.output
    if shape is None:
        return Response(operation.status, base, b"")
    form = outline(shape)
    status, headers, rest = form.split(result, operation.status)
    headers = {**base, **headers}
    if form.payload:
        return _payload(shape, shape.members[form.payload], Response(status, headers), rest)
    if form.body:
        headers.setdefault("Content-Type", "application/json")
        return Response(status, headers, dumps(shape.compiled(_body_writer)(rest)))
    return Response(status, headers, b"")


def render_error(
    service: Specification,
    error: Exception,
    request_id: str,
    *,
    codes: Codes | None = None,
    request: Request | None = None,
) -> Response:
    """Return an error: its name in X-Amzn-ErrorType, its members in headers and in the body."""
    del request
    found = fault(error, service, codes or {}, JSON_CODES)
    headers = {
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error_type(found),
        "Content-Type": "application/json",
    }
    status, bound_headers, rest = found.status, dict[str, str](), dict(found.members)
    if found.shape:
        _, bound_headers, rest = outline(found.shape).split(found.members, found.status)
    body = dumps(error_members(found, _only(rest)))
    return Response(status, {**headers, **bound_headers, **found.headers}, body)


def code_of(service: Specification, error: Exception, codes: Codes | None = None) -> str:
    """Return the code that an error answers with."""
    return error_type(fault(error, service, codes or {}, JSON_CODES))


def _only(rest: dict[str, Any]) -> Any:
    return lambda shape: lambda _: JSON.writer(shape)(rest)


def _payload(shape: Shape, member: Shape, response: Response, rest: dict[str, Any]) -> Response:
    """Return the response with the payload's member as its body."""
    if member.has("eventstream"):
        streamed = stream_response(shape, rest, response.headers, EVENTS)
        return Response(response.status, streamed.headers, streamed.body)
    value = next(iter(rest.values()), None)
    if member.kind in {"blob", "string"}:
        response.headers.setdefault("Content-Type", _raw_type(member))
        response.body = b"" if value is None else value.encode() if isinstance(value, str) else value
        return response
    response.headers.setdefault("Content-Type", "application/json")
    if value is not None:
        response.body = dumps(JSON.writer(member)(value))
    elif not member.has("union"):
        response.body = b"{}"
    return response


def _raw_type(member: Shape) -> str:
    return "application/octet-stream" if member.kind == "blob" else "text/plain"


def _is_json(operation: Operation) -> bool:
    """Tell whether the body of a request is to be JSON, not bytes or text of any type."""
    shape = operation.input
    if shape is None or not operation.payload:
        return shape is not None and bool(body_members(shape))
    return shape.members[operation.payload].kind == "structure" and not operation.body_member


def _read(shape: Shape, body: bytes) -> Any:
    content = loads(body)
    return None if content is None else JSON.reader(shape)(content)


def _body_reader(shape: Shape) -> Function:
    return JSON.structure_reader(shape, body_members(shape))


def _body_writer(shape: Shape) -> Function:
    return JSON.structure_writer(shape, outline(shape).body)
