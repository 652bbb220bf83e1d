"""Completing an upload in parts: the parts that were named become one object."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, select, update

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage import access_logs, checksums, customer_keys
from headrace.server.operations.storage.buckets import Bucket, find_bucket
from headrace.server.operations.storage.conditions import check_write
from headrace.server.operations.storage.multipart import SentPart, Upload, find_upload, sent_parts
from headrace.server.operations.storage.objects import stored_members
from headrace.server.operations.storage.refusals import invalid_request, malformed_xml, no_such_upload
from headrace.server.operations.storage.versions import Part, Version, add, current, lock_key, named, release
from headrace.server.stores import digests
from headrace.server.stores.metadata.tables.objects import UPLOAD_PARTS, UPLOADS

LEAST_PART = 5 << 20
"""Bytes that every part but the last has at least."""

_TYPED = ("algorithm", "checksum_type")


def complete_multipart_upload(
    context: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    multipart_upload: dict[str, Any] | None = None,
    checksum_type: str | None = None,
    mpu_object_size: int | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Make one object of parts (S3 API reference, CompleteMultipartUpload); asked again, it answers the same."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    named_parts = (multipart_upload or {}).get("parts") or []
    lock_key(context, found, key)
    locked = select(UPLOADS.c.state).where(UPLOADS.c.id == upload_id).with_for_update()
    if context.connection.execute(locked).scalar_one_or_none() == "completed":
        return _again(context, found, find_upload(context, found, key, upload_id, state="completed"))
    upload = find_upload(context, found, key, upload_id)
    if not named_parts:
        raise malformed_xml()
    customer_key = customer_keys.key_of(given)
    customer_keys.check_key(upload.record, customer_key, reading=False)
    if if_match is not None or if_none_match is not None:
        check_write(current(context.connection, bucket, key), key, if_match=if_match, if_none_match=if_none_match)
    sent = sent_parts(context, upload)
    chosen = _chosen(upload, named_parts, {part.number: part for part in sent})
    size = sum(part.size for part in chosen)
    if mpu_object_size is not None and mpu_object_size != size:
        raise invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {mpu_object_size} does not match what was computed: "
            f"{size}"
        )
    checksum = _checksum(upload, checksum_type, chosen)
    checksums.check_given(given, checksum)
    record = {name: value for name, value in upload.record.items() if name not in _TYPED}
    if checksum:
        record["checksum"] = checksum
    md5s = digests.composite("md5", (bytes.fromhex(part.etag) for part in chosen))
    version = add(
        context,
        found,
        key,
        owner=upload.owner,
        record=record,
        size=size,
        etag=f"{md5s.hex()}-{len(chosen)}",
        storage_class=upload.storage_class,
        parts=_laid_out(chosen),
    )
    connection = context.connection
    connection.execute(delete(UPLOAD_PARTS).where(UPLOAD_PARTS.c.upload == upload.id))
    connection.execute(
        update(UPLOADS)
        .where(UPLOADS.c.id == upload.id)
        .values(state="completed", version=version.version, etag=version.etag)
    )
    release(context, (part.blob for part in sent))
    access_logs.note(context, found, "REST.POST.UPLOAD", key, size=size)
    return _answer(context, found, version)


def _chosen(upload: Upload, wanted: list[dict[str, Any]], sent: dict[int, SentPart]) -> list[SentPart]:
    chosen: list[SentPart] = []
    for each in wanted:
        number = each.get("part_number")
        if number is None:
            raise malformed_xml()
        if chosen and number <= chosen[-1].number:
            raise InvalidInput(
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                code="InvalidPartOrder",
                details={"UploadId": upload.id},
            )
        part = sent.get(number)
        etag = (each.get("e_tag") or "").strip('"')
        if part is None or etag != part.etag:
            raise _invalid_part(upload, number, etag)
        stated = checksums.given(each)
        kept = part.record.get("checksum")
        if stated and kept and stated[0] == kept["algorithm"] and stated[1] != kept["value"]:
            raise _invalid_part(upload, number, etag)
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < LEAST_PART:
            raise InvalidInput(
                "Your proposed upload is smaller than the minimum allowed size",
                code="EntityTooSmall",
                details={
                    "ProposedSize": part.size,
                    "MinSizeAllowed": LEAST_PART,
                    "PartNumber": part.number,
                    "ETag": part.etag,
                },
            )
    return chosen


def _invalid_part(upload: Upload, number: int, etag: str) -> InvalidInput:
    return InvalidInput(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag.",
        code="InvalidPart",
        details={"UploadId": upload.id, "PartNumber": number, "ETag": etag},
    )


def _checksum(upload: Upload, checksum_type: str | None, chosen: list[SentPart]) -> dict[str, str] | None:
    algorithm, kind = upload.record.get("algorithm"), upload.record["checksum_type"]
    if algorithm and checksum_type and checksum_type != kind:
        raise invalid_request(
            f"The upload was created using the {kind} checksum mode. The complete request must use the same checksum "
            "mode."
        )
    parts = [(part.record, part.size) for part in chosen]
    return checksums.of_parts(algorithm or checksums.DEFAULT, kind if algorithm else "FULL_OBJECT", parts)


def _laid_out(chosen: list[SentPart]) -> list[Part]:
    parts: list[Part] = []
    start = 0
    for part in chosen:
        parts.append(Part(part.number, start, part.size, part.blob, part.record))
        start += part.size
    return parts


def _again(context: Context, bucket: Bucket, upload: Upload) -> dict[str, Any]:
    version = named(context.connection, bucket.name, upload.key, upload.version)
    if version is None or version.etag != upload.etag:
        raise no_such_upload(upload.id)
    return _answer(context, bucket, version)


def _answer(context: Context, bucket: Bucket, version: Version) -> dict[str, Any]:
    request, key = context.request, version.key
    host = request.get("host") or f"s3.{bucket.region}.amazonaws.com"
    path = f"{bucket.name}/{quote(key, safe='/~')}" if not host.startswith(f"{bucket.name}.") else quote(key, safe="/~")
    made = stored_members(bucket, version) | checksums.members(version.record.get("checksum"))
    return {
        "bucket": bucket.name,
        "key": key,
        "location": f"{request.get('scheme') or 'http'}://{host}/{path}",
        **{name: value for name, value in made.items() if not name.startswith("sse_customer")},
    }
