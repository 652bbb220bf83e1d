"""How the model does for groups of rows: segments of the important columns, and sensitive groups."""

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
from headrace.ml.metrics import Metric, bootstrap_interval, labels
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


def sensitive_groups(frame: pl.DataFrame, columns: Sequence[Column], measured: Measured) -> list[dict[str, Any]]:
    """Return how each group of the sensitive columns is treated.

    Two classes: `selection_rate` (predicted positive), true and false positive rates, and `disparate_impact`, the
    selection rate over that of the group of 20 rows or more that is selected most often (below 0.8 is the usual sign of
    unequal treatment). More
    classes: accuracy. Numbers: the mean error. Source: the four-fifths rule of the US Uniform Guidelines, 1978.
    """
    found: list[dict[str, Any]] = []
    for column in columns:
        groups = [
            {"column": column.name, "group": name} | measured.score(mask) | _rates(measured, mask)
            for name, mask in split(frame[column.name], column.kind)
        ]
        large = [group for group in groups if group["rows"] >= FEWEST_ROWS] or groups
        most = max((group.get("selection_rate", 0.0) for group in large), default=0.0)
        found += [
            group | ({"disparate_impact": group["selection_rate"] / most} if most > 0 else {}) for group in groups
        ]
    return found


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


def _rates(measured: Measured, mask: Mask) -> dict[str, Any]:
    target, predictions = measured.target[mask], measured.predictions[mask]
    if measured.task is Task.REGRESSION:
        return {"mean_error": float((predictions - target).mean())}
    predicted = labels(predictions, measured.threshold)
    if measured.task is Task.MULTICLASS:
        return {"accuracy": float((predicted == target).mean())}
    positive = target == 1
    return {
        "base_rate": float(positive.mean()),
        "selection_rate": float(predicted.mean()),
        "true_positive_rate": float(predicted[positive].mean()) if positive.any() else None,
        "false_positive_rate": float(predicted[~positive].mean()) if (~positive).any() else None,
    }


def shown_number(number: float, kind: ColumnKind) -> str:
    """Write a number, or seconds since 1970 as a date."""
    if kind is ColumnKind.DATE and abs(number) < 2.5e11:
        return datetime.fromtimestamp(number, UTC).date().isoformat() if number > -6.2e10 else f"{number:.6g}"
    return f"{number:.6g}"
