"""Rows of a series with the values before them: what a model of windows reads beside each value."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def lag_name(name: str, steps: int) -> str:
    """Return the name of a column's value some rows before.

    >>> lag_name("value", 2)
    'value (2 before)'
    """
    return f"{name} ({steps} before)"


def with_lags(frame: pl.DataFrame, names: Collection[str], window: int) -> pl.DataFrame:
    """Add to rows in the order of time, for each column of `names`, its values 1 to `window` - 1 rows before.

    The first `window` - 1 rows have no values for some of them. Columns that are there already stay as they are.
    """
    import polars as pl

    lags = [
        pl.col(name).shift(steps).alias(lag_name(name, steps))
        for name in names
        if name in frame.columns
        for steps in range(1, window)
        if lag_name(name, steps) not in frame.columns
    ]
    return frame.with_columns(lags)
