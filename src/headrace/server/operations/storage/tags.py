"""Tags of objects and buckets: at most ten and fifty, unique, and short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import regex

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.buckets import find_bucket
from headrace.server.operations.storage.refusals import invalid_argument, no_such_configuration
from headrace.server.operations.storage.versions import describe, locate

MOST_OF_OBJECT = 10
MOST_OF_BUCKET = 50

_TEXT = regex.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")


def tags_of_header(header: str) -> dict[str, str]:
    """Return the tags of an x-amz-tagging header, which is written like a query."""
    try:
        pairs = parse_qsl(header, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            "name duplicates.",
            "x-amz-tagging",
            header[:1024],
        ) from None
    return checked(pairs, MOST_OF_OBJECT)


def tags_of_set(tag_set: Iterable[Mapping[str, str]], most: int = MOST_OF_OBJECT) -> dict[str, str]:
    """Return the tags of a TagSet."""
    return checked(((each["key"], each.get("value", "")) for each in tag_set), most)


def checked(pairs: Iterable[tuple[str, str]], most: int) -> dict[str, str]:
    """Return pairs as tags; raises InvalidTag or BadRequest as S3 does."""
    tags: dict[str, str] = {}
    for key, value in pairs:
        if key in tags:
            raise _invalid("Cannot provide multiple Tags with the same key", key)
        if not 1 <= len(key) <= 128 or not _TEXT.fullmatch(key) or key.lower().startswith("aws:"):
            raise _invalid("The TagKey you have provided is invalid", key)
        if len(value) > 256 or not _TEXT.fullmatch(value):
            raise _invalid("The TagValue you have provided is invalid", key)
        tags[key] = value
    if len(tags) > most:
        kind = "Object" if most == MOST_OF_OBJECT else "Bucket"
        raise InvalidInput(f"{kind} tags cannot be greater than {most}", code="BadRequest")
    return tags


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as a TagSet."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def put_object_tagging(
    context: Context,
    *,
    bucket: str,
    key: str,
    tagging: dict[str, Any],
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Replace the tags of an object."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id, method="PUT")
    tags = tags_of_set(tagging.get("tag_set") or [])
    describe(context, version, {**version.record, "tags": tags})
    return {"version_id": version.version} if found.versioning else {}


def get_object_tagging(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Return the tags of an object."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id)
    answer: dict[str, Any] = {"tag_set": tag_set(version.record.get("tags", {}))}
    return answer | {"version_id": version.version} if found.versioning else answer


def delete_object_tagging(
    context: Context,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Remove the tags of an object."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    version = locate(context, found, key, version_id, method="DELETE")
    describe(context, version, {name: value for name, value in version.record.items() if name != "tags"})
    return {"version_id": version.version} if found.versioning else {}


def put_bucket_tagging(
    context: Context, *, bucket: str, tagging: dict[str, Any], expected_bucket_owner: str | None = None, **_: Any
) -> None:
    """Replace the tags of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    tags = tags_of_set(tagging.get("tag_set") or [], MOST_OF_BUCKET)
    resources.untag(context.connection, found.arn, list(resources.tags_of(context.connection, found.arn)))
    resources.tag(context.connection, found.arn, tags)


def get_bucket_tagging(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    """Return the tags of a bucket; raises NoSuchTagSet where it has none."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    tags = resources.tags_of(context.connection, found.arn)
    if not tags:
        raise no_such_configuration("NoSuchTagSet", "The TagSet does not exist", bucket)
    return {"tag_set": tag_set(tags)}


def delete_bucket_tagging(context: Context, *, bucket: str, expected_bucket_owner: str | None = None) -> None:
    """Remove the tags of a bucket."""
    found = find_bucket(context, bucket, expected_bucket_owner)
    resources.untag(context.connection, found.arn, list(resources.tags_of(context.connection, found.arn)))


def _invalid(sentence: str, key: str) -> InvalidInput:
    return InvalidInput(sentence, code="InvalidTag", details={"TagKey": key[:256]})
