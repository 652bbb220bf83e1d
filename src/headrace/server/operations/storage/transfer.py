"""Objects in and out of S3 for a role at work: each call is authorised by the role's policies and the bucket's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound, TooLarge
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.buckets import find_bucket
from headrace.server.operations.storage.listing import list_objects_v2
from headrace.server.operations.storage.names import bucket_arn
from headrace.server.operations.storage.objects import get_object, put_object
from headrace.server.stores.objects import Staged, stage_file

DIGESTS = ("md5", "crc64nvme")
"""Of every object that is written here."""


@dataclass(frozen=True)
class Key:
    """An object as a listing shows it; `etag` is without quotes, and `content_type` "" where it was not opened."""

    bucket: str
    key: str
    size: int = 0
    etag: str = ""
    content_type: str = ""

    @property
    def uri(self) -> str:
        """Its s3:// URI."""
        return f"s3://{self.bucket}/{self.key}"


def parse_uri(uri: str) -> Key:
    """Return the bucket and key (or prefix) of an s3:// URI; raises InvalidInput."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise InvalidInput(f"{uri!r} is no S3 URI; write s3://bucket/prefix", code="ValidationException")
    return Key(bucket, key)


def list_keys(actor: Actor, bucket: str, prefix: str) -> list[Key]:
    """Return every object under a prefix, in order of its key; raises NotFound, or Denied without s3:ListBucket."""
    found: list[Key] = []
    token: str | None = None
    while True:
        with actor.reading() as context:
            arn = bucket_arn(actor.place.partition, bucket)
            context.authorise("s3:ListBucket", arn, {"s3:prefix": (prefix,)})
            answer = list_objects_v2(context, bucket=bucket, prefix=prefix, continuation_token=token)
        found += [
            Key(bucket, each["key"], each["size"], each["e_tag"].strip('"')) for each in answer.get("contents", ())
        ]
        token = answer.get("next_continuation_token")
        if not token:
            return found


def open_key(actor: Actor, bucket: str, key: str) -> tuple[Key, Iterator[bytes]]:
    """Return an object and its bytes in blocks; raises NotFound, or Denied without s3:GetObject."""
    with actor.reading() as context:
        context.authorise("s3:GetObject", f"{bucket_arn(actor.place.partition, bucket)}/{key}")
        answer = get_object(context, bucket=bucket, key=key)
    etag, kind = answer["e_tag"].strip('"'), answer["content_type"]
    return Key(bucket, key, answer["content_length"], etag, kind), answer["body"]


def read_key(actor: Actor, bucket: str, key: str, *, most: int) -> bytes:
    """Return the bytes of an object; raises TooLarge past `most` bytes."""
    return read_object(actor, bucket, key, most=most)[1]


def read_object(actor: Actor, bucket: str, key: str, *, most: int) -> tuple[Key, bytes]:
    """Return an object and its bytes; raises TooLarge past `most` of them."""
    found, blocks = open_key(actor, bucket, key)
    if found.size > most:
        raise TooLarge(f"{found.uri} has {found.size} bytes, and at most {most} are taken here; make it smaller")
    return found, b"".join(blocks)


def download(actor: Actor, bucket: str, key: str, path: Path) -> Key:
    """Write an object into a file, whose folder is made; a file that is there whole was written whole."""
    found, blocks = open_key(actor, bucket, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name[:200]}.partial")
    try:
        with partial.open("wb") as file:
            for block in blocks:
                file.write(block)
        partial.replace(path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return found


def stage(actor: Actor, content: bytes | Path | BinaryIO) -> Staged:
    """Make bytes, or those of a file, durable in the store of objects; `put` lets them appear."""
    if isinstance(content, bytes):
        content = io.BytesIO(content)
    with content.open("rb") if isinstance(content, Path) else nullcontext(content) as file:
        return stage_file(actor.platform.objects, file, DIGESTS)


def put(context: Context, bucket: str, key: str, staged: Staged, *, content_type: str = "", **headers: Any) -> None:
    """Let a staged body appear under a key when the transaction of an actor's context commits.

    Raises NotFound, or Denied without s3:PutObject; the staged bytes are then the caller's to discard.
    """
    context.authorise("s3:PutObject", f"{bucket_arn(context.place.partition, bucket)}/{key}")
    put_object(context, bucket=bucket, key=key, body=staged, content_type=content_type or None, **headers)


def encryption(key: str | None) -> dict[str, str]:
    """Return the headers for `put` of an object under a KMS key; none without one."""
    return {"server_side_encryption": "aws:kms", "ssekms_key_id": key} if key else {}


def check_put(actor: Actor, bucket: str, key: str) -> None:
    """Raise NotFound or Denied, before any work is done for it, where an object could not be stored under a key."""
    with actor.reading() as context:
        context.authorise("s3:PutObject", f"{bucket_arn(actor.place.partition, bucket)}/{key}")
        find_bucket(context, bucket)


def upload(actor: Actor, bucket: str, key: str, content: bytes | Path, *, content_type: str = "") -> None:
    """Store bytes, or a file, under a key, in a transaction of its own; raises as `put` does."""
    staged = stage(actor, content)
    try:
        with actor.writing() as context:
            put(context, bucket, key, staged, content_type=content_type)
    except BaseException:
        actor.platform.objects.discard(staged)
        raise


def exists(actor: Actor, bucket: str, key: str) -> bool:
    """Tell whether an object is there and may be read."""
    try:
        open_key(actor, bucket, key)
    except NotFound:
        return False
    return True
