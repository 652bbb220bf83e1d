"""botocore's own protocol cases, input and output, against our parsers and renderers."""

import base64
import datetime
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import botocore.awsrequest
import botocore.model
import botocore.parsers
import botocore.utils
import pytest

from headrace.aws.protocols import PROTOCOLS
from headrace.aws.specification import Operation, Shape, Specification
from headrace.server.errors import OperationError
from headrace.server.messages import Request, Response

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

NO_TRACE = "an empty list, map or structure leaves no trace in the request, so it can't be told from an absent one"
NO_BODY = "the case shows no body, only the header that announces a compressed one"
FILLED_IN = "the client fills in what the parameters lack"
AMBIGUOUS = "clients write {} for an absent payload; on a server an empty object is an empty structure"
CLIENT_MERGE = "the client merges a map into the query; a server can't tell which member a name came from"

INPUT_EXCEPTIONS = {
    "SDKAppliedContentEncoding_awsJson1_0": NO_BODY,
    "SDKAppliedContentEncoding_awsJson1_1": NO_BODY,
    "SDKAppliedContentEncoding_awsQuery": NO_BODY,
    "SDKAppliedContentEncoding_restJson1": NO_BODY,
    "SDKAppliedContentEncoding_restXml": NO_BODY,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": NO_BODY,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": NO_BODY,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": NO_BODY,
    "SDKAppendedGzipAfterProvidedEncoding_restJson1": NO_BODY,
    "SDKAppendedGzipAfterProvidedEncoding_restXml": NO_BODY,
    "QueryProtocolIdempotencyTokenAutoFill": FILLED_IN,
    "RestJsonQueryIdempotencyTokenAutoFill": FILLED_IN,
    "QueryIdempotencyTokenAutoFill": FILLED_IN,
    "QueryEmptyQueryMaps": NO_TRACE,
    "RestJsonHttpPrefixHeadersAreNotPresent": NO_TRACE,
    "HttpPrefixHeadersAreNotPresent": NO_TRACE,
    "RestJsonOmitsEmptyListQueryValues": NO_TRACE,
    "RestJsonHttpWithEmptyStructurePayload": AMBIGUOUS,
    "RestJsonHttpWithHeadersButNoPayload": AMBIGUOUS,
    "RestJsonQueryParamsStringListMap": CLIENT_MERGE,
    "RestXmlQueryParamsStringListMap": CLIENT_MERGE,
    "RestJsonQueryPrecedence": CLIENT_MERGE,
    "RestXmlQueryPrecedence": CLIENT_MERGE,
    "MediaTypeHeaderInputBase64": "botocore leaves it out of its own tests: the header holds JSON, the case its text",
}
FLAT = "botocore leaves it out of its own tests: it reads a flattened list under the name of its elements, and so we write it"
OUTPUT_EXCEPTIONS = {
    "HttpPrefixHeadersResponse": "an empty prefix takes every header, our request's id too",
    "QueryXmlLists": FLAT,
    "XmlLists": FLAT,
}


@dataclass(frozen=True)
class Case:
    name: str
    content: dict[str, Any]
    operation: Operation
    model: dict[str, Any]


def cases(folder: Path, protocol: str) -> Iterator[Case]:
    for path in sorted(folder.glob("*.json")):
        for suite in json.loads(path.read_text("utf-8")):
            if suite["metadata"]["protocol"] != protocol:
                continue
            for content in suite["cases"]:
                name = content["given"].get("name", "OperationName")
                model = {**suite, "operations": {name: {**content["given"], "name": name}}}
                operation = Specification("cases", model).operation(name)
                assert operation is not None
                yield Case(content["id"], content, operation, model)


def request_of(case: Case, protocol: str) -> Request:
    serialized = case.content["serialized"]
    url, body = urlsplit(serialized.get("uri", "/")), serialized.get("body", "")
    content = base64.b64decode(body) if protocol == "smithy-rpc-v2-cbor" else body.encode()
    headers = {"host": serialized.get("host", "example.com"), **serialized.get("headers", {})}
    pairs = tuple((name.lower(), value) for name, value in headers.items())
    return Request(case.content["given"]["http"].get("method", "POST"), url.path, url.query, pairs, content)


def modelled(shape: Shape | None, value: Any) -> Any:
    """Return a case's value as operations know it: bytes, moments, numbers that are none, nothing that is null."""
    if shape is None or value is None or (shape.kind == "structure" and shape.has("document")):
        return value
    if shape.has("eventstream"):
        return [modelled_members(shape, event) for event in value]
    if shape.kind == "structure":
        return modelled_members(shape, value)
    if shape.kind == "list":
        return [modelled(shape.member, each) for each in value]
    if shape.kind == "map":
        return {name: modelled(shape.value, each) for name, each in value.items()}
    if shape.kind == "blob":
        return value.encode() if isinstance(value, str) else value
    if shape.kind in {"float", "double"} and isinstance(value, str):
        return SPECIAL[value]
    if shape.kind == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return value


