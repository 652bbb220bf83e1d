"""Reading and setting the access lists of buckets and objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.operations.storage import access_lists
from headrace.server.operations.storage.buckets import Bucket, configure, find_bucket
from headrace.server.operations.storage.descriptions import access_lists_off, refuse_public
from headrace.server.operations.storage.refusals import malformed_xml
from headrace.server.operations.storage.versions import describe, locate


def get_bucket_acl(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the access list of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    return access_lists.shown(found.account, None if found.enforced else found.record.get("grants"))


def put_bucket_acl(
    context: Context,
    *,
    bucket: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> None:
    """Replace the access list of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    grants = _given(found, found.account, acl, access_control_policy, given)
    if not found.enforced:
        configure(context, found, grants=grants)


def get_object_acl(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return the access list of an object."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id)
    return access_lists.shown(version.owner, None if found.enforced else version.record.get("grants"))


def put_object_acl(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> None:
    """Replace the access list of an object."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id, method="PUT")
    grants = _given(found, version.owner, acl, access_control_policy, given)
    if not found.enforced:
        describe(context, version, version.record | {"grants": grants})


def _given(
    bucket: Bucket, account: str, acl: str | None, policy: dict[str, Any] | None, given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    if acl is None and policy is None and not any(given.get(name) for name in access_lists.GRANT_HEADERS):
        raise malformed_xml()
    grants = access_lists.grants_of(account, acl=acl, headers=given, policy=policy, bucket_account=bucket.account)
    if bucket.enforced and (
        acl not in (None, "bucket-owner-full-control") or not access_lists.gives_nothing_away(account, grants)
    ):
        raise access_lists_off()
    refuse_public(bucket, grants)
    return grants
