"""Model data brought from S3 onto this machine, once for all who serve them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from headrace.server.containers.archives import unpack
from headrace.server.containers.contract import ClientError
from headrace.server.errors import NotFound
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import Key, download, list_keys, open_key, parse_uri

FOLDER = "models"
"""The folder in the data folder where unpacked model data lie, each under the digest of where it came from."""


def fetch_model(
    actor: Actor, uri: str, folder: Path | None = None, *, prefix: bool = False, packed: bool = True
) -> Path:
    """Return a folder with the model data at an S3 URI, unpacked; it is shared, and not to be written to.

    The data are an archive, or with `packed` False a single object, or with `prefix` all objects under the URI. What
    was fetched before, and has not changed since, is not fetched again; the role's right to read it is asked each time.
    `folder` is where such folders lie, the data folder's own unless given. Raises NotFound, Denied, InvalidInput on an
    URI, ClientError on an archive that can't be unpacked or a key that is no file name.
    """
    where = folder or actor.platform.settings.data / FOLDER
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = parse_uri(uri)
    keys = _under(actor, place) if prefix else [_look(actor, place)]
    fetched = where / _digest(uri, keys, prefix, packed)
    if fetched.is_dir():
        with suppress(OSError):
            os.utime(fetched)
        return fetched
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=where) as partial:
        content = Path(partial) / "content"
        content.mkdir()
        if packed:
            download(actor, place.bucket, place.key, Path(partial) / "archive")
            content.rmdir()
            unpack(Path(partial) / "archive", content)
        else:
            for key in keys:
                download(actor, key.bucket, key.key, content / _file_name(key, place.key if prefix else ""))
        _appear(content, fetched)
    return fetched


def forget_old(data: Path, records: Sequence[str], *, days: float = 7) -> int:
    """Remove model data that nobody has fetched for so many days and no record names; return how many."""
    before = time.time() - days * 86_400
    removed = 0
    for each in (data / FOLDER).glob("*"):
        with suppress(OSError):
            if each.stat().st_mtime < before and not any(each.name in record for record in records):
                shutil.rmtree(each)
                removed += 1
    return removed


def _look(actor: Actor, place: Key) -> Key:
    found, blocks = open_key(actor, place.bucket, place.key)
    close = getattr(blocks, "close", None)
    if close is not None:
        close()
    return found


def _under(actor: Actor, place: Key) -> list[Key]:
    keys = [key for key in list_keys(actor, place.bucket, place.key) if not key.key.endswith("/")]
    if not keys:
        raise NotFound(f"no object lies under {place.uri}; correct the prefix", code="NoSuchKey")
    return keys


def _digest(uri: str, keys: list[Key], prefix: bool, packed: bool) -> str:
    told = [uri, prefix, packed, *((key.bucket, key.key, key.etag, key.size) for key in keys)]
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _file_name(key: Key, prefix: str) -> str:
    """Return where under the model's folder an object goes; raises ClientError on what would lead out of it."""
    relative = key.key.removeprefix(prefix) if prefix.endswith("/") else key.key.rpartition("/")[2]
    if any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > 200 for part in relative.split("/")):
        raise ClientError(f"The key {key.key!r} in the bucket {key.bucket} is no path of a file; rename the object.")
    return relative


def _appear(content: Path, fetched: Path) -> None:
    try:
        content.rename(fetched)
    except OSError:
        if not fetched.is_dir():
            raise
