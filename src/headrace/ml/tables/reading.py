"""Reading a table from wherever it lies: a file, a folder, a database, or an address that the caller can open."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.delimited import read_delimited
from headrace.ml.tables.encoding import decode
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

Opener = Callable[[str], BinaryIO]
"""Opens an address such as `s3://bucket/key` for reading."""


def read_table(
    source: str | Path,
    *,
    openers: Mapping[str, Opener] | None = None,
    table: str | None = None,
    header: bool | None = None,
) -> Table:
    """Read a table.

    `openers` maps a scheme (`s3`) to what opens its addresses; `table` names the table or sheet to read where the
    source holds several; `header` says whether the first row of a text table holds the names (None finds out).
    """
    path = Path(source)
    if not path.exists():
        near = suggest(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise SourceError(f"there is no file '{path}'{near}")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if data[:4] == b"PAR1":
        frame = pl.read_parquet(data)
        return Table(frame, np.arange(1, frame.height + 1), str(source), "parquet", digest)
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    text, notes = decode(data, str(source))
    found = read_delimited(text, str(source), header)
    return replace(found, sha256=digest, notes=(*notes, *found.notes))
