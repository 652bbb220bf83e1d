"""What time does to storage: uploads and blobs that nobody will ask for again go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import delete, select

from headrace.server.context import Context, Platform
from headrace.server.operations.storage.lifecycle import DAY
from headrace.server.operations.storage.versions import named_blobs
from headrace.server.stores.metadata.tables.objects import UPLOAD_PARTS, UPLOADS

_RUN = 500


def sweep_blobs(platform: Platform, *, age: int = DAY) -> int:
    """Delete staged bodies and blobs that no row names and that are older than `age` (ms); return how many.

    The age leaves alone what a request is just about to name.
    """
    before = platform.clock() - age
    swept = platform.objects.sweep(before)
    old = (blob for blob, written in platform.objects.blobs() if written < before)
    for some in _runs(old):
        with platform.metadata.reading() as connection:
            unnamed = set(some) - named_blobs(connection, some)
        for blob in sorted(unnamed):
            platform.objects.delete(blob)
        swept += len(unnamed)
    return swept


def forget_finished_uploads(context: Context, *, age: int = DAY) -> int:
    """Delete the rows of uploads that are over since `age` (ms) and return how many; their blobs are swept later."""
    over = UPLOADS.c.state != "open"
    old = (
        context.connection.execute(
            select(UPLOADS.c.id).where(over, UPLOADS.c.initiated < context.now - age).limit(_RUN)
        )
        .scalars()
        .all()
    )
    context.connection.execute(delete(UPLOAD_PARTS).where(UPLOAD_PARTS.c.upload.in_(old)))
    context.connection.execute(delete(UPLOADS).where(UPLOADS.c.id.in_(old)))
    return len(old)


def _runs(blobs: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(blobs)
    while some := list(islice(rest, _RUN)):
        yield some
