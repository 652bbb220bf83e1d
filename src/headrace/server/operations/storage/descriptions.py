"""What an object has beside its bytes: content headers, user metadata, tags, lock, encryption and its access list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage import access_lists, customer_keys, object_lock
from headrace.server.operations.storage.buckets import Bucket
from headrace.server.operations.storage.encryption import encryption_of
from headrace.server.operations.storage.refusals import denied, invalid_argument
from headrace.server.operations.storage.tags import tags_of_header
from headrace.server.operations.storage.versions import Version

HEADERS = (
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "expires",
    "website_redirect_location",
)
"""The headers that are stored with an object and answered as they were."""

MOST_METADATA = 2048
"""Bytes of all names and values of user metadata together."""

STORAGE_CLASSES = frozenset(
    (
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    )
)


def owner_of_new(context: Context, bucket: Bucket, acl: str | None = None) -> str:
    """Return the account that will own what the caller writes into a bucket ("Controlling ownership of objects")."""
    given_away = bucket.ownership == "BucketOwnerPreferred" and acl == "bucket-owner-full-control"
    return bucket.account if bucket.enforced or given_away else context.caller.account or bucket.account


def describe_new(context: Context, bucket: Bucket, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an object that is being written, from the members of the request."""
    record = described(given)
    record["encryption"] = encryption_of(context, bucket, given)
    if given.get("tagging"):
        record["tags"] = tags_of_header(given["tagging"])
    grants = grants_of_new(context, bucket, given)
    if grants is not None:
        record["grants"] = grants
    record |= object_lock.lock_of_new(context, bucket, given)
    return {name: value for name, value in record.items() if value not in (None, {}, [])}


def described(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers and user metadata of a request as they are stored; raises MetadataTooLarge."""
    metadata: Mapping[str, str] = given.get("metadata") or {}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > MOST_METADATA:
        raise InvalidInput(
            "Your metadata headers exceed the maximum allowed metadata size",
            code="MetadataTooLarge",
            details={"Size": size, "MaxSizeAllowed": MOST_METADATA},
        )
    redirect = given.get("website_redirect_location")
    if redirect and not redirect.startswith(("/", "http://", "https://")):
        raise invalid_argument(
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
            "x-amz-website-redirect-location",
            redirect,
        )
    headers = {name: given[name] for name in HEADERS if given.get(name) not in (None, "")}
    if isinstance(headers.get("expires"), datetime):
        headers["expires"] = stamp(headers["expires"])
    if "content_encoding" in headers:
        headers["content_encoding"] = _without_chunked(headers["content_encoding"])
    return {
        "headers": {name: value for name, value in headers.items() if value != ""},
        "metadata": {name.lower(): value for name, value in metadata.items()},
    }


def storage_class_of(given: Mapping[str, Any]) -> str:
    """Return the storage class that a request asks for; raises InvalidStorageClass."""
    name = str(given.get("storage_class") or "STANDARD")
    if name not in STORAGE_CLASSES:
        raise InvalidInput(
            "The storage class you specified is not valid",
            code="InvalidStorageClass",
            details={"StorageClassRequested": name},
        )
    return name


def grants_of_new(context: Context, bucket: Bucket, given: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the access list that a request gives to the object it writes, None where it gives none."""
    headers = {name: given.get(name) for name in access_lists.GRANT_HEADERS}
    acl = given.get("acl")
    if acl is None and not any(headers.values()):
        return None
    account = owner_of_new(context, bucket, acl)
    grants = access_lists.grants_of(account, acl=acl, headers=headers, bucket_account=bucket.account)
    if bucket.enforced:
        if acl not in (None, "bucket-owner-full-control") or not access_lists.gives_nothing_away(
            bucket.account, grants
        ):
            raise access_lists_off()
        return None
    refuse_public(bucket, grants)
    return grants


def access_lists_off() -> InvalidInput:
    """Return the error for access lists in a bucket whose owner owns every object."""
    return InvalidInput("The bucket does not allow ACLs", code="AccessControlListNotSupported")


def refuse_public(bucket: Bucket, grants: list[dict[str, Any]]) -> None:
    """Raise AccessDenied for a public access list in a bucket that blocks them."""
    if access_lists.is_public(grants) and (bucket.record.get("public_access_block") or {}).get("block_public_acls"):
        raise denied()


def headers_of(version: Version, *, versioned: bool) -> dict[str, Any]:
    """Return what GetObject and HeadObject tell of a version beside its bytes."""
    record = version.record
    answer: dict[str, Any] = {
        "accept_ranges": "bytes",
        "last_modified": moment(version.modified),
        "e_tag": f'"{version.etag}"',
        "content_type": "binary/octet-stream",
        "metadata": record.get("metadata", {}),
        **record.get("headers", {}),
        **customer_keys.shown(record),
        **record.get("encryption", {}),
        **object_lock.shown(record),
    }
    if isinstance(answer.get("expires"), int):
        answer["expires"] = moment(answer["expires"])
    if versioned:
        answer["version_id"] = version.version
    if version.storage_class != "STANDARD":
        answer["storage_class"] = version.storage_class
    if record.get("tags"):
        answer["tag_count"] = len(record["tags"])
    return answer


def _without_chunked(encoding: str) -> str:
    return ", ".join(part.strip() for part in encoding.split(",") if part.strip() not in ("aws-chunked", ""))
