"""GetObjectAttributes: parts of what is known of an object, in one answer."""

from __future__ import annotations

from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.storage import checksums, customer_keys
from headrace.server.operations.storage.buckets import find_bucket
from headrace.server.operations.storage.refusals import invalid_argument
from headrace.server.operations.storage.versions import Version, locate, parts_of

_NAMES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")


def get_object_attributes(
    context: Context,
    *,
    bucket: str,
    key: str,
    object_attributes: list[str],
    version_id: str | None = None,
    max_parts: int | None = None,
    part_number_marker: int | str | None = None,
    expected_bucket_owner: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Return the attributes that were asked for (S3 API reference, GetObjectAttributes)."""
    unknown = [name for name in object_attributes if name not in _NAMES]
    if unknown or not object_attributes:
        raise invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes", ",".join(unknown))
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id)
    customer_keys.check_key(version.record, customer_keys.key_of(given))
    checksum = checksums.members(version.record.get("checksum"))
    values: dict[str, Any] = {
        "ETag": ("e_tag", version.etag),
        "Checksum": ("checksum", checksum or None),
        "StorageClass": ("storage_class", version.storage_class),
        "ObjectSize": ("object_size", version.size),
        "ObjectParts": ("object_parts", None),
    }
    if "ObjectParts" in object_attributes:
        limit = min(1000 if max_parts is None else max_parts, 1000)
        values["ObjectParts"] = ("object_parts", _parts(context, version, limit, int(part_number_marker or 0)))
    answer: dict[str, Any] = {"last_modified": moment(version.modified)}
    if found.versioning:
        answer["version_id"] = version.version
    chosen = (values[name] for name in object_attributes)
    return answer | {member: value for member, value in chosen if value is not None}


def _parts(context: Context, version: Version, limit: int, marker: int) -> dict[str, Any] | None:
    parts = parts_of(context.connection, version)
    if not parts:
        return None
    answer: dict[str, Any] = {"total_parts_count": len(parts)}
    checksum = version.record.get("checksum")
    rest = [part for part in parts if part.number > marker]
    shown = rest[:limit]
    answer |= {
        "part_number_marker": marker,
        "next_part_number_marker": shown[-1].number if shown else 0,
        "max_parts": limit,
        "is_truncated": len(rest) > limit,
    }
    if checksum:
        answer["parts"] = [
            {
                "part_number": part.number,
                "size": part.size,
                **checksums.members(part.record.get("checksum"), kind=False),
            }
            for part in shown
        ]
    return answer
