"""The target column: its labels, its numbers, and what of it cannot be learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import TargetError
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.table import Table

FEWEST_ROWS = 10
FEWEST_ROWS_OF_CLASS = 3  # one each for training, validation and test
_SHOWN = 40


@dataclass(frozen=True)
class Label:
    """The target as it was read: `raw` values and their source `positions` (1-based) where there are any.

    `missing` rows have no label.
    """

    raw: pl.Series
    positions: npt.NDArray[np.int64]
    column: Column
    missing: int

    @property
    def name(self) -> str:
        """Name of the target column."""
        return self.raw.name

    @property
    def rows(self) -> int:
        """Rows that have a label."""
        return self.raw.len()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows of each class, in the order of the names."""
        counted = label_texts(self.raw, self.column).alias("label").value_counts()
        return dict(sorted(zip(counted["label"], counted["count"], strict=True)))

    @property
    def learnable(self) -> dict[str, int]:
        """Rows of each class that has enough of them."""
        return {name: count for name, count in self.counts.items() if count >= FEWEST_ROWS_OF_CLASS}

    @property
    def rare(self) -> dict[str, int]:
        """Rows of each class that has too few to be learnt."""
        return {name: count for name, count in self.counts.items() if count < FEWEST_ROWS_OF_CLASS}

    @cached_property
    def _parsed(self) -> tuple[pl.Series, pl.Series]:
        values, unreadable = parse_column(self.raw, replace(self.column, kind=ColumnKind.NUMBER))
        return values, unreadable

    @property
    def numeric_share(self) -> float:
        """Share of the labels that read as numbers, infinities left out."""
        return 1.0 - float(self._parsed[1].to_numpy().mean())

    @property
    def numbers(self) -> npt.NDArray[np.float64]:
        """The labels as finite numbers [rows]."""
        return self._parsed[0].drop_nulls().to_numpy()

    def require_numbers(self) -> None:
        """Raise `TargetError` where a label is text or infinite, with the count, the first and its row."""
        unreadable = self._parsed[1].to_numpy()
        if not unreadable.any():
            return
        texts = label_texts(self.raw, self.column)
        infinite = texts.str.contains(r"(?i)^[+-]?inf(inity)?$").to_numpy()
        text = unreadable & ~infinite
        which = text if text.any() else unreadable
        what = "not numbers" if text.any() else "infinite"
        hint = ", or pass --task multiclass to predict labels" if text.any() else " or leave those cells blank"
        first = int(which.argmax())
        raise TargetError(
            f"target column '{self.name}' has {which.sum():,} value{'s' if which.sum() > 1 else ''} that "
            f"{'are' if which.sum() > 1 else 'is'} {what} (first: '{texts[first][:_SHOWN]}' in row "
            f"{self.positions[first]}); clean the column{hint}"
        )


def detect(raw: pl.Series) -> Column:
    """Return what kind of values a column holds."""
    from headrace.ml.tables.detection import detect_column

    return detect_column(raw)[0]


def label_texts(raw: pl.Series, column: Column | None = None) -> pl.Series:
    """Return the labels of a target column as text, "" where there is none: what classes are compared by."""
    column = column or detect(raw)
    return parse_column(raw, replace(column, kind=ColumnKind.CATEGORY))[0]


def read_label(table: Table, target: str) -> Label:
    """Read the target column; raise `TargetError` where there is nothing to learn from it."""
    raw = table.frame[target]
    column = detect(raw)
    present = label_texts(raw, column) != ""
    label = Label(raw.filter(present), table.rows[present.to_numpy()], column, int((~present).sum()))
    if not raw.len():
        raise TargetError("the table has no rows; add some")
    if not label.rows:
        raise TargetError(
            f"target column '{target}' is missing in all {raw.len():,} rows; name another column, or fill it"
        )
    if label.rows < FEWEST_ROWS:
        counted = "1 row has" if label.rows == 1 else f"{label.rows} rows have"
        raise TargetError(
            f"only {counted} a label in the target column '{target}'; at least {FEWEST_ROWS} are needed, "
            "and some hundreds for a model worth having"
        )
    return label
