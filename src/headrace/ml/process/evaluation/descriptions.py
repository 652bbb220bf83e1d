"""Groups of rows in words: what tells them from the rest, and which rows are typical of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.preparation import Preparation
from headrace.ml.tables.columns import Column, ColumnKind

_MOST = 4
_TELLING = 0.4
"""Differences of means in standard deviations, or of shares times two, that are worth a word."""
_TYPICAL = 3
_COLUMNS = 8


def describe_group(
    frame: pl.DataFrame, inside: pl.Series, columns: Sequence[Column], private: frozenset[str]
) -> list[str]:
    """Say in up to four phrases how the rows `inside` differ from the others, the most telling first."""
    if not inside.any() or inside.all():
        return []
    found = []
    for column in columns:
        if column.name in private or column.kind is ColumnKind.DATE:
            continue
        values = frame[column.name]
        told = _number(values, inside) if values.dtype.is_numeric() else _category(values, inside)
        if told is not None and told[0] >= _TELLING:
            found.append(told)
    return [phrase for _, phrase in sorted(found, key=lambda one: -one[0])[:_MOST]]


def _number(values: pl.Series, inside: pl.Series) -> tuple[float, str] | None:
    here, there, spread = values.filter(inside).mean(), values.filter(~inside).mean(), values.std()
    if not isinstance(here, float) or not isinstance(there, float) or not isinstance(spread, float) or spread <= 0:
        return None
    more = "higher" if here > there else "lower"
    return abs(here - there) / spread, f"{values.name} is {more}: {here:,.4g} on average, {there:,.4g} elsewhere"


def _category(values: pl.Series, inside: pl.Series) -> tuple[float, str] | None:
    counts = pl.DataFrame({"value": values, "inside": inside}).group_by("value").agg(
        here=pl.col("inside").sum(), there=(~pl.col("inside")).sum()
    )  # fmt: skip
    counts = counts.with_columns(
        here=pl.col("here") / int(inside.sum()), there=pl.col("there") / int((~inside).sum())
    ).with_columns(apart=(pl.col("here") - pl.col("there")).abs())
    value, here, there, apart = counts.sort(["apart", "value"], descending=[True, False]).row(0)
    shown = f"“{value}”" if value else "missing"
    return 2 * apart, f"{values.name} is {shown} in {here:.0%} (elsewhere {there:.0%})"


def typical_rows(
    preparation: Preparation,
    points: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    private: frozenset[str],
) -> list[dict[str, Any]]:
    """Return the three rows nearest to the middle of `rows` (positions): their source row, and their values."""
    if not len(rows):
        return []
    apart = ((points[rows] - points[rows].mean(axis=0)) ** 2).sum(axis=1)
    shown = [c.name for c in preparation.columns if c.name not in private and c.kind is not ColumnKind.DATE][:_COLUMNS]
    return [
        {"row": int(preparation.source_rows[row]), "values": preparation.frame.select(shown).row(int(row), named=True)}
        for row in rows[np.argsort(apart, kind="stable")[:_TYPICAL]]
    ]
