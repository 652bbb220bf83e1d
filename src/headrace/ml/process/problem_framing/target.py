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
_LARGEST, _SMALLEST = 1e30, 1e-30
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
    def distinct(self) -> int:
        """Number of different labels."""
        by_number = self.column.kind is ColumnKind.NUMBER and self.numeric_share == 1.0
        return (self._parsed[0] if by_number else label_texts(self.raw, self.column)).n_unique()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows of each class, in the order of the names."""
        counted = self.raw.alias("raw").value_counts()
        labels: dict[str, int] = {}
        for name, count in zip(label_texts(counted["raw"], self.column), counted["count"], strict=True):
            labels[name] = labels.get(name, 0) + count
        return dict(sorted(labels.items()))

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
            self._require_scale()
            return
        texts = label_texts(self.raw.filter(self._parsed[1]), self.column)
        infinite = texts.str.contains(r"(?i)^[+-]?inf(inity)?$").to_numpy()
        which, what, hint = ~infinite, "not numbers", ", or pass --task multiclass to predict labels"
        if infinite.all():
            which, what, hint = infinite, "infinite", " or leave those cells blank"
        first = int(which.argmax())
        values = f"{which.sum():,} values that are {what}"
        if which.sum() == 1:
            values = f"1 value that is {what.replace('numbers', 'a number')}"
        raise TargetError(
            f"target column '{self.name}' has {values} (first: '{texts[first][:_SHOWN]}' in row "
            f"{self.positions[unreadable][first]}); clean the column{hint}"
        )

    def _require_scale(self) -> None:
        """Raise `TargetError` where models, which compute in single precision, cannot hold the labels."""
        largest = float(np.abs(self.numbers).max(initial=0.0))
        if largest > _LARGEST or 0 < largest < _SMALLEST:
            raise TargetError(
                f"target column '{self.name}' has values of a size of {largest:.3g}, and models can hold "
                f"{_SMALLEST:g} to {_LARGEST:g}; give it in {'larger' if largest > _LARGEST else 'smaller'} units"
            )


def detect(raw: pl.Series) -> Column:
    """Return what kind of values a column holds.

    Rare words among numbers, which count as missing in a feature, stay what they are: a label is not dropped unseen.
    """
    from headrace.ml.tables.detection import MISSING_WORDS, detect_column

    column = detect_column(raw)[0]
    numbers = {f"{number:g}" for number in column.sentinels()}
    return replace(column, missing=tuple(m for m in column.missing if m.lower() in MISSING_WORDS or m in numbers))


def label_texts(raw: pl.Series, column: Column | None = None) -> pl.Series:
    """Return the labels of a target column as text, "" where there is none: what classes are compared by."""
    return parse_column(raw, replace(column or detect(raw), kind=ColumnKind.CATEGORY))[0]


def read_label(table: Table, target: str) -> Label:
    """Read the target column; raise `TargetError` where there is nothing to learn from it."""
    raw = table.frame[target]
    if not raw.len():
        raise TargetError("the table has no rows; add some")
    column = detect(raw)
    present = _present(raw, column)
    label = Label(raw.filter(present), table.rows[present.to_numpy()], column, int((~present).sum()))
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


def _present(raw: pl.Series, column: Column) -> pl.Series:
    if column.kind is ColumnKind.NUMBER and raw.dtype.is_numeric():
        values, unreadable = parse_column(raw, column)
        return values.is_not_null() | unreadable
    return label_texts(raw, column) != ""
