"""Delimited text too large for the memory, read in blocks: first a random sample of the rows, later the others."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import ParseError, SourceError
from headrace.ml.tables.delimited import (
    COMMENTS,
    LOOKED_AT,
    finish,
    first_full_row,
    header_rows,
    named,
    without_remarks,
)
from headrace.ml.tables.delimited.dialect import Dialect
from headrace.ml.tables.delimited.records import split_records
from headrace.ml.tables.delimited.repair import repair_rows
from headrace.ml.tables.delimited.sniffing import sniff
from headrace.ml.tables.delimited.well_formed import read_checked, read_well_formed, record_ends, with_line_feeds
from headrace.ml.tables.encoding import decode
from headrace.ml.tables.table import Table

HEAD, BLOCK, LONGEST = 2**22, 2**24, 2**27
"""Bytes that are looked at first, that are read at once, and that one record may take."""
GROWTH = 6
"""Bytes of memory that a byte of text takes as a table, and again typed."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Layout:
    """What the head of a file tells: where its rows begin, what separates their fields, and which share is drawn."""

    path: Path
    stamp: tuple[int, int]
    begin: int
    dialect: Dialect
    skipped: int
    names: tuple[str, ...]
    share: float
    notes: tuple[str, ...]


def read_sample(path: Path, most: int, header: bool | None = None) -> Table | None:
    """Read a random sample of the rows that takes about `most` bytes of memory; the others follow from `Table.rest`.

    None where all rows fit, and where the head of the file is no well-formed UTF-8 text, which is left to `read_table`.
    """
    layout = _look(path, most, header)
    if layout is None:
        return None
    sample = _Pass(layout)
    parts = list(sample.frames(drawn=True))
    if not parts:
        return None
    frame = pl.concat([part for part, _ in parts], rechunk=True)
    rows = np.concatenate([positions for _, positions in parts])
    _refuse_second_header(frame, rows, layout)
    drawn = (
        f"{frame.height:,} of {sample.rows:,} rows, drawn at random, were read into memory, where all of them would "
        f"take more than {most / 2**30:.2g} GiB"
    )
    notes = (*layout.notes, drawn, *sample.repairs())
    table = finish(frame, list(layout.names), str(path), notes, rows)
    rest = partial(_rest, layout)
    return Table(table.frame, table.rows, str(path), "csv", sample.digest.hexdigest(), table.notes, sample.rows, rest)


def _look(path: Path, most: int, header: bool | None) -> Layout | None:
    status = path.stat()
    if status.st_size * GROWTH <= most:
        return None
    with path.open("rb") as stream:
        data = stream.read(HEAD)
    begin = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    data = data[begin : data.rfind(b"\n") + 1]
    if b"\0" in data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.strip() or text.startswith(COMMENTS):
        return None
    dialect = sniff(text)
    head = read_well_formed(data[: _last_record_end(data, dialect)], dialect)
    if head is None or head.height < LOOKED_AT:
        return None
    first = head.head(LOOKED_AT).rows()
    above = first_full_row(first)
    count, notes = header_rows(first[above:], header)
    names = named(first[above : above + count], dialect.width, str(path))
    share = most / (GROWTH * status.st_size)
    stamp = (status.st_size, status.st_mtime_ns)
    return Layout(path, stamp, begin, dialect, above + count, tuple(names), share, notes)


def _rest(layout: Layout) -> Iterator[pl.DataFrame]:
    """Yield the rows that were not drawn, as frames of strings; raise `SourceError` where the file has changed."""
    status = layout.path.stat()
    if (status.st_size, status.st_mtime_ns) != layout.stamp:
        raise SourceError(f"'{layout.path}' has changed while it was learnt from; run again")
    for frame, _ in _Pass(layout).frames(drawn=False):
        yield frame.rename(dict(zip(frame.columns, layout.names, strict=True)))


def _refuse_second_header(frame: pl.DataFrame, rows: npt.NDArray[np.int64], layout: Layout) -> None:
    for position in (frame.to_series(0) == layout.names[0]).arg_true():
        if list(frame.row(position)) == list(layout.names):
            raise ParseError(
                f"row {rows[position]:,} of '{layout.path}' repeats the header, so that a second table seems to begin "
                "there; keep one table a file"
            )


