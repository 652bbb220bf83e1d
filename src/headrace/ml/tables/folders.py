"""Folders: parts of one Parquet table, or files of pictures, text or sound with a label each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.encoding import decode
from headrace.ml.tables.opening import read_path
from headrace.ml.tables.pictures import problem_of
from headrace.ml.tables.table import Table

_KINDS = {
    "image folder": frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}),
    "text folder": frozenset({".txt", ".md", ".html"}),
    "audio folder": frozenset({".wav", ".flac", ".mp3", ".ogg", ".m4a"}),
}
_TABLES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".xlsx", ".gz", ".arrow", ".sqlite", ".db")
_MOSTLY = 0.8
MOST_BYTES = 1 << 32


def read_folder(folder: Path) -> Table:
    """Read a folder of Parquet parts, or list one of pictures, text or sound.

    The listing has the columns `path` (relative), `image` (encoded bytes) or `text`, and `label` (the folder that the
    file lies in), and one of the formats `image folder`, `text folder` and `audio folder`; sound is named only. Links
    that lead out of the folder are left out, and said. Raises `SourceError` for any other folder.
    """
    try:
        found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        files, notes = _within(found, folder)
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
            frame = pl.DataFrame({"path": names, **_contents(kind, chosen, folder)})
            frame = frame.with_columns(label=pl.Series(labels, dtype=pl.String))
            notes = (*notes, *_unreadable(frame), *_repeated(frame))
            return Table(frame, np.arange(1, frame.height + 1), str(folder), kind, notes=notes)
    tables = [path.relative_to(folder) for path in files if path.suffix.lower() in _TABLES]
    advice = f"give one of its tables, such as '{folder / tables[0]}'" if tables else "give the path of a table"
    raise SourceError(f"'{folder}' is a folder and not a table; {advice}")


def _within(files: list[Path], folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Leave out links that lead out of the folder: what lies there was not given to be read."""
    whole = folder.resolve()
    kept = [path for path in files if path.resolve().is_relative_to(whole)]
    if len(kept) == len(files):
        return kept, ()
    first = next(path for path in files if path not in set(kept)).relative_to(folder)
    count = len(files) - len(kept)
    links = _counted(count, "link that leads", "links that lead")
    return kept, (f"{links} out of the folder (first: '{first}') and not followed",)


def _contents(kind: str, files: list[Path], folder: Path) -> dict[str, pl.Series]:
    """Read pictures and texts."""
    if kind == "audio folder":
        return {}
    size = sum(path.stat().st_size for path in files)
    if size > MOST_BYTES:
        raise SourceError(
            f"the files in '{folder}' have {size:,} bytes, and at most {MOST_BYTES:,} are read; give fewer"
        )
    contents = [read_path(path) for path in files]
    if kind == "image folder":
        return {"image": pl.Series(contents, dtype=pl.Binary)}
    return {"text": pl.Series([decode(data, str(path))[0] for data, path in zip(contents, files, strict=True)])}


def _unreadable(frame: pl.DataFrame) -> tuple[str, ...]:
    """Name the pictures that cannot be read."""
    bad = []
    for path, data in frame.select("path", "image").iter_rows() if "image" in frame.columns else ():
        if reason := problem_of(data):
            bad.append(f"'{path}' ({reason})")
    if not bad:
        return ()
    more = f" and {len(bad) - 5:,} more" if bad[5:] else ""
    pictures = _counted(len(bad), "picture that cannot be read and counts", "pictures that cannot be read and count")
    return (f"{pictures} as missing: {', '.join(bad[:5])}{more}",)


def _repeated(frame: pl.DataFrame) -> tuple[str, ...]:
    """Say which files are copies of others, and of copies under different labels."""
    content = next((name for name in ("image", "text") if name in frame.columns), None)
    if content is None:
        return ()
    groups = frame.group_by(content, maintain_order=True).agg("path", "label")
    copies = groups.filter(pl.col("path").list.len() > 1)
    if not copies.height:
        return ()
    more, first = int(copies["path"].list.len().sum()) - copies.height, copies["path"][0].to_list()
    notes = [f"{_counted(more, 'copy', 'copies')} of other files, byte by byte (first: '{first[1]}' of '{first[0]}')"]
    torn = copies.filter(pl.col("label").list.n_unique() > 1)
    if torn.height:
        paths, labels = torn["path"][0].to_list(), torn["label"][0].to_list()
        other = next(path for path, label in zip(paths, labels, strict=True) if label != labels[0])
        counted = _counted(torn.height, "file has copies", "files have copies")
        notes.append(f"{counted} under another label (first: '{paths[0]}' and '{other}')")
    return tuple(notes)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


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
