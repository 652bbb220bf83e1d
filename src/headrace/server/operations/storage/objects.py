"""Objects: putting, getting and describing one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, Unavailable
from headrace.server.operations.storage import access_logs, checksums, content, customer_keys, lifecycle
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.conditions import check_read, check_write
from headrace.server.operations.storage.content import Span
from headrace.server.operations.storage.descriptions import (
    describe_new,
    headers_of,
    owner_of_new,
    storage_class_of,
)
from headrace.server.operations.storage.names import key_bytes
from headrace.server.operations.storage.refusals import invalid_argument, invalid_request
from headrace.server.operations.storage.versions import Version, add, current, locate, lock_key, parts_of
from headrace.server.stores.objects import Staged

MOST_BYTES = 5 * 1024**3
"""Bytes of one PutObject or UploadPart."""

LOG = logging.getLogger("headrace.storage")

_OVERRIDES = ("cache_control", "content_disposition", "content_encoding", "content_language", "content_type", "expires")


def put_object(
    context: Context,
    *,
    bucket: str,
    key: str,
    body: Staged | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    checksum_algorithm: str | None = None,
    write_offset_bytes: int | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Store an object whose body has arrived (S3 API reference, PutObject)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    key_bytes(key)
    if write_offset_bytes is not None:
        raise invalid_argument("Only directory buckets take x-amz-write-offset-bytes", "x-amz-write-offset-bytes")
    record = describe_new(context, found, given)
    customer_key = customer_keys.key_of(given)
    lock_key(context, found, key)
    if if_match is not None or if_none_match is not None:
        check_write(current(context.connection, bucket, key), key, if_match=if_match, if_none_match=if_none_match)
    staged = body if body is not None else content.restage(context, iter(()), ("md5", checksums.DEFAULT))
    check_size(staged.size)
    checksum = checksums.of_staged(staged, checksum_algorithm)
    if checksum:
        record["checksum"] = checksum
    version = store(context, found, key, staged, record, given, customer_key)
    answer = stored_members(found, version) | checksums.members(checksum)
    access_logs.note(context, found, "REST.PUT.OBJECT", key, version=answer.get("version_id", ""), size=version.size)
    return answer


def store(
    context: Context,
    bucket: Bucket,
    key: str,
    staged: Staged,
    record: dict[str, Any],
    given: Mapping[str, Any],
    customer_key: customer_keys.CustomerKey | None = None,
) -> Version:
    """Commit a staged body as the latest version of a key, of the storage class and owner that a request gives it.

    Its ETag is its MD5.
    """
    storage_class = storage_class_of(given)
    objects = context.platform.objects
    etag = staged.digests["md5"].hex()
    if customer_key is not None:
        staged, nonce = customer_keys.encrypt(objects, staged, customer_key)
        record = record | {"customer_key": customer_keys.sealed_record(customer_key), "nonce": nonce}
    return add(
        context,
        bucket,
        key,
        owner=owner_of_new(context, bucket, given.get("acl")),
        record=record,
        blob=objects.commit(staged),
        size=staged.size,
        etag=etag,
        storage_class=storage_class,
    )


def write_object(
    context: Context, *, bucket: str, key: str, content: bytes, content_type: str = "", **headers: str
) -> Version:
    """Put bytes of the server's own (log files, reports) under a key, without asking the caller's policies."""
    found = find_bucket(context, bucket)
    staging = context.platform.objects.stage(("md5",))
    staging.write(content)
    named = {name: value for name, value in {"content_type": content_type, **headers}.items() if value}
    record = {"headers": named, "encryption": {"server_side_encryption": "AES256"}}
    return store(context, found, key, staging.finish(), record, {})


def stored_members(bucket: Bucket, version: Version) -> dict[str, Any]:
    """Return what every answer to a write tells of the version it made."""
    answer: dict[str, Any] = {
        "e_tag": f'"{version.etag}"',
        **version.record.get("encryption", {}),
        **customer_keys.shown(version.record),
    }
    if bucket.versioning == "Enabled":
        answer["version_id"] = version.version
    expiration = lifecycle.expiration_header(bucket, version)
    return answer | {"expiration": expiration} if expiration else answer


def check_size(size: int) -> None:
    """Raise EntityTooLarge past the largest body of one request."""
    if size > MOST_BYTES:
        raise InvalidInput(
            "Your proposed upload exceeds the maximum allowed size",
            code="EntityTooLarge",
            details={"ProposedSize": size, "MaxSizeAllowed": MOST_BYTES},
        )


def get_object(context: Context, **parameters: Any) -> dict[str, Any]:
    """Return an object's bytes, or a range of them, and what is stored beside (S3 API reference, GetObject)."""
    bucket, version, span, answer = _looked_up(context, "GET", **parameters)
    customer_key = customer_keys.key_of(parameters)
    try:
        answer["body"] = content.read(context, version, span, customer_key)
    except Unavailable:
        # Another request has replaced the version since this transaction began: its successor is there now.
        with context.platform.metadata.reading() as connection:
            later = replace(context, connection=connection)
            bucket, version, span, answer = _looked_up(later, "GET", **parameters)
            try:
                answer["body"] = content.read(later, version, span, customer_key)
            except Unavailable as error:
                LOG.error("object %s, version %s: %s", bucket.arn, version.version, error.message)
                raise
    access_logs.note(
        context, bucket, "REST.GET.OBJECT", version.key, version=answer.get("version_id", ""), size=version.size
    )
    return answer


def head_object(context: Context, **parameters: Any) -> dict[str, Any]:
    """Return what GetObject would, without the bytes."""
    return _looked_up(context, "HEAD", **parameters)[3]


def _looked_up(
    context: Context,
    method: str,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    range: str | None = None,
    part_number: int | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_unmodified_since: datetime | None = None,
    checksum_mode: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> tuple[Bucket, Version, Span, dict[str, Any]]:
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id, method=method)
    if range is not None and part_number is not None:
        raise invalid_request("Cannot specify both Range header and partNumber query parameter")
    check_read(
        version,
        if_match=if_match,
        if_none_match=if_none_match,
        if_modified_since=if_modified_since,
        if_unmodified_since=if_unmodified_since,
    )
    customer_keys.check_key(version.record, customer_keys.key_of(given))
    answer = headers_of(version, versioned=bool(found.versioning))
    checksum = version.record.get("checksum")
    if part_number is None:
        span = content.span_of_range(range, version.size)
    else:
        parts = parts_of(context.connection, version)
        span = content.span_of_part(part_number, version, parts)
        if parts and checksum:
            checksum = parts[part_number - 1].record.get("checksum", {}) | {"type": checksum["type"]}
        if parts:
            answer["parts_count"] = len(parts)
    answer |= span.shown(version.size)
    if checksum_mode == "ENABLED" and not (span.partial and range):
        answer |= checksums.members(checksum)
    expiration = lifecycle.expiration_header(found, version)
    if expiration:
        answer["expiration"] = expiration
    overrides = {name: given[f"response_{name}"] for name in _OVERRIDES if given.get(f"response_{name}") is not None}
    if overrides and context.caller.kind == "Anonymous":
        raise invalid_request("Request specific response headers cannot be used for anonymous GET requests.")
    return found, version, span, answer | overrides
