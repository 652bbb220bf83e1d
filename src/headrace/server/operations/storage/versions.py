"""Versions of objects as rows: adding one, finding one, erasing one, and the blobs that nothing names any more."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, union_all, update

from headrace.server.context import Context
from headrace.server.errors import OperationError
from headrace.server.operations.storage.buckets import Bucket, hold_bucket
from headrace.server.operations.storage.names import key_bytes
from headrace.server.operations.storage.refusals import method_not_allowed, no_such_key, no_such_version
from headrace.server.stores.metadata.tables.artifacts import ARTIFACTS
from headrace.server.stores.metadata.tables.objects import OBJECT_PARTS, OBJECTS, UPLOAD_PARTS
from headrace.server.stores.objects import ObjectStore

NULL = "null"

_VERSION = select(OBJECTS).where(OBJECTS.c.bucket == bindparam("bucket"), OBJECTS.c.key == bindparam("key"))
_LATEST = _VERSION.where(OBJECTS.c.latest)
_NAMED = _VERSION.where(OBJECTS.c.version == bindparam("version"))
_INSERT = insert(OBJECTS)
_DELETE = delete(OBJECTS).where(OBJECTS.c.id == bindparam("version"))
_NAMED_BLOBS = union_all(
    *(
        select(table.c.blob).where(table.c.blob.in_(bindparam("blobs", expanding=True)))
        for table in (OBJECTS, OBJECT_PARTS, UPLOAD_PARTS, ARTIFACTS)
    )
)


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker; `modified` is in milliseconds."""

    id: int
    bucket: str
    key: str
    version: str
    latest: bool
    marker: bool
    blob: str
    size: int
    etag: str
    storage_class: str
    owner: str
    modified: int
    record: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A run of an object's bytes that is a blob of its own; `record` holds its checksum and encryption."""

    number: int
    start: int
    size: int
    blob: str
    record: dict[str, Any]


def version_of(row: Any) -> Version:
    """Return a row of OBJECTS as a version."""
    return Version(
        row.id,
        row.bucket,
        bytes(row.key).decode(),
        row.version,
        row.latest,
        row.marker,
        row.blob,
        row.size,
        row.etag,
        row.storage_class,
        row.owner,
        row.modified,
        json.loads(row.record),
    )


def lock_key(context: Context, bucket: Bucket, key: str) -> None:
    """Take turns with other writers of the same key until this transaction ends (SQLite has one writer anyway)."""
    if context.connection.dialect.name == "postgresql":
        hold_bucket(context, bucket)
        number = func.hashtextextended(f"{bucket.name}/{key_bytes(key).hex()}", 0)
        context.connection.execute(select(func.pg_advisory_xact_lock(number)))


def current(connection: Connection, bucket: str, key: str) -> Version | None:
    """Return the latest version of a key, which may be a delete marker, or None."""
    row = connection.execute(_LATEST, {"bucket": bucket, "key": key_bytes(key)}).one_or_none()
    return None if row is None else version_of(row)


def named(connection: Connection, bucket: str, key: str, version: str) -> Version | None:
    """Return the version of that id, or None."""
    row = connection.execute(_NAMED, {"bucket": bucket, "key": key_bytes(key), "version": version}).one_or_none()
    return None if row is None else version_of(row)


def locate(context: Context, bucket: Bucket, key: str, version: str | None = None, *, method: str = "GET") -> Version:
    """Return the version that a caller reads, the latest by default.

    Raises NoSuchKey or NoSuchVersion, MethodNotAllowed on a delete marker; a caller who may not list the bucket does
    not learn whether the key exists (AccessDenied).
    """
    connection = context.connection
    found = current(connection, bucket.name, key) if not version else named(connection, bucket.name, key, version)
    if found is not None and not found.marker:
        return found
    context.authorise("s3:ListBucket", bucket.arn, {"s3:prefix": (key,)})
    if found is None:
        raise no_such_version(key, version) if version else no_such_key(key)
    if version:
        raise method_not_allowed(method, modified=found.modified, version=found.version)
    error: OperationError = no_such_key(key)
    error.details["headers"] = {"x-amz-delete-marker": "true", "x-amz-version-id": found.version}
    raise error


