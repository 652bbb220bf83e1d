"""What each wire protocol costs: a request found, read, checked and made plain; an answer rendered. In process."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any
from urllib.parse import urlencode

import botocore.session
from benchmarks.server.rows import keep, say
from botocore.serialize import create_serializer

from headrace.aws import specification
from headrace.aws.gateway.routing import find
from headrace.aws.protocols import PROTOCOLS, validate
from headrace.server.messages import Request

NOW = datetime(2026, 1, 31, tzinfo=UTC)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:*"}]})
ROLE = {"path": "/", "role_name": "r", "role_id": "AROA", "arn": "arn:aws:iam::123456789012:role/r", "create_date": NOW}
KEYS = [{"key": f"k{i}", "size": i, "e_tag": '"d41d8cd9"', "last_modified": NOW} for i in range(1000)]
EVENTS = [{"timestamp": 1_700_000_000_000 + i, "message": f"line {i} of a log"} for i in range(100)]
POINTS = [{"MetricName": "Latency", "Value": float(i), "Timestamp": NOW, "Unit": "Milliseconds"} for i in range(100)]
ITEMS = [{"item_id": f"item-{i}", "score": 0.5} for i in range(100)]
CASES: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("query", "sts", "GetCallerIdentity", {}, {"account": "1", "user_id": "1", "arn": "arn:aws:iam::1:root"}, ""),
    ("query", "iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}, {"role": ROLE}, ""),
    (
        "json", "logs", "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": EVENTS}, {}, "100 events in",
    ),
    (
        "smithy-rpc-v2-cbor", "cloudwatch", "PutMetricData",
        {"Namespace": "n", "MetricData": POINTS}, {}, "100 values in",
    ),
    (
        "rest-json", "personalize-runtime", "GetRecommendations",
        {"campaignArn": "arn:aws:personalize:us-east-1:123456789012:campaign/c", "userId": "1"},
        {"item_list": ITEMS}, "100 items out",
    ),
    ("rest-xml", "s3", "ListObjectsV2", {"Bucket": "bucket"}, {"name": "bucket", "contents": KEYS}, "1,000 keys out"),
]  # fmt: skip


def request_of(service: str, operation: str, protocol: str, parameters: dict[str, Any]) -> Request:
    """Return what boto3 would send, unsigned but for its scope."""
    model = botocore.session.get_session().get_service_model(service)
    sent = create_serializer(protocol).serialize_to_request(parameters, model.operation_model(operation))
    body = sent["body"]
    if isinstance(body, dict):
        body = urlencode(body)
        sent["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
    query = sent["query_string"]
    path, _, rest = sent["url_path"].partition("?")
    scope = f"AWS4-HMAC-SHA256 Credential=A/20260131/us-east-1/{model.signing_name}/aws4_request"
    headers = {"Host": "127.0.0.1", "Authorization": scope, **sent["headers"]}
    return Request(
        sent["method"],
        path,
        rest or (urlencode(query) if isinstance(query, dict) else query),
        tuple((name.lower(), str(value)) for name, value in headers.items()),
        body.encode() if isinstance(body, str) else body,
    )


def microseconds(action: Callable[[], Any]) -> float:
    """Return the median of what an action takes."""
    begin = time.perf_counter()
    action()
    times = max(3, min(500, int(0.02 / (time.perf_counter() - begin))))
    rounds = []
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(times):
            action()
        rounds.append((time.perf_counter() - begin) / times * 1e6)
    return median(rounds)


def main() -> None:
    """Measure, print, and keep the rows."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    facts = {}
    for protocol, service, name, parameters, answer, what in CASES:
        request = request_of(service, name, protocol, parameters)
        found = find(request)
        assert (found.protocol, found.operation.name) == (protocol, name), found
        operation, wire = found.operation, PROTOCOLS[protocol]
        cased = wire.parse(operation, request, found.labels)

        def read(operation: Any = operation, wire: Any = wire, request: Request = request, found: Any = found) -> None:
            wire.parse(operation, request, found.labels)

        def check(operation: Any = operation, cased: Any = cased) -> None:
            validate(operation, cased)
            specification.to_plain(operation.input, cased)

        def render(operation: Any = operation, wire: Any = wire, answer: Any = answer) -> None:
            wire.render(operation, specification.from_plain(operation.output, answer), "request")

        facts[f"{protocol}: {service} {name}" + (f", {what}" if what else "")] = {
            "find": microseconds(lambda request=request: find(request)),
            "parse": microseconds(read),
            "validate": microseconds(check),
            "render": microseconds(render),
        }
    for case, row in facts.items():
        say(f"{case}: " + ", ".join(f"{step} {value:,.0f} µs" for step, value in row.items()))
    keep("protocols", {"cases": facts, "load": os.getloadavg()[0]})


if __name__ == "__main__":
    main()
