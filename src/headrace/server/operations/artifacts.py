"""Files that a resource keeps in the store of objects: imported data, models, forecasts; none is seen in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, insert, select

from headrace.server.context import Context, Platform
from headrace.server.errors import NotFound
from headrace.server.stores.metadata.tables.artifacts import ARTIFACTS
from headrace.server.stores.objects import ObjectStore, Staged, stage_file

_OF = select(ARTIFACTS.c.name, ARTIFACTS.c.blob, ARTIFACTS.c.size).where(ARTIFACTS.c.arn == bindparam("arn"))


def stage(platform: Platform, path: Path) -> Staged:
    """Make the bytes of a file durable; `keep` gives them to a resource, `platform.objects.discard` drops them."""
    with path.open("rb") as file:
        return stage_file(platform.objects, file)


def keep(connection: Connection, platform: Platform, arn: str, name: str, staged: Staged) -> None:
    """Give staged bytes to a resource under a name that it has not got yet, in the caller's transaction."""
    blob = platform.objects.commit(staged)
    connection.execute(insert(ARTIFACTS).values(arn=arn, name=name, blob=blob, size=staged.size))


def sizes(connection: Connection, arn: str) -> dict[str, int]:
    """Return the files of a resource, by name, in order of it, with their sizes in bytes."""
    return {row.name: row.size for row in connection.execute(_OF.order_by(ARTIFACTS.c.name), {"arn": arn})}


def blob_of(connection: Connection, arn: str, name: str) -> str:
    """Return the blob that holds a file; raises NotFound where the resource has none of that name."""
    row = connection.execute(_OF.where(ARTIFACTS.c.name == name), {"arn": arn}).one_or_none()
    if row is None:
        raise NotFound(f"{arn} keeps no file {name!r}")
    return str(row.blob)


def blocks(connection: Connection, platform: Platform, arn: str, name: str) -> Iterator[bytes]:
    """Return the bytes of a file; raises NotFound as `blob_of` does."""
    return platform.objects.read(blob_of(connection, arn, name))


def fetch(platform: Platform, arn: str, name: str, path: Path) -> Path:
    """Write a file of a resource to a path whose folder is made, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(f".{path.name}.partial")
    with platform.metadata.reading() as connection:
        content = blocks(connection, platform, arn, name)
    with partial_path.open("wb") as file:
        for block in content:
            file.write(block)
    return partial_path.replace(path)


def drop(connection: Connection, platform: Platform, arn: str, *names: str) -> Callable[[], None]:
    """Take files from a resource, all of them where none is named; call what is returned once that is committed."""
    where = [ARTIFACTS.c.arn == arn, *([ARTIFACTS.c.name.in_(names)] if names else [])]
    blobs = connection.execute(delete(ARTIFACTS).where(*where).returning(ARTIFACTS.c.blob)).scalars().all()
    return partial(_delete, platform.objects, tuple(blobs))


def forget(context: Context, arn: str, *names: str) -> None:
    """Take files from a resource, as `drop` does, within a request."""
    context.after_commit(drop(context.connection, context.platform, arn, *names))


def _delete(objects: ObjectStore, blobs: tuple[str, ...]) -> None:
    for blob in blobs:
        objects.delete(blob)