@dataclass
class _Pass:
    """One time through the file; the same rows are drawn each time."""

    layout: Layout
    rows: int = 0
    lines: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    repaired: list[tuple[str, ...]] = field(default_factory=list)

    def frames(self, *, drawn: bool) -> Iterator[tuple[pl.DataFrame, npt.NDArray[np.int64]]]:
        """Yield the rows that are drawn, or those that are not, with their positions (1-based)."""
        generator = np.random.default_rng(0)
        with self.layout.path.open("rb") as stream:
            self.digest.update(stream.read(self.layout.begin))
            for block in _blocks(stream, self.layout.dialect):
                self.digest.update(block)
                frame, mask = self._read(block, generator, drawn)
                if mask.any():
                    yield frame, self.rows + 1 + np.flatnonzero(mask)
                self.rows += len(mask)

    def _read(self, block: bytes, generator: np.random.Generator, drawn: bool) -> tuple[pl.DataFrame, Mask]:
        skipped, dialect = 0 if self.rows else self.layout.skipped, self.layout.dialect
        data = with_line_feeds(block)
        ends = record_ends(data, dialect) if data else None
        frame = None
        if ends is not None:
            mask = self._draw(generator, len(ends) + 1 - skipped, drawn)
            if drawn:
                frame = read_checked(_records(data, ends, np.flatnonzero(mask) + skipped), dialect)
            else:
                frame = read_checked(data, dialect)
                frame = None if frame is None else frame.slice(skipped).filter(pl.Series(mask))
        if frame is None:
            whole = self._read_with_care(block, skipped)
            if ends is None or len(mask) != whole.height:
                mask = self._draw(generator, whole.height, drawn)
            frame = whole.filter(pl.Series(mask, dtype=pl.Boolean))
        self.lines += block.count(b"\n")
        return frame, mask

    def _draw(self, generator: np.random.Generator, count: int, drawn: bool) -> Mask:
        below: Mask = generator.random(max(0, count)) < self.layout.share
        return below if drawn else ~below

    def _read_with_care(self, block: bytes, skipped: int) -> pl.DataFrame:
        source, dialect = str(self.layout.path), self.layout.dialect
        text, decoded = decode(block, source)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        records = [each._replace(line=each.line + self.lines) for each in split_records(text, dialect)]
        kept, dropped = without_remarks(records, dialect)
        rows, repairs = repair_rows(kept[skipped:], dialect, source, first=self.rows + 1)
        if notes := (*decoded, *dropped, *repairs):
            self.repaired.append(notes)
        columns = list(zip(*rows, strict=True)) or [()] * dialect.width
        return pl.DataFrame([pl.Series(f"column_{i}", column, dtype=pl.String) for i, column in enumerate(columns, 1)])

    def repairs(self) -> tuple[str, ...]:
        """Say what was repaired first, and in how many more blocks there was something."""
        if len(self.repaired) < 2:
            return self.repaired[0] if self.repaired else ()
        return *self.repaired[0], f"{len(self.repaired) - 1:,} more parts of the file were put right like that"


def _records(data: bytes, ends: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]) -> bytes:
    starts, stops = np.append(0, ends + 1)[chosen], np.append(ends, len(data))[chosen]
    return b"\n".join(data[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True))


def _blocks(stream: BinaryIO, dialect: Dialect) -> Iterator[bytes]:
    """Yield the text in parts of whole records, by its quotes; one that never closes is a character like any other."""
    left = b""
    while part := stream.read(BLOCK):
        left += part
        end = _last_record_end(left, dialect) or (left.rfind(b"\n") + 1 if len(left) > LONGEST else 0)
        if end:
            yield left[:end]
            left = left[end:]
    if left:
        yield left


def _last_record_end(data: bytes, dialect: Dialect) -> int:
    if not dialect.quote or dialect.quote.encode() not in data:
        return data.rfind(b"\n") + 1
    characters = np.frombuffer(data, np.uint8)
    line_feeds = np.flatnonzero(characters == ord("\n"))
    outside = line_feeds[np.searchsorted(np.flatnonzero(characters == ord(dialect.quote)), line_feeds) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0
