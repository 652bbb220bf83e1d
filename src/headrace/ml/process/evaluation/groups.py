"""How the model does for groups of rows: the values or ranges of the important columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import Metric, bootstrap_interval
from headrace.ml.process.evaluation.measures import sign
from headrace.ml.tables.columns import Column, ColumnKind

FEWEST_ROWS = 20
MOST_SEGMENTS = 40
_MOST_GROUPS = 8
FEW_NUMBERS = 6
_OTHER = "(other)"
_MISSING = "(missing)"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """Test rows with what was predicted for them, and the metric and threshold that judge them."""

    task: Task
    target: Target
    predictions: Predictions
    metric: Metric
    threshold: float
    seed: int

    def score(self, mask: Mask) -> dict[str, Any]:
        """Return rows, share, and the metric with its interval (None where it has no value) for some of the rows."""
        target, predictions = self.target[mask], self.predictions[mask]
        value = self.metric.score(target, predictions, self.threshold)
        low, high = bootstrap_interval(self.metric, target, predictions, self.threshold, seed=self.seed, replicates=100)
        figures = {self.metric.name: value, "low": low, "high": high}
        counted = {"rows": int(mask.sum()), "share": float(mask.mean())}
        return counted | {name: figure if np.isfinite(figure) else None for name, figure in figures.items()}


def segments(frame: pl.DataFrame, columns: Sequence[Column], measured: Measured) -> list[dict[str, Any]]:
    """Return the metric for each value or quantile range of `columns`, the worst segment first."""
    found = [
        {"column": column.name, "group": name} | measured.score(mask)
        for column in columns
        for name, mask in split(frame[column.name], column.kind)
        if mask.sum() >= FEWEST_ROWS
    ]
    scored = [row for row in found if row[measured.metric.name] is not None]
    scored.sort(key=lambda row: (sign(measured.metric) * row[measured.metric.name], row["column"], row["group"]))
    return scored[:MOST_SEGMENTS]


def split(values: pl.Series, kind: ColumnKind) -> Iterator[tuple[str, Mask]]:
    """Split rows by category (the most frequent, and the others together), or by quantiles of numbers and dates."""
    if kind in (ColumnKind.CATEGORY, ColumnKind.TEXT):
        texts = values.fill_null("")
        counts = texts.alias("group").value_counts()
        ordered = sorted(zip(counts["count"], counts["group"], strict=True), key=lambda pair: (-pair[0], pair[1]))
        shown = [name for _, name in ordered[:_MOST_GROUPS]]
        for name in shown:
            yield name or _MISSING, (texts == name).to_numpy()
        others = ~texts.is_in(shown).to_numpy()
        if others.any():
            yield _OTHER, others
        return
    numbers = values.fill_null(float("nan")).to_numpy()
    known = ~np.isnan(numbers)
    distinct = np.unique(numbers[known])
    if len(distinct) <= FEW_NUMBERS:
        for number in distinct:
            yield shown_number(number, kind), numbers == number
    else:
        edges = np.unique(np.quantile(numbers[known], [0, 0.25, 0.5, 0.75, 1]))
        for i, (low, high) in enumerate(pairwise(edges)):
            last = i == len(edges) - 2
            mask = (numbers >= low) & ((numbers <= high) if last else (numbers < high))
            yield f"{shown_number(low, kind)} to {'' if last else 'below '}{shown_number(high, kind)}", mask
    if not known.all():
        yield _MISSING, ~known


def shown_number(number: float, kind: ColumnKind) -> str:
    """Write a number, or seconds since 1970 as a date."""
    if kind is ColumnKind.DATE and abs(number) < 2.5e11:
        return datetime.fromtimestamp(number, UTC).date().isoformat() if number > -6.2e10 else f"{number:.6g}"
    return f"{number:.6g}"
