"""Folders: parts of one Parquet table, or files of pictures, text or sound with a label each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.table import Table

_KINDS = {
    "image folder": frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}),
    "text folder": frozenset({".txt", ".md", ".html"}),
    "audio folder": frozenset({".wav", ".flac", ".mp3", ".ogg", ".m4a"}),
}
_TABLES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".xlsx", ".gz", ".arrow", ".sqlite", ".db")
_MOSTLY = 0.8


def read_folder(folder: Path) -> Table:
    """Read a folder of Parquet parts, or list one of pictures, text or sound.

    The listing has the columns `path` (relative) and `label` (the folder that the file lies in), and one of the formats
    `image folder`, `text folder` and `audio folder`. Raises `SourceError` for any other folder.
    """
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise SourceError(f"the folder '{folder}' cannot be read: {(error.strerror or str(error)).lower()}") from None
    endings = Counter(path.suffix.lower() for path in files)
    if files and endings[".parquet"] == len(files):
        return _read_parts(files, folder)
    for kind, known in _KINDS.items():
        chosen = [path for path in files if path.suffix.lower() in known]
        if chosen and len(chosen) >= _MOSTLY * len(files):
            names = [str(path.relative_to(folder)) for path in chosen]
            labels = [path.parent.name if path.parent != folder else None for path in chosen]
            frame = pl.DataFrame({"path": names, "label": pl.Series(labels, dtype=pl.String)})
            return Table(frame, np.arange(1, frame.height + 1), str(folder), kind)
    tables = [path.relative_to(folder) for path in files if path.suffix.lower() in _TABLES]
    advice = f"give one of its tables, such as '{folder / tables[0]}'" if tables else "give the path of a table"
    raise SourceError(f"'{folder}' is a folder and not a table; {advice}")


def _read_parts(files: list[Path], folder: Path) -> Table:
    try:
        frame = pl.read_parquet(files)
    except pl.exceptions.PolarsError as error:
        raise SourceError(
            f"the Parquet files in '{folder}' do not make one table: {str(error).splitlines()[0]}"
        ) from None
    if frame.is_empty():
        raise SourceError(f"the Parquet files in '{folder}' have no rows; give at least one")
    return Table(frame, np.arange(1, frame.height + 1), str(folder), "parquet", notes=(f"joined {len(files)} files",))
