"""Uploads in parts: beginning one, sending and listing its parts, giving it up."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.operations.storage import access_lists, access_logs, checksums, content, customer_keys
from headrace.server.operations.storage.buckets import Bucket, find_bucket, hold_bucket
from headrace.server.operations.storage.descriptions import describe_new, owner_of_new, storage_class_of
from headrace.server.operations.storage.names import key_bytes
from headrace.server.operations.storage.objects import check_size
from headrace.server.operations.storage.refusals import (
    invalid_argument,
    invalid_request,
    no_such_upload,
    precondition_failed,
)
from headrace.server.operations.storage.versions import release
from headrace.server.stores.metadata.tables.objects import UPLOAD_PARTS, UPLOADS
from headrace.server.stores.objects import Staged

MOST_PARTS = 10_000


@dataclass(frozen=True)
class Upload:
    """An upload in parts; "algorithm" and "checksum_type" of its `record` rule its parts' checksums."""

    id: str
    bucket: str
    key: str
    owner: str
    initiator: str
    initiated: int
    state: str
    version: str
    etag: str
    storage_class: str
    record: dict[str, Any]


@dataclass(frozen=True)
class SentPart:
    """A part as it was sent."""

    number: int
    size: int
    etag: str
    blob: str
    modified: int
    record: dict[str, Any]


def create_multipart_upload(
    context: Context,
    *,
    bucket: str,
    key: str,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Begin an upload in parts (S3 API reference, CreateMultipartUpload)."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    checksums.check_type(checksum_algorithm, checksum_type)
    record = describe_new(context, found, given)
    customer_key = customer_keys.key_of(given)
    if customer_key is not None:
        record["customer_key"] = customer_keys.sealed_record(customer_key)
    record["algorithm"] = checksum_algorithm
    record["checksum_type"] = checksum_type or checksums.default_type(checksum_algorithm)
    hold_bucket(context, found)
    upload_id = secrets.token_urlsafe(40)
    context.connection.execute(
        insert(UPLOADS).values(
            id=upload_id,
            bucket=bucket,
            key=key_bytes(key),
            owner=owner_of_new(context, found, given.get("acl")),
            initiator=context.caller.arn,
            initiated=context.now,
            state="open",
            version="",
            etag="",
            storage_class=storage_class_of(given),
            record=json.dumps(record),
        )
    )
    answer: dict[str, Any] = {"bucket": bucket, "key": key, "upload_id": upload_id}
    answer |= record.get("encryption", {}) | customer_keys.shown(record)
    if checksum_algorithm:
        answer |= {"checksum_algorithm": checksum_algorithm, "checksum_type": record["checksum_type"]}
    access_logs.note(context, found, "REST.POST.UPLOADS", key)
    return answer


def find_upload(context: Context, bucket: Bucket, key: str, upload_id: str, *, state: str = "open") -> Upload:
    """Return an upload; raises NoSuchUpload for one of another key, or one that is over."""
    row = context.connection.execute(select(UPLOADS).where(UPLOADS.c.id == upload_id)).one_or_none()
    if row is None or row.bucket != bucket.name or bytes(row.key) != key_bytes(key) or row.state != state:
        raise no_such_upload(upload_id)
    return Upload(
        row.id,
        row.bucket,
        key,
        row.owner,
        row.initiator,
        row.initiated,
        row.state,
        row.version,
        row.etag,
        row.storage_class,
        json.loads(row.record),
    )


def upload_part(
    context: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    part_number: int,
    body: Staged | None = None,
    checksum_algorithm: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Store one part; sent again, it takes the place of the earlier one."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    upload = find_upload(context, found, key, upload_id)
    staged = body if body is not None else content.restage(context, iter(()), ("md5", checksums.DEFAULT))
    algorithm = upload.record.get("algorithm") or checksum_algorithm
    part = store_part(context, upload, part_number, staged, customer_keys.key_of(given), algorithm)
    access_logs.note(context, found, "REST.PUT.PART", key, size=part.size)
    answer: dict[str, Any] = {"e_tag": f'"{part.etag}"', **checksums.members(part.record.get("checksum"), kind=False)}
    return {**answer, **upload.record.get("encryption", {}), **customer_keys.shown(upload.record)}


def store_part(
    context: Context,
    upload: Upload,
    number: int,
    staged: Staged,
    key: customer_keys.CustomerKey | None,
    algorithm: str | None = None,
) -> SentPart:
    """Commit a staged body as a part of an upload."""
    if not 1 <= number <= MOST_PARTS:
        raise invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive", "partNumber", str(number)
        )
    check_size(staged.size)
    customer_keys.check_key(upload.record, key, reading=False)
    wanted = upload.record.get("algorithm")
    if wanted and staged.checksum and staged.checksum[0].lower() != wanted.lower():
        raise invalid_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {wanted.lower()}, actual checksum Type: "
            f"{staged.checksum[0].lower()}"
        )
    record: dict[str, Any] = {
        "checksum": checksums.of_staged(staged, algorithm),
        "default_checksum": checksums.default_of(staged),
    }
    etag = staged.digests["md5"].hex()
    if key is not None:
        staged, record["nonce"] = customer_keys.encrypt(context.platform.objects, staged, key)
    blob = context.platform.objects.commit(staged)
    connection = context.connection
    same = (UPLOAD_PARTS.c.upload == upload.id, UPLOAD_PARTS.c.number == number)
    still_open = select(UPLOADS.c.id).where(UPLOADS.c.id == upload.id, UPLOADS.c.state == "open").with_for_update()
    if connection.execute(still_open).first() is None:
        raise no_such_upload(upload.id)
    earlier = connection.execute(select(UPLOAD_PARTS.c.blob).where(*same)).scalar_one_or_none()
    connection.execute(delete(UPLOAD_PARTS).where(*same))
    part = SentPart(number, staged.size, etag, blob, context.now, record)
    connection.execute(
        insert(UPLOAD_PARTS).values(
            upload=upload.id,
            number=number,
            size=part.size,
            etag=etag,
            blob=blob,
            modified=part.modified,
            record=json.dumps(record),
        )
    )
    if earlier:
        release(context, [earlier])
    return part


