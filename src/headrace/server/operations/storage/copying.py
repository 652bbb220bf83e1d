"""Copying: a whole object, or a range of one as a part of an upload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage import access_logs, checksums, content, customer_keys, names
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.conditions import check_copy, check_write
from headrace.server.operations.storage.content import Span
from headrace.server.operations.storage.descriptions import describe_new, owner_of_new, storage_class_of
from headrace.server.operations.storage.multipart import find_upload, store_part
from headrace.server.operations.storage.names import object_arn
from headrace.server.operations.storage.objects import check_size, store, stored_members
from headrace.server.operations.storage.refusals import invalid_argument, invalid_range, invalid_request
from headrace.server.operations.storage.versions import Version, add, current, locate, lock_key
from headrace.server.stores.metadata.tables.objects import OBJECTS

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True)
class Source:
    """What is copied from."""

    bucket: Bucket
    version: Version
    customer_key: customer_keys.CustomerKey | None

    def shown(self) -> dict[str, Any]:
        """Return the member that tells which version was copied."""
        return {"copy_source_version_id": self.version.version} if self.bucket.versioning else {}


def copy_object(
    context: Context,
    *,
    bucket: str,
    key: str,
    copy_source: str,
    metadata_directive: str | None = None,
    tagging_directive: str | None = None,
    checksum_algorithm: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Copy an object within the server (S3 API reference, CopyObject)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    source = _source(context, copy_source, given)
    version = source.version
    check_size(version.size)
    customer_key = customer_keys.key_of(given)
    _check_self_copy(found, key, source, copy_source, given, metadata_directive, customer_key)
    record = _record(context, found, key, source, given, metadata_directive, tagging_directive)
    lock_key(context, found, key)
    if if_match is not None or if_none_match is not None:
        check_write(current(context.connection, bucket, key), key, if_match=if_match, if_none_match=if_none_match)
    checksum = version.record.get("checksum")
    wanted = (checksum_algorithm or (checksum or {}).get("algorithm") or checksums.DEFAULT).lower()
    same_checksum = checksum and checksum["type"] == "FULL_OBJECT" and checksum["algorithm"] == wanted
    if version.blob and same_checksum and not (customer_key or source.customer_key):
        # The new version names the same blob, which is kept as long as any row names it.
        held = select(OBJECTS.c.id).where(OBJECTS.c.id == version.id).with_for_update()
        context.connection.execute(held).first()
        made = add(
            context,
            found,
            key,
            owner=owner_of_new(context, found, given.get("acl")),
            record=record | {"checksum": checksum},
            blob=version.blob,
            size=version.size,
            etag=version.etag,
            storage_class=storage_class_of(given),
        )
    else:
        blocks = content.read(context, version, Span(0, version.size), source.customer_key)
        staged = content.restage(context, blocks, ("md5", wanted))
        record["checksum"] = checksums.of_staged(staged, wanted)
        made = store(context, found, key, staged, record, given, customer_key)
    access_logs.note(context, found, "REST.COPY.OBJECT", key, size=made.size)
    answer = stored_members(found, made)
    result = {"e_tag": answer.pop("e_tag"), "last_modified": moment(made.modified)}
    result |= checksums.members(made.record.get("checksum"))
    return {"copy_object_result": result, **source.shown(), **answer}


def upload_part_copy(
    context: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    part_number: int,
    copy_source: str,
    copy_source_range: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Store a part from an object that is here already, or from a range of it."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    upload = find_upload(context, found, key, upload_id)
    source = _source(context, copy_source, given)
    span = _span(copy_source_range, source.version.size)
    check_size(span.length)
    algorithm = upload.record.get("algorithm")
    blocks = content.read(context, source.version, span, source.customer_key)
    staged = content.restage(context, blocks, ("md5", *checksums.wanted(algorithm)))
    part = store_part(context, upload, part_number, staged, customer_keys.key_of(given), algorithm)
    access_logs.note(context, found, "REST.COPY.PART", key, size=part.size)
    result = {"e_tag": f'"{part.etag}"', "last_modified": moment(part.modified)}
    if algorithm:
        result |= checksums.members(part.record.get("checksum"), kind=False)
    shown = upload.record.get("encryption", {}) | customer_keys.shown(upload.record)
    return {"copy_part_result": result, **source.shown(), **shown}


def _source(context: Context, copy_source: str, given: Mapping[str, Any]) -> Source:
    named = names.copy_source(copy_source)
    if named.bucket.startswith("arn:") and "/object/" in f"{named.bucket}/{named.key}":
        raise invalid_argument("Access points are not built", "x-amz-copy-source", copy_source)
    if not named.bucket or not named.key:
        raise invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            "x-amz-copy-source",
            copy_source,
        )
    found = find_bucket(context, named.bucket, given.get("expected_source_bucket_owner"))
    version = locate(context, found, named.key, named.version_id)
    check_copy(
        version,
        if_match=given.get("copy_source_if_match"),
        if_none_match=given.get("copy_source_if_none_match"),
        if_modified_since=given.get("copy_source_if_modified_since"),
        if_unmodified_since=given.get("copy_source_if_unmodified_since"),
    )
    customer_key = customer_keys.key_of(given, "copy_source_")
    customer_keys.check_key(version.record, customer_key)
    return Source(found, version, customer_key)


def _check_self_copy(
    bucket: Bucket,
    key: str,
    source: Source,
    copy_source: str,
    given: Mapping[str, Any],
    metadata_directive: str | None,
    customer_key: customer_keys.CustomerKey | None,
) -> None:
    itself = (source.bucket.name, source.version.key) == (bucket.name, key) and "versionId=" not in copy_source
    changes = (
        metadata_directive == "REPLACE"
        or given.get("storage_class") not in (None, source.version.storage_class)
        or given.get("website_redirect_location")
        or given.get("server_side_encryption")
        or customer_key
    )
    if itself and not changes:
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )


def _record(
    context: Context,
    bucket: Bucket,
    key: str,
    source: Source,
    given: Mapping[str, Any],
    metadata_directive: str | None,
    tagging_directive: str | None,
) -> dict[str, Any]:
    tagged = dict(given) if tagging_directive == "REPLACE" else {**given, "tagging": None}
    record = describe_new(context, bucket, tagged)
    old = source.version.record
    if metadata_directive != "REPLACE":
        redirect = record.get("headers", {}).get("website_redirect_location")
        headers = {name: value for name, value in old.get("headers", {}).items() if name != "website_redirect_location"}
        record["headers"] = headers | ({"website_redirect_location": redirect} if redirect else {})
        record["metadata"] = old.get("metadata", {})
    if tagging_directive != "REPLACE" and old.get("tags"):
        partition = context.place.partition
        context.authorise("s3:GetObjectTagging", object_arn(partition, source.bucket.name, source.version.key))
        context.authorise("s3:PutObjectTagging", object_arn(partition, bucket.name, key))
        record["tags"] = old["tags"]
    return record


def _span(requested: str | None, size: int) -> Span:
    if requested is None:
        return Span(0, size)
    match = _RANGE.fullmatch(requested)
    if match is None or int(match[2]) < int(match[1]):
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            requested,
        )
    first, last = int(match[1]), int(match[2])
    if last >= size:
        if first >= size:
            raise invalid_range(requested, size)
        raise invalid_argument(
            f"Range specified is not valid for source object of size: {size}", "x-amz-copy-source-range", requested
        )
    return Span(first, last - first + 1, True)
