"""AWS query: a form in, with the operation as Action; XML out.

Source: Smithy, "AWS query protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.aws.errors import QUERY_CODES, Codes, Fault, fault
from headrace.aws.protocols.contract import content, query_error, reading
from headrace.aws.protocols.forms import form_tree, reader
from headrace.aws.protocols.xml_writing import element, legible, members_writer, namespace
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.messages import Request, Response


def parse(operation: Operation, request: Request, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the parameters, from the form or the query; raises InvalidInput with the code MalformedInput."""
    del labels
    if operation.input is None:
        return {}
    with reading("MalformedInput"):
        parameters: dict[str, Any] = reader(operation.input)(form_tree(request, content(operation, request)))
    return parameters


def render(operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    """Return the answer of an operation."""
    service, shape = operation.service, operation.output
    parts = [f"<{operation.name}Response{_xmlns(service)}>"]
    if shape is not None:
        wrapper = shape.traits.get("resultWrapper", f"{operation.name}Result")
        shape.compiled(_result)(parts, wrapper, result)
    parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation.name}Response>")
    return Response(200, _headers(request_id), "".join(parts).encode())


def render_error(
    service: Specification,
    error: Exception,
    request_id: str,
    *,
    codes: Codes | None = None,
    request: Request | None = None,
) -> Response:
    """Return an error: Type, Code, Message and the members that the model gives it; EC2 has an envelope of its own."""
    del request
    found = fault(error, service, codes or {}, QUERY_CODES)
    shape = found.shape
    said = f"<Code>{legible(_code(found))}</Code><Message>{legible(found.message)}</Message>"
    if "ec2" in service.protocols:
        whole = f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        return Response(found.status, {**_headers(request_id), **found.headers}, whole.encode())
    parts = [f"<ErrorResponse{_xmlns(service)}><Error><Type>{found.side}</Type>{said}"]
    for name, value in found.members.items():
        if shape and name.lower() != "message":
            element(shape.members[name], shape.members[name].wire_name(name))(parts, value)
    parts.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    headers = {**_headers(request_id), **query_error(service, found), **found.headers}
    return Response(found.status, headers, "".join(parts).encode())


def code_of(service: Specification, error: Exception, codes: Codes | None = None) -> str:
    """Return the code that an error answers with."""
    return _code(fault(error, service, codes or {}, QUERY_CODES))


def _code(found: Fault) -> str:
    return str(found.shape.traits.get("error", {}).get("code", found.code)) if found.shape else found.code


def _result(shape: Shape) -> Any:
    content = members_writer(shape, shape.members)
    declared = namespace(shape)

    def write(parts: list[str], wrapper: str, value: dict[str, Any]) -> None:
        parts.append(f"<{wrapper}{declared}>")
        content(parts, value)
        parts.append(f"</{wrapper}>")

    return write


def _xmlns(service: Specification) -> str:
    return f' xmlns="{service.namespace}"' if service.namespace else ""


def _headers(request_id: str) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}