def sent_parts(context: Context, upload: Upload, after: int = 0, limit: int | None = None) -> list[SentPart]:
    """Return the parts of an upload in order, from beyond a number."""
    query = (
        select(UPLOAD_PARTS)
        .where(UPLOAD_PARTS.c.upload == upload.id, UPLOAD_PARTS.c.number > after)
        .order_by(UPLOAD_PARTS.c.number)
        .limit(limit)
    )
    return [
        SentPart(row.number, row.size, row.etag, row.blob, row.modified, json.loads(row.record))
        for row in context.connection.execute(query)
    ]


def list_parts(
    context: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    max_parts: int | None = None,
    part_number_marker: int | str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return the parts of an upload, up to 1,000 at once."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    upload = find_upload(context, found, key, upload_id)
    limit = min(1000 if max_parts is None else max_parts, 1000)
    if limit < 0:
        raise invalid_argument("Argument max-parts must be an integer between 0 and 2147483647", "max-parts")
    marker = int(part_number_marker or 0)
    parts = sent_parts(context, upload, marker, limit + 1)
    shown, more = parts[:limit], len(parts) > limit
    answer: dict[str, Any] = {
        "bucket": bucket,
        "key": key,
        "upload_id": upload_id,
        "part_number_marker": marker,
        "max_parts": limit,
        "is_truncated": more,
        "next_part_number_marker": shown[-1].number if shown else 0,
        "initiator": access_lists.initiator(upload.initiator),
        "owner": access_lists.owner(upload.owner),
        "storage_class": upload.storage_class,
        "parts": [
            {
                "part_number": part.number,
                "last_modified": moment(part.modified),
                "e_tag": f'"{part.etag}"',
                "size": part.size,
                **checksums.members(part.record.get("checksum"), kind=False),
            }
            for part in shown
        ],
    }
    if upload.record.get("algorithm"):
        answer |= {
            "checksum_algorithm": upload.record["algorithm"],
            "checksum_type": upload.record["checksum_type"],
        }
    return answer


def abort_multipart_upload(
    context: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    if_match_initiated_time: datetime | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> None:
    """Give an upload up and free its parts."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    upload = find_upload(context, found, key, upload_id)
    if if_match_initiated_time is not None and stamp(if_match_initiated_time) // 1000 != upload.initiated // 1000:
        raise precondition_failed("x-amz-if-match-initiated-time")
    forget_upload(context, upload.id)
    access_logs.note(context, found, "REST.DELETE.UPLOAD", key)


def forget_upload(context: Context, upload_id: str) -> None:
    """Delete an upload and its parts."""
    connection = context.connection
    connection.execute(update(UPLOADS).where(UPLOADS.c.id == upload_id).values(state="aborted"))
    blobs = connection.execute(select(UPLOAD_PARTS.c.blob).where(UPLOAD_PARTS.c.upload == upload_id)).scalars().all()
    connection.execute(delete(UPLOAD_PARTS).where(UPLOAD_PARTS.c.upload == upload_id))
    connection.execute(delete(UPLOADS).where(UPLOADS.c.id == upload_id))
    release(context, blobs)
