"""The bytes of objects: where a range of them lies, and reading it across parts and keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import OperationError
from headrace.server.operations.storage import customer_keys
from headrace.server.operations.storage.customer_keys import CustomerKey
from headrace.server.operations.storage.refusals import invalid_range
from headrace.server.operations.storage.versions import Part, Version, parts_of
from headrace.server.stores.objects import ObjectStore, Staged

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Span:
    """A run of bytes of an object; `partial` tells that it was asked for as a part of it."""

    start: int
    length: int
    partial: bool = False

    def shown(self, size: int) -> dict[str, Any]:
        """Return the members that tell of the run in an object of `size` bytes."""
        answer: dict[str, Any] = {"content_length": self.length}
        if self.partial:
            answer["content_range"] = f"bytes {self.start}-{max(self.start + self.length - 1, 0)}/{size}"
        return answer


def span_of_range(requested: str | None, size: int) -> Span:
    """Return the run that a Range header names; one that can't be understood, or names several, is the whole.

    Raises InvalidRange for one that begins past the end.
    """
    match = _RANGE.fullmatch(requested.strip()) if requested else None
    if requested is None or match is None or match[1] == match[2] == "":
        return Span(0, size)
    first, last = match[1], match[2]
    if first == "":
        length = min(int(last), size)
        if length == 0:
            raise invalid_range(requested, size)
        return Span(size - length, length, True)
    start = int(first)
    if last and int(last) < start:
        return Span(0, size)
    if start >= size:
        raise invalid_range(requested, size)
    end = min(int(last), size - 1) if last else size - 1
    return Span(start, end - start + 1, True)


def span_of_part(number: int, version: Version, parts: Sequence[Part]) -> Span:
    """Return the run of a part; an object that was sent whole is its own first part."""
    if not parts and number == 1:
        return Span(0, version.size, True)
    for position, part in enumerate(parts, start=1):
        if position == number:
            return Span(part.start, part.size, True)
    raise OperationError(
        "The requested partnumber is not satisfiable",
        code="InvalidPartNumber",
        status=416,
        details={"PartNumberRequested": number, "ActualPartCount": max(len(parts), 1)},
    )


def read(context: Context, version: Version, span: Span, key: CustomerKey | None = None) -> Iterator[bytes]:
    """Return the plain bytes of a run in blocks, which its blobs keep though they be deleted from now on."""
    parts = parts_of(context.connection, version) or [
        Part(1, 0, version.size, version.blob, {"nonce": version.record.get("nonce")})
    ]
    end = span.start + span.length
    pieces = [each for each in parts if each.start < end and each.start + each.size > span.start]
    objects = context.platform.objects
    runs = [
        (part, max(span.start - part.start, 0), min(end, part.start + part.size) - max(span.start, part.start))
        for part in pieces
    ]
    if len(runs) == 1:
        return _run(objects, *runs[0], key)
    return _Chain(objects, runs, key)


def restage(context: Context, blocks: Iterator[bytes], digests: tuple[str, ...] = ("md5",)) -> Staged:
    """Return blocks as a newly staged body."""
    staging = context.platform.objects.stage(digests)
    try:
        for block in blocks:
            staging.write(block)
        return staging.finish()
    except BaseException:
        staging.abort()
        raise


def _run(objects: ObjectStore, part: Part, start: int, length: int, key: CustomerKey | None) -> Iterator[bytes]:
    blocks = objects.read(part.blob, start, length)
    return blocks if key is None else customer_keys.decrypt(blocks, key, part.record["nonce"], start)


class _Chain:
    """The blocks of several parts, which are held until the end, or until nobody wants the rest."""

    def __init__(self, objects: ObjectStore, runs: Sequence[tuple[Part, int, int]], key: CustomerKey | None) -> None:
        self._release: Callable[[], None] | None = None
        self._blocks = chain.from_iterable(_run(objects, *run, key) for run in runs)
        self._release = objects.hold([part.blob for part, _, _ in runs])

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()

    __del__ = close
