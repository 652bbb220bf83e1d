"""Deleting objects: one or many, by delete marker or for good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import OperationError
from headrace.server.operations.storage import access_logs
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.conditions import check_deletion
from headrace.server.operations.storage.descriptions import owner_of_new
from headrace.server.operations.storage.names import key_bytes, object_arn
from headrace.server.operations.storage.object_lock import check_erasable
from headrace.server.operations.storage.refusals import malformed_xml
from headrace.server.operations.storage.versions import NULL, add, current, erase, lock_key, named

MOST_KEYS = 1000


def delete_object(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    bypass_governance_retention: bool | None = None,
    if_match: str | None = None,
    if_match_last_modified_time: datetime | None = None,
    if_match_size: int | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Delete an object or one version of it; what is absent is no error (S3 API reference, DeleteObject)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    answer = remove(
        context,
        found,
        key,
        version_id,
        bypass=bool(bypass_governance_retention),
        if_match=if_match,
        modified=if_match_last_modified_time,
        size=if_match_size,
    )
    access_logs.note(context, found, "REST.DELETE.OBJECT", key, version=answer.get("version_id", ""))
    return answer


def delete_objects(
    context: Context,
    *,
    bucket: str,
    delete: dict[str, Any],
    bypass_governance_retention: bool | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Delete up to 1,000 objects or versions, each with its own answer."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    wanted = delete.get("objects") or []
    if not 1 <= len(wanted) <= MOST_KEYS:
        raise malformed_xml()
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for each in wanted:
        key, version_id = each["key"], each.get("version_id")
        shown = {"key": key} | ({"version_id": version_id} if version_id else {})
        try:
            arn = object_arn(context.place.partition, bucket, key)
            context.authorise("s3:DeleteObjectVersion" if version_id else "s3:DeleteObject", arn)
            if bypass_governance_retention:
                context.authorise("s3:BypassGovernanceRetention", arn)
            with context.connection.begin_nested():
                answer = remove(
                    context,
                    found,
                    key,
                    version_id,
                    bypass=bool(bypass_governance_retention),
                    if_match=each.get("e_tag"),
                    modified=each.get("last_modified_time"),
                    size=each.get("size"),
                )
        except OperationError as error:
            denied = error.status == 403
            errors.append(
                shown
                | {
                    "code": error.code or ("AccessDenied" if denied else "InvalidArgument"),
                    "message": "Access Denied" if denied and not error.code else error.message,
                }
            )
            continue
        if answer.get("delete_marker"):
            shown |= {"delete_marker": True, "delete_marker_version_id": answer["version_id"]}
        deleted.append(shown)
        access_logs.note(context, found, "BATCH.DELETE.OBJECT", key, version=version_id or "")
    if delete.get("quiet"):
        deleted = []
    return {name: value for name, value in (("deleted", deleted), ("errors", errors)) if value}


def remove(
    context: Context,
    bucket: Bucket,
    key: str,
    version_id: str | None = None,
    *,
    bypass: bool = False,
    if_match: str | None = None,
    modified: datetime | None = None,
    size: int | None = None,
) -> dict[str, Any]:
    """Delete the object or one of its versions, and return DeleteObject's answer."""
    key_bytes(key)
    connection = context.connection
    lock_key(context, bucket, key)
    conditions: dict[str, Any] = {"if_match": if_match, "modified": modified, "size": size}
    if version_id:
        version = named(connection, bucket.name, key, version_id)
        if any(value is not None for value in conditions.values()):
            check_deletion(version, key, **conditions)
        if version is None:
            return {"version_id": version_id}
        check_erasable(context, version, bypass=bypass)
        erase(context, bucket, version)
        return {"version_id": version_id} | ({"delete_marker": True} if version.marker else {})
    if any(value is not None for value in conditions.values()):
        check_deletion(current(connection, bucket.name, key), key, **conditions)
    if not bucket.versioning:
        version = current(connection, bucket.name, key)
        if version is not None:
            erase(context, bucket, version)
        return {}
    if bucket.versioning == "Suspended":
        null = named(connection, bucket.name, key, NULL)
        if null is not None:
            check_erasable(context, null, bypass=bypass)
    marker = add(context, bucket, key, owner=owner_of_new(context, bucket), record={}, marker=True)
    return {"delete_marker": True, "version_id": marker.version}