def modelled_members(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    known = {name: each for name, each in value.items() if name in shape.members and each is not None}
    return {name: modelled(shape.members[name], each) for name, each in known.items()}


def same(left: Any, right: Any) -> bool:
    """Compare values; botocore leaves NaN as text in JSON, and bytes of a payload as text."""
    left = SPECIAL.get(left, left) if isinstance(left, str) and isinstance(right, float) else left
    left = left.encode() if isinstance(left, str) and isinstance(right, bytes) else left
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right and (type(left) is bool) is (type(right) is bool)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_requests_are_read(botocore_sdist, protocol):
    failed, seen = [], set()
    for case in cases(botocore_sdist / "tests/unit/protocols/input", protocol):
        seen.add(case.name)
        request = request_of(case, protocol)
        wanted = modelled(case.operation.input, case.content["params"])
        try:
            found = PROTOCOLS[protocol].parse(case.operation, request)
        except OperationError as error:
            found = {"error": error.message}
        if case.operation.body_member and request.body:
            found[case.operation.body_member] = request.body
        if not same(found, wanted) and case.name not in INPUT_EXCEPTIONS:
            failed.append(f"{case.name}: {found} instead of {wanted}")
    assert seen and not failed, "\n".join(failed)


class Raw:
    """A response's body as botocore reads event streams."""

    def __init__(self, body: bytes):
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


def parsed(case: Case, protocol: str, response: Response, shape: Any) -> Any:
    """Return what botocore's parser of this protocol makes of a response."""
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    headers = botocore.awsrequest.HeadersDict(response.headers)
    streams = shape is not None and shape.event_stream_name
    content = {"status_code": response.status, "headers": headers, "body": Raw(body) if streams else body}
    parser = botocore.parsers.create_parser(protocol)
    try:
        found = parser.parse({**content, "context": {"operation_name": case.operation.name}}, shape)
    except botocore.parsers.ResponseParserError as error:
        return {"error": str(error)}
    if streams:
        found[shape.event_stream_name] = list(found[shape.event_stream_name])
    found.pop("ResponseMetadata", None)
    return found


def rendered(case: Case, protocol: str) -> Response:
    operation, wanted = case.operation, case.content["response"]
    if "error" not in case.content:
        return PROTOCOLS[protocol].render(operation, modelled(operation.output, case.content["result"]), "an-id")
    code = case.content["errorCode"]
    shape = operation.service.error(code)
    error = OperationError(
        case.content.get("errorMessage", ""),
        code=code,
        status=wanted["status_code"],
        details=modelled(shape, case.content["error"]),
    )
    return PROTOCOLS[protocol].render_error(operation.service, error, "an-id")


def literally(response: Response, wanted: dict[str, Any]) -> bool:
    """Compare an answer with a case's where botocore itself can't read the case."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = wanted.get("body", "")
    if body.startswith("<"):
        left, right = (ElementTree.canonicalize(text, strip_text=True) for text in (response.body.decode(), body))
    else:
        left, right = response.body.decode() or "null", body or "null"
        left, right = (json.loads(left), json.loads(right)) if left[:1] in "{[n" else (left, right)
    return (
        response.status == wanted["status_code"]
        and left == right
        and all(
            headers.get(name.lower()) == value
            for name, value in wanted.get("headers", {}).items()
            if name != "Content-Length"
        )
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_answers_are_what_botocore_reads(botocore_sdist, protocol):
    failed, seen = [], set()
    folder = botocore_sdist / "tests/unit/protocols"
    unreadable = (folder / "protocol-tests-ignore-list.json").read_text("utf-8")
    for case in cases(folder / "output", protocol):
        seen.add(case.name)
        if case.name in OUTPUT_EXCEPTIONS:
            continue
        model = botocore.model.ServiceModel(case.model)
        response = rendered(case, protocol)
        wanted = case.content["response"]["status_code"]
        if "error" in case.content:
            shape = case.operation.service.error(case.content["errorCode"])
            wanted = shape.traits.get("error", {}).get("httpStatusCode", wanted)
            found = parsed(case, protocol, response, None)
            code = found["Error"]["Code"]
            found = {"Code": code, **parsed(case, protocol, response, model.shape_for_error_code(code))}
            expected = {"Code": case.content["errorCode"], **modelled(shape, case.content["error"])}
        else:
            output = model.operation_model(case.operation.name).output_shape
            if protocol == "query" and output is not None:
                output.serialization["resultWrapper"] = f"{case.operation.name}Result"
            found = parsed(case, protocol, response, output)
            expected = modelled(case.operation.output, case.content["result"])
        read = response.status == wanted and same(found, expected)
        if not read and not (case.name in unreadable and literally(response, case.content["response"])):
            failed.append(f"{case.name}: {response.status} {found} instead of {wanted} {expected}\n{response}")
    assert seen and not failed, "\n".join(failed)
