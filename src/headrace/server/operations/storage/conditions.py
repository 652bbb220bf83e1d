"""Conditional requests: whether a read, a write or a deletion may go ahead, by ETag, time and size."""

from __future__ import annotations

from datetime import datetime

from headrace.server.clock import stamp
from headrace.server.errors import NotBuilt
from headrace.server.operations.storage.refusals import (
    no_such_key,
    not_modified,
    precondition_failed,
)
from headrace.server.operations.storage.versions import Version


def check_read(
    version: Version,
    *,
    if_match: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_unmodified_since: datetime | None = None,
) -> None:
    """Raise PreconditionFailed (412) or NotModified (304) where a condition of a read does not hold.

    An ETag condition outweighs the time condition of its own direction (RFC 9110, section 13.2.2).
    """
    seconds = version.modified // 1000
    if if_match is not None:
        if not _matches(if_match, version.etag):
            raise precondition_failed("If-Match")
    elif if_unmodified_since is not None and seconds > _seconds(if_unmodified_since):
        raise precondition_failed("If-Unmodified-Since")
    if if_none_match is not None:
        if _matches(if_none_match, version.etag):
            raise not_modified(version.etag, version.modified)
    elif if_modified_since is not None and seconds <= _seconds(if_modified_since):
        raise not_modified(version.etag, version.modified)


def check_copy(
    version: Version,
    *,
    if_match: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_unmodified_since: datetime | None = None,
) -> None:
    """Raise PreconditionFailed where a condition on the source of a copy does not hold."""
    seconds = version.modified // 1000
    if if_match is not None:
        if not _matches(if_match, version.etag):
            raise precondition_failed("x-amz-copy-source-If-Match")
    elif if_unmodified_since is not None and seconds > _seconds(if_unmodified_since):
        raise precondition_failed("x-amz-copy-source-If-Unmodified-Since")
    if if_none_match is not None:
        if _matches(if_none_match, version.etag):
            raise precondition_failed("x-amz-copy-source-If-None-Match")
    elif if_modified_since is not None and seconds <= _seconds(if_modified_since):
        raise precondition_failed("x-amz-copy-source-If-Modified-Since")


def check_write(present: Version | None, key: str, *, if_match: str | None, if_none_match: str | None) -> None:
    """Raise PreconditionFailed where a condition of a write does not hold, NoSuchKey where nothing can match."""
    exists = present is not None and not present.marker
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            raise NotBuilt(
                "A header you provided implies functionality that is not implemented",
                code="NotImplemented",
                details={"Header": "If-None-Match"},
            )
        if exists:
            raise precondition_failed("If-None-Match")
    if if_match is not None:
        if present is None or present.marker:
            raise no_such_key(key)
        if not _matches(if_match, present.etag):
            raise precondition_failed("If-Match")


def check_deletion(
    present: Version | None,
    key: str,
    *,
    if_match: str | None = None,
    modified: datetime | None = None,
    size: int | None = None,
) -> None:
    """Raise PreconditionFailed where what a deletion expects does not hold, NoSuchKey where nothing ever was."""
    if if_match is None and modified is None and size is None:
        return
    if present is None:
        raise no_such_key(key)
    if present.marker or (if_match is not None and not _matches(if_match, present.etag)):
        raise precondition_failed("If-Match")
    if modified is not None and present.modified // 1000 != _seconds(modified):
        raise precondition_failed("x-amz-if-match-last-modified-time")
    if size is not None and present.size != size:
        raise precondition_failed("x-amz-if-match-size")


def _matches(condition: str, etag: str) -> bool:
    names = [each.strip().removeprefix("W/").strip('"') for each in condition.split(",")]
    return "*" in names or etag in names


def _seconds(when: datetime) -> int:
    return stamp(when) // 1000
