"""Which names buckets and keys may have, and the ARNs they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import unquote

from headrace.server.errors import InvalidInput

MOST_KEY_BYTES = 1024

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@dataclass(frozen=True)
class CopySource:
    """What a copy's source names: `version_id` is None for the newest."""

    bucket: str
    key: str
    version_id: str | None


def copy_source(text: str) -> CopySource:
    """Return what x-amz-copy-source names; policies are asked about the same, so this is its only reader.

    >>> copy_source("demo/a%20b?versionId=3")
    CopySource(bucket='demo', key='a b', version_id='3')
    """
    path, _, query = text.partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    named, _, version_id = query.partition("=")
    return CopySource(bucket, key, (unquote(version_id) or None) if named == "versionId" else None)


def check_bucket_name(name: str) -> None:
    """Raise InvalidBucketName unless `name` follows "Bucket naming rules" of the S3 user guide."""
    if (
        not 3 <= len(name) <= 63
        or not _BUCKET.fullmatch(name)
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
        or _is_address(name)
    ):
        raise InvalidInput(
            "The specified bucket is not valid.", code="InvalidBucketName", details={"BucketName": name[:255]}
        )


def key_bytes(key: str) -> bytes:
    """Return the UTF-8 bytes of a key; raises KeyTooLongError past 1,024, InvalidURI when it is no text."""
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidInput("Couldn't parse the specified URI.", code="InvalidURI") from None
    if len(encoded) > MOST_KEY_BYTES:
        raise InvalidInput(
            "Your key is too long",
            code="KeyTooLongError",
            details={"Size": len(encoded), "MaxSizeAllowed": MOST_KEY_BYTES},
        )
    return encoded


def after_prefix(prefix: bytes) -> bytes | None:
    """Return the first key after all that begin with `prefix`, or None when there is no such key."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def bucket_arn(partition: str, bucket: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:{partition}:s3:::{bucket}"


def object_arn(partition: str, bucket: str, key: str) -> str:
    """Return the ARN of an object."""
    return f"arn:{partition}:s3:::{bucket}/{key}"


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
