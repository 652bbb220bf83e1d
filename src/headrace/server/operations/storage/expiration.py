"""Lifecycle rules at work: objects and old versions expire, and uploads that were left open are given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, select

from headrace.server.context import Context
from headrace.server.errors import Denied
from headrace.server.operations.storage.buckets import BUCKET, Bucket, find_bucket
from headrace.server.operations.storage.deletion import remove
from headrace.server.operations.storage.lifecycle import applies, due, expires_at
from headrace.server.operations.storage.multipart import forget_upload
from headrace.server.operations.storage.object_lock import check_erasable
from headrace.server.operations.storage.versions import Version, erase, version_of
from headrace.server.stores.metadata.tables.objects import OBJECTS, UPLOADS
from headrace.server.stores.metadata.tables.resources import RESOURCES

_RUN = 1000


def ruled_buckets(connection: Connection) -> list[str]:
    """Return the names of the buckets that have lifecycle rules."""
    ruled = RESOURCES.c.record.contains('"lifecycle": ')
    query = select(RESOURCES.c.name).where(RESOURCES.c.kind == BUCKET.kind, ruled).order_by(RESOURCES.c.name)
    return list(connection.execute(query).scalars())


def expire(context: Context, bucket: str, after: bytes = b"") -> bytes | None:
    """Apply a bucket's rules to the next keys after one, and to its uploads; return where to go on, None at the end."""
    found = find_bucket(context, bucket)
    rules = [rule for rule in found.record.get("lifecycle", []) if rule["status"] == "Enabled"]
    if not rules:
        return None
    if not after:
        _give_up_uploads(context, found, rules)
    history = (
        select(OBJECTS)
        .where(OBJECTS.c.bucket == bucket, OBJECTS.c.key > after)
        .order_by(OBJECTS.c.key, OBJECTS.c.id.desc())
        .limit(_RUN)
    )
    versions = [version_of(row) for row in context.connection.execute(history)]
    keys = [(key, list(group)) for key, group in groupby(versions, lambda each: each.key)]
    if len(versions) == _RUN and len(keys) > 1:
        keys.pop()
    for _, group in keys:
        _expire_key(context, found, rules, group)
    return keys[-1][0].encode() if len(versions) == _RUN else None


def _expire_key(context: Context, bucket: Bucket, rules: Iterable[dict[str, Any]], versions: list[Version]) -> None:
    for rule in rules:
        _expire_noncurrent(context, bucket, rule, versions)
    newest = versions[0]
    if not newest.latest:
        return
    tags = newest.record.get("tags", {})
    for rule in rules:
        if not applies(rule, newest.key, newest.size, tags):
            continue
        when = expires_at(rule, newest)
        if newest.marker:
            alone = len(versions) == 1
            drop = (rule.get("expiration") or {}).get("expired_object_delete_marker")
            if alone and (drop or (when is not None and when <= context.now)):
                erase(context, bucket, newest)
                return
        elif when is not None and when <= context.now:
            _quietly(context, bucket, newest, for_good=False)
            return


def _expire_noncurrent(context: Context, bucket: Bucket, rule: dict[str, Any], versions: list[Version]) -> None:
    expiration = rule.get("noncurrent_version_expiration")
    if not expiration:
        return
    keep = expiration.get("newer_noncurrent_versions", 0)
    for newer, version in list(pairwise(versions))[keep:]:
        fits = applies(rule, version.key, version.size, version.record.get("tags", {}))
        over = due(newer.modified, expiration["noncurrent_days"]) <= context.now
        if fits and over and _quietly(context, bucket, version, for_good=True):
            versions.remove(version)


def _quietly(context: Context, bucket: Bucket, version: Version, *, for_good: bool) -> bool:
    """Delete a version unless a lock keeps it, and tell whether it is gone."""
    try:
        if for_good:
            check_erasable(context, version, bypass=False)
            erase(context, bucket, version)
        else:
            remove(context, bucket, version.key)
    except Denied:
        return False
    return True


def _give_up_uploads(context: Context, bucket: Bucket, rules: Sequence[dict[str, Any]]) -> None:
    aborting = [rule for rule in rules if rule.get("abort_incomplete_multipart_upload")]
    if not aborting:
        return
    open_uploads = select(UPLOADS.c.id, UPLOADS.c.key, UPLOADS.c.initiated).where(
        UPLOADS.c.bucket == bucket.name, UPLOADS.c.state == "open"
    )
    for row in context.connection.execute(open_uploads).all():
        key = bytes(row.key).decode()
        for rule in aborting:
            days = rule["abort_incomplete_multipart_upload"]["days_after_initiation"]
            if applies(rule, key, 0, {}) and due(row.initiated, days) <= context.now:
                forget_upload(context, row.id)
                break
