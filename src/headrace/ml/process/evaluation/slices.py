"""Slices of a table: the rows where one column, or two, have certain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.evaluation.groups import FEW_NUMBERS, shown_number
from headrace.ml.tables.columns import CONTENT, Column

MOST_VALUES = 8

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """Rows where `column` has the category `value`, lies in [low, high), or is missing (neither is given)."""

    column: Column
    value: str | None = None
    low: float | None = None
    high: float | None = None

    def holds(self, frame: pl.DataFrame) -> Mask:
        """Tell for each row [rows] whether the condition holds."""
        values = frame[self.column.name]
        if values.dtype == pl.String:
            return (values.fill_null("") == (self.value or "")).to_numpy()
        numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if self.low is None or self.high is None:
            return np.asarray(np.isnan(numbers))
        return np.asarray((numbers >= self.low) & (numbers < self.high))

    def __str__(self) -> str:
        """Say it in words, without the column's name."""
        if self.value:
            return f"is '{self.value[:40]}'"
        if self.low is None or self.high is None:
            return "is missing"
        low, high = (shown_number(bound, self.column.kind) for bound in (self.low, self.high))
        if np.isinf(self.low):
            return f"is under {high}"
        if np.isinf(self.high):
            return f"is {low} or more"
        return f"is {low}" if self.high == np.nextafter(self.low, np.inf) else f"is {low} to under {high}"


def conditions(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Condition]:
    """Return the conditions that cut `frame` up: the frequent categories, quarters of numbers and dates, missing."""
    found: list[Condition] = []
    for column in columns:
        values = frame[column.name]
        if values.dtype == pl.String:
            counts = values.fill_null("").alias("value").value_counts().sort("count", "value", descending=[True, False])
            found += [Condition(column, value) for value in counts["value"].head(MOST_VALUES)]
            continue
        numbers = values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
        distinct = np.unique(numbers)
        if len(distinct) <= FEW_NUMBERS:
            found += [Condition(column, low=float(n), high=float(np.nextafter(n, np.inf))) for n in distinct]
        else:
            inner = np.unique(np.quantile(numbers, [0.25, 0.5, 0.75]))
            edges = [-np.inf, *inner.tolist(), np.inf]
            found += [Condition(column, low=low, high=high) for low, high in pairwise(edges)]
        if len(numbers) < values.len():
            found.append(Condition(column))
    return found


def described(slice_: Sequence[Condition]) -> str:
    """Say where a slice lies, such as 'tenure' is under 9 and 'Contract' is 'One year'."""
    return " and ".join(f"'{condition.column.name}' {condition}" for condition in slice_)


def rows_of_slice(slice_: Sequence[Condition], frame: pl.DataFrame) -> Mask:
    """Tell for each row [rows] whether all conditions hold."""
    return np.asarray(np.logical_and.reduce([condition.holds(frame) for condition in slice_]))


def segmented(columns: Sequence[Column], private: frozenset[str]) -> list[Column]:
    """Return the columns whose values may be shown and are few enough to cut rows by."""
    return [column for column in columns if column.kind not in CONTENT and column.name not in private]
