"""REST with XML bodies: members in the path, the query, headers and an XML document.

Source: Smithy, "AWS restXml protocol".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.aws.errors import XML_CODES, Codes, Fault, fault
from headrace.aws.protocols import s3_answers, xml_reading
from headrace.aws.protocols.contract import reading
from headrace.aws.protocols.event_stream import EventFormat, stream_response
from headrace.aws.protocols.http_request import body_members, bound, read_payload
from headrace.aws.protocols.http_response import outline
from headrace.aws.protocols.scalars import UnreadableError
from headrace.aws.protocols.xml_writing import DECLARATION, attributes, element, legible, members_writer, namespace
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.messages import Request, Response

_NOT_VALID = "The XML you provided was not well-formed or did not validate against our published schema"
_TYPE = {"Content-Type": "application/xml"}


def parse(operation: Operation, request: Request, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the parameters; raises InvalidInput with MalformedXML for the body and InvalidArgument for all else."""
    with reading("InvalidArgument"):
        parameters = bound(operation, request, labels)
    with reading("MalformedXML", _NOT_VALID):
        if operation.payload:
            parameters.update(read_payload(operation, request, _read))
        elif request.body and operation.input is not None and body_members(operation.input):
            read = operation.input.compiled(_body_reader)
            parameters.update(read(_root(request.body, operation.input)))
    return parameters


def render(operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    """Return the answer of an operation."""
    base = _identity(operation.service, request_id)
    shape = operation.output
    if shape is None:
        return Response(operation.status, base, b"")
    form = outline(shape)
    status, headers, rest = form.split(result, operation.status)
    headers = {**base, **headers}
    if operation.service.name == "s3" and operation.name in s3_answers.WHOLE:
        return Response(status, {**headers, **_TYPE}, s3_answers.WHOLE[operation.name](rest))
    if form.payload:
        return _payload(shape, shape.members[form.payload], Response(status, headers), rest)
    if form.body:
        headers.setdefault("Content-Type", "application/xml")
        return Response(status, headers, _document(shape, s3_answers.root(operation), rest))
    return Response(status, headers, b"")


def render_error(
    service: Specification,
    error: Exception,
    request_id: str,
    *,
    codes: Codes | None = None,
    request: Request | None = None,
) -> Response:
    """Return an error; in S3's form for S3, and without a body where HTTP allows none."""
    found = fault(error, service, codes or {}, XML_CODES)
    headers = _identity(service, request_id)
    bound_headers, rest = dict[str, str](), dict(found.members)
    if found.shape:
        _, bound_headers, rest = outline(found.shape).split(found.members, found.status)
    headers = {**headers, **bound_headers, **found.headers}
    if found.status == 304 or (request is not None and request.method == "HEAD"):
        return Response(found.status, headers, b"")
    if service.name == "s3":
        body = s3_answers.error(found, request.path if request else "", request_id)
    else:
        body = _error(service, found, rest, request_id)
    return Response(found.status, {**headers, **_TYPE}, body.encode())


def code_of(service: Specification, error: Exception, codes: Codes | None = None) -> str:
    """Return the code that an error answers with."""
    return fault(error, service, codes or {}, XML_CODES).code


def write_event(shape: Shape, members: dict[str, Shape], value: Any) -> bytes:
    """Return an event's structure as XML."""
    parts = [f"<{shape.name}>"]
    members_writer(shape, members)(parts, value)
    parts.append(f"</{shape.name}>")
    return "".join(parts).encode()


EVENTS = EventFormat("text/xml", write_event, opens=False)


def _error(service: Specification, found: Fault, rest: dict[str, Any], request_id: str) -> str:
    declared = f' xmlns="{service.namespace}"' if service.namespace else ""
    parts = [
        f"{DECLARATION}<ErrorResponse{declared}><Error><Type>{found.side}</Type><Code>{legible(found.code)}</Code>",
        f"<Message>{legible(found.message)}</Message>",
    ]
    for name, value in rest.items():
        if found.shape and name.lower() != "message":
            member = found.shape.members[name]
            element(member, member.wire_name(name))(parts, value)
    parts.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    return "".join(parts)


def _payload(shape: Shape, member: Shape, response: Response, rest: dict[str, Any]) -> Response:
    """Return the response with the payload's member as its body."""
    if member.has("eventstream"):
        streamed = stream_response(shape, rest, response.headers, EVENTS)
        return Response(response.status, streamed.headers, streamed.body)
    value = next(iter(rest.values()), None)
    if member.kind in {"blob", "string"}:
        kind = "application/octet-stream" if member.kind == "blob" else "text/plain"
        response.headers.setdefault("Content-Type", kind)
        response.body = b"" if value is None else value.encode() if isinstance(value, str) else value
    elif value is not None:
        response.headers.setdefault("Content-Type", "application/xml")
        parts = [DECLARATION]
        element(member, member.root_name(member.name))(parts, value)
        response.body = "".join(parts).encode()
    return response


def _document(shape: Shape, tag: str, value: dict[str, Any]) -> bytes:
    declared = namespace(shape) or (f' xmlns="{s3_answers.NAMESPACE}"' if shape.service == "s3" else "")
    parts = [f"{DECLARATION}<{tag}{declared}{attributes(shape, value)}>"]
    shape.compiled(_body_writer)(parts, value)
    parts.append(f"</{tag}>")
    return "".join(parts).encode()


def _read(shape: Shape, body: bytes) -> Any:
    return xml_reading.reader(shape)(_root(body, shape))


def _root(body: bytes, shape: Shape) -> Any:
    root = xml_reading.loads(body)
    wanted = shape.traits.get("locationName")
    if wanted and shape.service in xml_reading.STRICT and xml_reading.local_name(root.tag) != wanted:
        raise UnreadableError(f"The root element is not {wanted}")
    return root


def _body_reader(shape: Shape) -> xml_reading.Reader:
    return xml_reading.structure_reader(shape, body_members(shape))


def _body_writer(shape: Shape) -> Callable[[list[str], Any], None]:
    return members_writer(shape, outline(shape).body)


def _identity(service: Specification, request_id: str) -> dict[str, str]:
    if service.name in {"s3", "s3control"}:
        return {"x-amz-request-id": request_id, "x-amz-id-2": s3_answers.host_id(request_id)}
    return {"x-amzn-RequestId": request_id}
