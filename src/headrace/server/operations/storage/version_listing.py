"""Listing what a bucket holds beside its objects: versions with delete markers, and uploads in parts."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage import access_lists, checksums
from headrace.server.operations.storage.buckets import find_bucket
from headrace.server.operations.storage.listing import checked_limit, common_prefixes, encoder
from headrace.server.operations.storage.refusals import invalid_argument
from headrace.server.operations.storage.scan import Order, Place, scan
from headrace.server.operations.storage.versions import Version, named, version_of
from headrace.server.stores.metadata.tables.objects import OBJECTS, UPLOADS


def list_object_versions(
    context: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    version_id_marker: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return up to 1,000 versions and delete markers, those of a key from the newest on.

    Where the version of the marker is gone, those that its key has left come next: whoever empties a bucket page by
    page has deleted the newer ones.
    """
    found = find_bucket(context, bucket, expected_bucket_owner)
    limit = checked_limit(max_keys, "max-keys")
    encode = encoder(encoding_type)
    if version_id_marker is not None and not key_marker:
        raise invalid_argument(
            "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_id_marker
        )
    place = Place((key_marker or "").encode())
    if version_id_marker and key_marker:
        last = named(context.connection, bucket, key_marker, version_id_marker)
        place = Place(place.key, tie=last.id) if last is not None else Place(place.key, inclusive=True)
    every = select(OBJECTS).where(OBJECTS.c.bucket == bucket)
    newest_first = Order("id", descending=True)
    run = scan(
        context.connection, every, OBJECTS, newest_first, prefix=prefix, delimiter=delimiter, place=place, limit=limit
    )
    versions = [version_of(entry.row) for entry in run.entries if entry.row is not None]
    answer: dict[str, Any] = {
        "is_truncated": run.more,
        "key_marker": encode(key_marker or ""),
        "version_id_marker": version_id_marker or "",
        "name": found.name,
        "prefix": encode(prefix or ""),
        "max_keys": limit,
        "versions": [_version(each, encode) for each in versions if not each.marker],
        "delete_markers": [_marker(each, encode) for each in versions if each.marker],
        "common_prefixes": common_prefixes(run, encode),
        "delimiter": encode(delimiter) if delimiter else None,
        "encoding_type": encoding_type,
    }
    if run.more and run.entries:
        last_entry = run.entries[-1]
        answer["next_key_marker"] = encode(last_entry.key.decode())
        if last_entry.row is not None:
            answer["next_version_id_marker"] = last_entry.row.version
    return {name: value for name, value in answer.items() if value not in (None, [])}


def list_multipart_uploads(
    context: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_uploads: int | None = None,
    prefix: str | None = None,
    upload_id_marker: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return up to 1,000 uploads that are under way."""
    find_bucket(context, bucket, expected_bucket_owner)
    limit = checked_limit(max_uploads, "max-uploads")
    encode = encoder(encoding_type)
    place = Place((key_marker or "").encode(), tie=(upload_id_marker or None) if key_marker else None)
    is_open = select(UPLOADS).where(UPLOADS.c.bucket == bucket, UPLOADS.c.state == "open")
    run = scan(
        context.connection, is_open, UPLOADS, Order("id"), prefix=prefix, delimiter=delimiter, place=place, limit=limit
    )
    answer: dict[str, Any] = {
        "bucket": bucket,
        "key_marker": encode(key_marker or ""),
        "upload_id_marker": upload_id_marker or "",
        "prefix": encode(prefix or ""),
        "max_uploads": limit,
        "is_truncated": run.more,
        "uploads": [_upload(entry.row, encode) for entry in run.entries if entry.row is not None],
        "common_prefixes": common_prefixes(run, encode),
        "delimiter": encode(delimiter) if delimiter else None,
        "encoding_type": encoding_type,
    }
    if run.entries:
        last = run.entries[-1]
        answer["next_key_marker"] = encode(last.key.decode())
        answer["next_upload_id_marker"] = last.row.id if last.row is not None else ""
    return {name: value for name, value in answer.items() if value not in (None, [])}


def _version(version: Version, encode: Any) -> dict[str, Any]:
    return _marker(version, encode) | {
        "e_tag": f'"{version.etag}"',
        "size": version.size,
        "storage_class": version.storage_class,
        **checksums.listed(version.record),
    }


def _marker(version: Version, encode: Any) -> dict[str, Any]:
    return {
        "key": encode(version.key),
        "version_id": version.version,
        "is_latest": version.latest,
        "last_modified": moment(version.modified),
        "owner": access_lists.owner(version.owner),
    }


def _upload(row: Any, encode: Any) -> dict[str, Any]:
    record = json.loads(row.record)
    answer = {
        "upload_id": row.id,
        "key": encode(bytes(row.key).decode()),
        "initiated": moment(row.initiated),
        "storage_class": row.storage_class,
        "owner": access_lists.owner(row.owner),
        "initiator": access_lists.initiator(row.initiator),
    }
    if record.get("algorithm"):
        answer |= {"checksum_algorithm": record["algorithm"], "checksum_type": record["checksum_type"]}
    return answer
