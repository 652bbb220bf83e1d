"""Object lock: retention and legal hold of versions, a bucket's default, and what they keep from deletion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import Conflict, InvalidInput, NotFound
from headrace.server.operations.storage.buckets import Bucket, configure, find_bucket
from headrace.server.operations.storage.refusals import (
    denied,
    invalid_argument,
    invalid_request,
    malformed_xml,
    no_such_configuration,
)
from headrace.server.operations.storage.versions import Version, describe, locate

_DAY = 86_400_000
_MISSING = "Bucket is missing Object Lock Configuration"


def lock_of_new(context: Context, bucket: Bucket, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the "retention" and "legal_hold" of an object that is being written: the request's, else the default."""
    mode, until = given.get("object_lock_mode"), given.get("object_lock_retain_until_date")
    hold = given.get("object_lock_legal_hold_status")
    configuration = bucket.record.get("object_lock")
    if (mode or until or hold) and not configuration:
        raise invalid_request(_MISSING)
    if bool(mode) != bool(until):
        raise invalid_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            "x-amz-object-lock-mode",
        )
    lock: dict[str, Any] = {}
    if mode and until:
        lock["retention"] = {"mode": mode, "until": _future(context, until)}
    elif configuration and (default := (configuration.get("rule") or {}).get("default_retention")):
        days = default["days"] if default.get("days") else 365 * default["years"]
        lock["retention"] = {"mode": default["mode"], "until": context.now + days * _DAY}
    if hold:
        lock["legal_hold"] = hold
    return lock


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that tell of a version's lock."""
    answer: dict[str, Any] = {}
    if retention := record.get("retention"):
        answer["object_lock_mode"] = retention["mode"]
        answer["object_lock_retain_until_date"] = moment(retention["until"])
    if hold := record.get("legal_hold"):
        answer["object_lock_legal_hold_status"] = hold
    return answer


def check_erasable(context: Context, version: Version, *, bypass: bool) -> None:
    """Raise AccessDenied where a lock keeps a version; `bypass` asks to overrule governance mode."""
    retention = version.record.get("retention")
    if version.record.get("legal_hold") == "ON":
        raise denied("Access Denied because object protected by object lock.")
    if retention and retention["until"] > context.now and (retention["mode"] == "COMPLIANCE" or not bypass):
        raise denied("Access Denied because object protected by object lock.")


def put_object_lock_configuration(
    context: Context,
    *,
    bucket: str,
    object_lock_configuration: dict[str, Any] | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Turn object lock on, which is for good, and set the default retention."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    configuration = object_lock_configuration or {}
    if found.versioning != "Enabled":
        raise Conflict(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", code="InvalidBucketState"
        )
    if configuration.get("object_lock_enabled") != "Enabled":
        raise malformed_xml()
    rule = configuration.get("rule")
    if rule is not None:
        default = rule.get("default_retention") or {}
        days, years = default.get("days"), default.get("years")
        if not default.get("mode") or (days is None) == (years is None):
            raise malformed_xml()
        if (days or years or 0) <= 0:
            raise invalid_argument("Default retention period must be a positive integer value")
        if (days or 0) > 36_500 or (years or 0) > 100:
            raise invalid_argument("Default retention period too large")
    configure(context, found, object_lock=configuration)


def get_object_lock_configuration(
    context: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Return the object lock configuration of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    configuration = found.record.get("object_lock")
    if not configuration:
        raise no_such_configuration(
            "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", bucket
        )
    return {"object_lock_configuration": configuration}


def put_object_retention(
    context: Context,
    *,
    bucket: str,
    key: str,
    retention: dict[str, Any] | None = None,
    version_id: str | None = None,
    bypass_governance_retention: bool | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Set how long a version is kept; only governance mode is shortened, with s3:BypassGovernanceRetention."""
    version = _locked(context, bucket, key, version_id, expected_bucket_owner)
    mode, until = (retention or {}).get("mode"), (retention or {}).get("retain_until_date")
    if bool(mode) != bool(until):
        raise malformed_xml()
    new = {"mode": mode, "until": _future(context, until)} if mode and until else None
    old = version.record.get("retention")
    if old and old["until"] > context.now:
        weaker = (
            new is None or new["until"] < old["until"] or (old["mode"], new["mode"]) == ("COMPLIANCE", "GOVERNANCE")
        )
        changed = weaker or new is None or new["mode"] != old["mode"]
        if (old["mode"] == "COMPLIANCE" and weaker) or (
            old["mode"] == "GOVERNANCE" and changed and not bypass_governance_retention
        ):
            raise denied("Access Denied because object protected by object lock.")
    record = {name: value for name, value in version.record.items() if name != "retention"}
    describe(context, version, record | {"retention": new} if new else record)


def get_object_retention(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return how long a version is kept."""
    version = _locked(context, bucket, key, version_id, expected_bucket_owner)
    retention = version.record.get("retention")
    if not retention:
        raise _without_lock(bucket)
    return {"retention": {"mode": retention["mode"], "retain_until_date": moment(retention["until"])}}


def put_object_legal_hold(
    context: Context,
    *,
    bucket: str,
    key: str,
    legal_hold: dict[str, Any] | None = None,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Put a legal hold on a version, or lift it."""
    version = _locked(context, bucket, key, version_id, expected_bucket_owner)
    status = (legal_hold or {}).get("status")
    if not status:
        raise malformed_xml()
    describe(context, version, version.record | {"legal_hold": status})


def get_object_legal_hold(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return the legal hold of a version."""
    version = _locked(context, bucket, key, version_id, expected_bucket_owner)
    hold = version.record.get("legal_hold")
    if not hold:
        raise _without_lock(bucket)
    return {"legal_hold": {"status": hold}}


def _locked(
    context: Context, bucket: str, key: str, version_id: str | None, expected_bucket_owner: str | None
) -> Version:
    found = find_bucket(context, bucket, expected_bucket_owner)
    if not found.record.get("object_lock"):
        raise InvalidInput(_MISSING, code="InvalidRequest")
    return locate(context, found, key, version_id)


def _without_lock(bucket: str) -> NotFound:
    sentence = "The specified object does not have a ObjectLock configuration"
    return no_such_configuration("NoSuchObjectLockConfiguration", sentence, bucket)


def _future(context: Context, until: datetime) -> int:
    if stamp(until) <= context.now:
        raise invalid_argument("The retain until date must be in the future!", "x-amz-object-lock-retain-until-date")
    return stamp(until)
