"""Reading a table from wherever it lies: a file, a folder, a database, or an address that the caller can open."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.databases import SCHEMES, read_database, read_sqlite
from headrace.ml.tables.delimited import read_delimited
from headrace.ml.tables.delimited.blocks import read_sample
from headrace.ml.tables.documents import looks_like_json, read_json
from headrace.ml.tables.encoding import decode
from headrace.ml.tables.folders import read_folder
from headrace.ml.tables.opening import (
    Opener,
    check_path,
    check_workbook_size,
    decompress,
    is_workbook,
    read_address,
    read_path,
)
from headrace.ml.tables.table import Table
from headrace.ml.tables.workbooks import read_workbook

_SQLITE = b"SQLite format 3\0"
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"RIFF": "a sound or picture",
    b"ID3": "a sound",
    b"\x80\x03": "a Python pickle, which is never opened since it could run any code",
    b"\x80\x04": "a Python pickle, which is never opened since it could run any code",
    b"\x80\x05": "a Python pickle, which is never opened since it could run any code",
    b"\x89HDF": "an HDF5 file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
}
_JSON_NAMES = (".json", ".jsonl", ".ndjson", ".geojson")


def read_table(
    source: str | Path,
    *,
    openers: Mapping[str, Opener] | None = None,
    table: str | None = None,
    header: bool | None = None,
    most_bytes: int | None = None,
) -> Table:
    """Read a table from a file, a folder, a database or an address.

    The format is found out from the content: delimited text (CSV, TSV…), JSON, JSON Lines, Parquet, Arrow, Excel,
    SQLite; compressed with gzip, bzip2, xz, zstd or zip, or not. `source` may also be a database's URL, with the
    table behind a `#` (`postgresql://host/database#orders`), or an address whose scheme is a key of `openers`, which
    map a scheme (`s3`) to a function from the address to an open binary file. `table` names the table, sheet or member
    where the source holds several (also `data.xlsx#Sheet2`); `header` says whether the first row of a text or a
    sheet holds the names (None finds out). Of a local file of delimited text that would take more than `most_bytes` of
    memory, a sample is read (see `Table`). Raises the errors below `DataError`.
    """
    name = str(source)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]+)://", name)
    if scheme is None or scheme[1] == "file":
        return _read_local(Path(name.removeprefix("file://")), table, header, most_bytes)
    known = openers or {}
    if scheme[1] in known:
        data = read_address(name, known[scheme[1]])
        return _read_bytes(data, name, table, header)
    if scheme[1].partition("+")[0] in SCHEMES:
        return read_database(name, table)
    can = ", ".join(f"{other}://" for other in sorted({*known, "postgresql", "mysql", "sqlite"}))
    raise SourceError(f"addresses that begin with '{scheme[1]}://' cannot be read here, only files and {can}")


def _read_local(path: Path, table: str | None, header: bool | None, most_bytes: int | None) -> Table:
    if table is None and "#" in path.name and not path.exists():
        start, _, table = str(path).rpartition("#")
        path = Path(start)
    check_path(path)
    if path.is_dir():
        return read_folder(path)
    if most_bytes is not None and path.is_file() and not path.name.lower().endswith(_JSON_NAMES):
        sample = read_sample(path, most_bytes, header)
        if sample is not None:
            return sample
    data = read_path(path)
    if data.startswith(_SQLITE):
        return replace(read_sqlite(path, str(path), table), sha256=hashlib.sha256(data).hexdigest())
    return _read_bytes(data, str(path), table, header)


def _read_bytes(data: bytes, source: str, table: str | None, header: bool | None) -> Table:
    digest = hashlib.sha256(data).hexdigest()
    if not data:
        raise SourceError(f"'{source}' is empty (0 bytes); give a table with a header and at least one row")
    content, inner = decompress(data, source, table)
    return replace(_read_content(content, source, inner, table, header), sha256=digest)


def _read_content(data: bytes, source: str, inner: str, table: str | None, header: bool | None) -> Table:
    """Read decompressed bytes by what they begin with; `inner` is the name without the compression's ending."""
    if data.startswith(b"PAR1"):
        return _read_columnar(data, source, "parquet")
    if data.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return _read_columnar(data, source, "arrow")
    if data.startswith(_SQLITE):
        return read_sqlite(data, source, table)
    if is_workbook(data):
        check_workbook_size(data, source)
        return read_workbook(data, source, table, header)
    for magic, title in _FOREIGN.items():
        if data.startswith(magic):
            raise SourceError(f"'{source}' is {title}; give a table as CSV, JSON, Parquet, Arrow, Excel or SQLite")
    if data[257:262] == b"ustar":
        raise SourceError(f"'{source}' is a tar archive; unpack it and give the table in it")
    text, notes = decode(data, source)
    as_json = inner.lower().endswith(_JSON_NAMES) or (
        not inner.lower().endswith((".csv", ".tsv", ".txt")) and looks_like_json(text)
    )
    found = read_json(text, source) if as_json and text.strip() else read_delimited(text, source, header)
    return replace(found, notes=(*notes, *found.notes))


def _read_columnar(data: bytes, source: str, kind: str) -> Table:
    try:
        if kind == "parquet":
            frame = pl.read_parquet(io.BytesIO(data))
        elif data.startswith(b"ARROW1"):
            frame = pl.read_ipc(io.BytesIO(data))
        else:
            frame = pl.read_ipc_stream(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"'{source}' is {kind.capitalize()} but damaged ({reason}); write it anew") from None
    if frame.is_empty():
        raise SourceError(f"'{source}' has no rows; give a table with at least one")
    return Table(frame, np.arange(1, frame.height + 1), source, kind)
