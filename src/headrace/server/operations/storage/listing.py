"""Listing the objects of a bucket: ListObjects and ListObjectsV2."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage import access_lists, access_logs, checksums
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.refusals import invalid_argument
from headrace.server.operations.storage.scan import Entry, Place, Run, scan
from headrace.server.operations.storage.versions import version_of
from headrace.server.stores.metadata.tables.objects import OBJECTS

MOST_KEYS = 1000


def list_objects(
    context: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return up to 1,000 objects after a marker (S3 API reference, ListObjects)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    limit = checked_limit(max_keys, "max-keys")
    run = _run(context, found, prefix, delimiter, Place((marker or "").encode()), limit)
    encode = encoder(encoding_type)
    answer = _shown(run, found, prefix, delimiter, limit, encoding_type, owner=True)
    answer["prefix"] = prefix or ""
    answer["marker"] = encode(marker or "")
    if run.more and delimiter:
        answer["next_marker"] = encode(run.entries[-1].key.decode())
    access_logs.note(context, found, "REST.GET.BUCKET", "")
    return answer


def list_objects_v2(
    context: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    continuation_token: str | None = None,
    fetch_owner: bool | None = None,
    start_after: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return up to 1,000 objects from where a token or `start_after` says (S3 API reference, ListObjectsV2)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    limit = checked_limit(max_keys, "max-keys")
    listing = f"list_objects_v2/{bucket}"
    position = context.position(continuation_token, of=listing)
    place = Place(bytes.fromhex(position[0]) if position else (start_after or "").encode())
    run = _run(context, found, prefix, delimiter, place, limit)
    encode = encoder(encoding_type)
    answer = _shown(run, found, prefix, delimiter, limit, encoding_type, owner=bool(fetch_owner))
    answer["key_count"] = len(run.entries)
    if continuation_token is not None:
        answer["continuation_token"] = continuation_token
    if start_after is not None:
        answer["start_after"] = encode(start_after)
    if run.more and run.entries:
        answer["next_continuation_token"] = context.token([run.entries[-1].key.hex()], of=listing)
    access_logs.note(context, found, "REST.GET.BUCKET", "")
    return answer


def checked_limit(limit: int | None, name: str) -> int:
    """Return how many entries to list, 1,000 at most; raises InvalidArgument below zero."""
    if limit is not None and limit < 0:
        raise invalid_argument(f"Argument {name} must be an integer between 0 and 2147483647", name, str(limit))
    return MOST_KEYS if limit is None else min(limit, MOST_KEYS)


def encoder(encoding_type: str | None) -> Any:
    """Return what writes keys as an EncodingType asks: percent-encoded for "url", else as they are."""
    if encoding_type is None:
        return str
    if encoding_type != "url":
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding_type)
    return lambda text: quote(text, safe="/*-._")


def common_prefixes(run: Run, encode: Any) -> list[dict[str, str]]:
    """Return the common prefixes of a listing."""
    return [{"prefix": encode(entry.key.decode())} for entry in run.entries if entry.row is None]


def _run(context: Context, bucket: Bucket, prefix: str | None, delimiter: str | None, place: Place, limit: int) -> Run:
    query = select(OBJECTS).where(OBJECTS.c.bucket == bucket.name, OBJECTS.c.latest, ~OBJECTS.c.marker)
    return scan(context.connection, query, OBJECTS, prefix=prefix, delimiter=delimiter, place=place, limit=limit)


def _shown(
    run: Run,
    bucket: Bucket,
    prefix: str | None,
    delimiter: str | None,
    limit: int,
    encoding_type: str | None,
    *,
    owner: bool,
) -> dict[str, Any]:
    encode = encoder(encoding_type)
    answer: dict[str, Any] = {
        "is_truncated": run.more,
        "name": bucket.name,
        "prefix": encode(prefix or ""),
        "max_keys": limit,
        "contents": [_object(entry, encode, owner) for entry in run.entries if entry.row is not None],
        "common_prefixes": common_prefixes(run, encode),
    }
    if delimiter:
        answer["delimiter"] = encode(delimiter)
    if encoding_type:
        answer["encoding_type"] = encoding_type
    return {name: value for name, value in answer.items() if value != [] or name == "prefix"}


def _object(entry: Entry, encode: Any, owner: bool) -> dict[str, Any]:
    version = version_of(entry.row)
    answer: dict[str, Any] = {
        "key": encode(version.key),
        "last_modified": moment(version.modified),
        "e_tag": f'"{version.etag}"',
        "size": version.size,
        "storage_class": version.storage_class,
        **checksums.listed(version.record),
    }
    if owner:
        answer["owner"] = access_lists.owner(version.owner)
    return answer
