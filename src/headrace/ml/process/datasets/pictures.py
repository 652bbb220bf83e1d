"""Pictures among the columns of a table, as far as the steps before training look at them."""

from __future__ import annotations

import polars as pl


def as_digests(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a short name of its content in the place of each picture: what is counted and compared, not looked at."""
    return frame.with_columns(pl.col(pl.Binary).hash(0).cast(pl.String))


def file_names(table_format: str, names: list[str]) -> dict[str, str]:
    """Return the columns of a folder's listing that only name its files, with the reason why they are set aside."""
    if not table_format.endswith(" folder") or "path" not in names:
        return {}
    return {"path": "the name of a file, which says nothing of new files"}
