"""Cross-origin requests: the rules of a bucket, and the headers that browsers get by them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.buckets import configure, find_bucket
from headrace.server.operations.storage.refusals import denied, malformed_xml, no_such_configuration

METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
MOST_RULES = 100

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def put_bucket_cors(
    context: Context,
    *,
    bucket: str,
    cors_configuration: dict[str, Any],
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set which pages of other origins may call."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    rules = cors_configuration.get("cors_rules") or []
    if not 1 <= len(rules) <= MOST_RULES:
        raise malformed_xml()
    for rule in rules:
        if not rule.get("allowed_methods") or not rule.get("allowed_origins"):
            raise malformed_xml()
        for method in rule["allowed_methods"]:
            if method not in METHODS:
                raise InvalidInput(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
                    code="InvalidRequest",
                )
        for member, name in (("allowed_origins", "AllowedOrigin"), ("allowed_headers", "AllowedHeader")):
            for value in rule.get(member) or []:
                if value.count("*") > 1:
                    raise InvalidInput(f'{name} "{value}" can not have more than one wildcard.', code="InvalidRequest")
    configure(context, found, cors=rules)


def get_bucket_cors(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the rules of a bucket."""
    rules = find_bucket(context, bucket, expected_bucket_owner).record.get("cors")
    if not rules:
        raise no_such_configuration("NoSuchCORSConfiguration", "The CORS configuration does not exist", bucket)
    return {"cors_rules": rules}


def delete_bucket_cors(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the rules of a bucket."""
    configure(context, find_bucket(context, bucket, expected_bucket_owner), cors=None)


def answer_preflight(
    context: Context, *, bucket: str, origin: str | None = None, method: str | None = None, headers: str | None = None
) -> dict[str, str]:
    """Return the headers that let a browser make a request; raises BadRequest or AccessForbidden where it may not."""
    if not origin:
        raise InvalidInput("Insufficient information. Origin request header needed.", code="BadRequest")
    if not method:
        raise InvalidInput("Invalid Access-Control-Request-Method: null", code="BadRequest")
    rules = find_bucket(context, bucket).record.get("cors")
    wanted = [each.strip() for each in (headers or "").split(",") if each.strip()]
    allowed = cors_headers(rules, origin, method, wanted)
    if not allowed:
        sentence = (
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
            "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
            "resource's CORS spec."
            if rules
            else "CORSResponse: CORS is not enabled for this bucket."
        )
        error = denied(sentence)
        error.code = "AccessForbidden"
        error.details.update({"Method": method, "ResourceType": "OBJECT"})
        raise error
    return allowed


def headers_for_origin(connection: Connection, bucket_arn: str, origin: str, method: str) -> dict[str, str]:
    """Return the headers that let a page of `origin` read the answer to a request, none where it may not."""
    stored = resources.by_arn(connection, bucket_arn)
    return cors_headers(stored.record.get("cors"), origin, method) if stored is not None else {}


def cors_headers(
    rules: list[Mapping[str, Any]] | None, origin: str, method: str, wanted: list[str] | None = None
) -> dict[str, str]:
    """Return the Access-Control headers of the first rule that fits, none where none does."""
    for rule in rules or []:
        pattern = next((each for each in rule["allowed_origins"] if _fits(origin, each)), None)
        if pattern is None or method not in rule["allowed_methods"]:
            continue
        allowed = [each.lower() for each in rule.get("allowed_headers") or []]
        if not all(any(_fits(name.lower(), each) for each in allowed) for name in wanted or []):
            continue
        answer = {
            "Access-Control-Allow-Origin": "*" if pattern == "*" else origin,
            "Access-Control-Allow-Methods": ", ".join(rule["allowed_methods"]),
            "Vary": VARY,
        }
        if pattern != "*":
            answer["Access-Control-Allow-Credentials"] = "true"
        if wanted:
            answer["Access-Control-Allow-Headers"] = ", ".join(name.lower() for name in wanted)
        if rule.get("expose_headers"):
            answer["Access-Control-Expose-Headers"] = ", ".join(rule["expose_headers"])
        if rule.get("max_age_seconds") is not None:
            answer["Access-Control-Max-Age"] = str(rule["max_age_seconds"])
        return answer
    return {}


def _fits(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]").replace("?", "[?]"))