def add(
    context: Context,
    bucket: Bucket,
    key: str,
    *,
    owner: str,
    record: dict[str, Any],
    blob: str = "",
    size: int = 0,
    etag: str = "",
    storage_class: str = "STANDARD",
    parts: Sequence[Part] = (),
    marker: bool = False,
) -> Version:
    """Store a new latest version of a key; without versioning it takes the place of the null version."""
    connection = context.connection
    encoded = key_bytes(key)
    lock_key(context, bucket, key)
    replaced = None
    version = secrets.token_urlsafe(24)
    if bucket.versioning != "Enabled":
        version = NULL
        replaced = named(connection, bucket.name, key, NULL)
    freed = [] if replaced is None else _remove_row(context, replaced)
    if replaced is None or not replaced.latest:
        connection.execute(
            update(OBJECTS)
            .where(OBJECTS.c.bucket == bucket.name, OBJECTS.c.key == encoded, OBJECTS.c.latest)
            .values(latest=False)
        )
    made = Version(
        0, bucket.name, key, version, True, marker, blob, size, etag, storage_class, owner, context.now, record
    )
    values = {name: getattr(made, name) for name in Version.__dataclass_fields__ if name != "id"}
    inserted = connection.execute(_INSERT, values | {"key": encoded, "record": _json(record)})
    made = replace(made, id=(inserted.inserted_primary_key or (0,))[0])
    if parts:
        connection.execute(
            insert(OBJECT_PARTS),
            [
                {
                    "object": made.id,
                    "number": part.number,
                    "start": part.start,
                    "size": part.size,
                    "blob": part.blob,
                    "record": _json(part.record),
                }
                for part in parts
            ],
        )
    release(context, freed)
    return made


def erase(context: Context, bucket: Bucket, version: Version) -> None:
    """Delete one version for good; the one before it becomes the latest when it was."""
    connection = context.connection
    lock_key(context, bucket, version.key)
    release(context, _remove_row(context, version))
    if version.latest:
        newest = (
            select(OBJECTS.c.id)
            .where(OBJECTS.c.bucket == version.bucket, OBJECTS.c.key == key_bytes(version.key))
            .order_by(OBJECTS.c.id.desc())
            .limit(1)
        )
        connection.execute(update(OBJECTS).where(OBJECTS.c.id == newest.scalar_subquery()).values(latest=True))


def describe(context: Context, version: Version, record: dict[str, Any], storage_class: str | None = None) -> None:
    """Replace what is stored beside the bytes of a version; its time stays."""
    context.connection.execute(
        update(OBJECTS)
        .where(OBJECTS.c.id == version.id)
        .values(record=_json(record), storage_class=storage_class or version.storage_class)
    )


def parts_of(connection: Connection, version: Version) -> list[Part]:
    """Return the parts of a version in order; one that was sent whole has none."""
    if version.blob or version.marker:
        return []
    query = select(OBJECT_PARTS).where(OBJECT_PARTS.c.object == version.id).order_by(OBJECT_PARTS.c.number)
    return [
        Part(row.number, row.start, row.size, row.blob, json.loads(row.record)) for row in connection.execute(query)
    ]


def release(context: Context, blobs: Iterable[str]) -> None:
    """Delete blobs after the commit, those that no row names by now."""
    connection = context.connection
    candidates = {blob for blob in blobs if blob}
    free = candidates - named_blobs(connection, candidates)
    if free:
        context.after_commit(partial(_delete, context.platform.objects, sorted(free)))


def named_blobs(connection: Connection, blobs: Iterable[str]) -> set[str]:
    """Return those of the blobs that some row names."""
    wanted = sorted(blobs)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        found.update(connection.execute(_NAMED_BLOBS, {"blobs": some}).scalars())
    return found


def _remove_row(context: Context, version: Version) -> list[str]:
    """Delete the rows of a version and return the blobs that they named."""
    blobs = [version.blob, *(part.blob for part in parts_of(context.connection, version))]
    if len(blobs) > 1:
        context.connection.execute(delete(OBJECT_PARTS).where(OBJECT_PARTS.c.object == version.id))
    context.connection.execute(_DELETE, {"version": version.id})
    return blobs


def _delete(objects: ObjectStore, blobs: list[str]) -> None:
    for blob in blobs:
        objects.delete(blob)


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))
