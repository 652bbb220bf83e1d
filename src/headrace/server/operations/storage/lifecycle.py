"""Lifecycle configurations: their rules, checked and stored, and what they say of an object."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.buckets import Bucket, configure, find_bucket
from headrace.server.operations.storage.refusals import invalid_argument, malformed_xml, no_such_configuration
from headrace.server.operations.storage.versions import Version

DAY = 86_400_000
MOST_RULES = 1000

_ACTIONS = (
    "expiration",
    "transitions",
    "noncurrent_version_expiration",
    "noncurrent_version_transitions",
    "abort_incomplete_multipart_upload",
)


def put_bucket_lifecycle_configuration(
    context: Context,
    *,
    bucket: str,
    lifecycle_configuration: dict[str, Any] | None = None,
    transition_default_minimum_object_size: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Set when objects of a bucket expire."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    rules = (lifecycle_configuration or {}).get("rules") or []
    if not 1 <= len(rules) <= MOST_RULES:
        raise malformed_xml()
    names: set[str] = set()
    for rule in rules:
        _check(rule)
        rule.setdefault("id", secrets.token_hex(12))
        if rule["id"] in names:
            raise invalid_argument(f"Rule ID must be unique. Found same ID for more than one rule: {rule['id']}")
        names.add(rule["id"])
    size = transition_default_minimum_object_size or "all_storage_classes_128K"
    configure(context, found, lifecycle=_stored(rules), lifecycle_size=size)
    return {"transition_default_minimum_object_size": size}


def get_bucket_lifecycle_configuration(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return the rules of a bucket."""
    record = find_bucket(context, bucket, expected_bucket_owner).record
    if not record.get("lifecycle"):
        raise no_such_configuration(
            "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", bucket
        )
    return {
        "rules": _shown(record["lifecycle"]),
        "transition_default_minimum_object_size": record["lifecycle_size"],
    }


def delete_bucket_lifecycle(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the rules of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    configure(context, found, lifecycle=None, lifecycle_size=None)


def applies(rule: Mapping[str, Any], key: str, size: int, tags: Mapping[str, str]) -> bool:
    """Tell whether an enabled rule's filter fits an object."""
    if rule["status"] != "Enabled":
        return False
    chosen = rule.get("filter") or {}
    chosen = chosen.get("and") or chosen
    wanted = [*chosen.get("tags", []), *([chosen["tag"]] if chosen.get("tag") else [])]
    return (
        key.startswith(chosen.get("prefix") or rule.get("prefix") or "")
        and all(tags.get(each["key"]) == each["value"] for each in wanted)
        and size > chosen.get("object_size_greater_than", -1)
        and ("object_size_less_than" not in chosen or size < chosen["object_size_less_than"])
    )


def due(modified: int, days: int) -> int:
    """Return when something of `modified` is `days` old: AWS counts from the midnight after."""
    return (modified + days * DAY) // DAY * DAY + DAY


def expires_at(rule: Mapping[str, Any], version: Version) -> int | None:
    """Return when a rule expires a current version, None where it never does."""
    expiration = rule.get("expiration") or {}
    if expiration.get("days"):
        return due(version.modified, expiration["days"])
    return expiration["date"]["ms"] if expiration.get("date") else None


def expiration_header(bucket: Bucket, version: Version) -> str | None:
    """Return the x-amz-expiration of a current version: its earliest expiry and the rule behind it."""
    rules = bucket.record.get("lifecycle")
    if not rules:
        return None
    tags = version.record.get("tags", {})
    found = [
        (when, rule["id"])
        for rule in rules
        if applies(rule, version.key, version.size, tags) and (when := expires_at(rule, version)) is not None
    ]
    if not found:
        return None
    when, name = min(found)
    date = moment(when).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return f'expiry-date="{date}", rule-id="{quote(name, safe=" ")}"'


def _check(rule: dict[str, Any]) -> None:
    if len(rule.get("id") or "") > 255:
        raise invalid_argument("ID length should not exceed allowed limit of 255")
    if rule.get("status") not in ("Enabled", "Disabled") or not any(rule.get(name) for name in _ACTIONS):
        raise malformed_xml()
    if "prefix" in rule and "filter" in rule:
        raise malformed_xml()
    chosen = rule.get("filter") or {}
    if len(chosen) > 1:
        raise malformed_xml()
    expiration = rule.get("expiration") or {}
    if len([each for each in expiration.values() if each is not None]) > 1:
        raise malformed_xml()
    _check_positive(expiration.get("days"), "'Days' for Expiration action must be a positive integer")
    noncurrent = rule.get("noncurrent_version_expiration") or {}
    _check_positive(
        noncurrent.get("noncurrent_days"),
        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
    )
    abort = rule.get("abort_incomplete_multipart_upload") or {}
    _check_positive(
        abort.get("days_after_initiation"),
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
    )
    tagged = chosen.get("tag") or (chosen.get("and") or {}).get("tags")
    if tagged and (abort or expiration.get("expired_object_delete_marker")):
        raise InvalidInput(
            "AbortIncompleteMultipartUpload and ExpiredObjectDeleteMarker cannot be specified with Tags.",
            code="InvalidRequest",
        )
    for date in (expiration.get("date"), *(each.get("date") for each in rule.get("transitions") or [])):
        if date is not None and stamp(date) % DAY:
            raise invalid_argument("'Date' must be at midnight GMT")


def _check_positive(days: int | None, sentence: str) -> None:
    if days is not None and days <= 0:
        raise invalid_argument(sentence)


def _stored(value: Any) -> Any:
    """Return a document with its times as {"ms": …}, which JSON can hold."""
    if isinstance(value, datetime):
        return {"ms": stamp(value)}
    if isinstance(value, dict):
        return {name: _stored(each) for name, each in value.items()}
    return [_stored(each) for each in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return moment(value["ms"]) if value.keys() == {"ms"} else {name: _shown(each) for name, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value
