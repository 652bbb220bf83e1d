"""The baseline that drift is told from later: what the training rows and the predictions for them looked like."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import ModelError
from headrace.ml.tables.columns import Column, ColumnKind

if TYPE_CHECKING:
    import polars as pl

FORMAT_VERSION = 2
"""2 added `points` and `test`; a baseline of format 1 loads without them."""
QUANTILES = 21
"""Quantiles kept of a number: from the smallest value to the largest in steps of 5 %."""
TOP_CATEGORIES = 200
POINTS = 101
"""Values of a number at which the rows up to it are counted: all where there are so few, else every hundredth part."""
TEXT_ROWS = 5
"""Rows that must share a text, or a label of a nearly distinct column, before it is kept: what is said of one row never
leaves the training data."""


@dataclass(frozen=True)
class ColumnBaseline:
    """What one column held; `missing` is the share of rows without a value.

    Of numbers and dates it has the quantiles, which are values that occurred (none is interpolated), mean and std; of
    labels the most frequent and their shares of all rows. `categories_complete` tells that no label was left out.
    `points` pairs a value with the number of rows that have at most it (of texts: a length in characters).
    """

    name: str
    kind: ColumnKind
    count: int
    missing: float
    distinct: int
    quantiles: tuple[float, ...] = ()
    mean: float | None = None
    std: float | None = None
    categories: tuple[tuple[str, float], ...] = ()
    categories_complete: bool = False
    points: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class PredictionBaseline:
    """What was predicted: `classes` pairs a class with its mean probability, `labels` with its share of the decisions.

    Quantiles, mean, std and points are those of the positive class's probability, or of the values (regression).
    """

    count: int
    quantiles: tuple[float, ...] = ()
    mean: float | None = None
    std: float | None = None
    classes: tuple[tuple[str, float], ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    points: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class PerformanceBaseline:
    """How the compiled model fared on the untouched test part: what its performance later is held against.

    `predictions` are those for the test rows, `trained` those for the rows it was fitted on, and `target` what the test
    rows' true values were. `metric` judges; `metrics` are (name, value, low, high) with 95 % intervals, and `expected`
    the values (name, value, standard error) that were to be expected of the predictions alone. `calibration` holds
    slope and intercept of each class's log odds; `errors` (regression) the mean absolute and the mean squared error
    of the rows predicted at most a value, from the smallest to the largest.
    """

    rows: int
    predictions: PredictionBaseline
    trained: PredictionBaseline
    target: PredictionBaseline
    metric: str
    metrics: tuple[tuple[str, float, float, float], ...] = ()
    expected: tuple[tuple[str, float, float], ...] = ()
    calibration: tuple[tuple[float, float], ...] = ()
    errors: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Baseline:
    """Statistics of every input column and of the predictions; holds no training row."""

    rows: int
    columns: tuple[ColumnBaseline, ...]
    predictions: PredictionBaseline
    test: PerformanceBaseline | None = None

    def to_json(self) -> str:
        """Render as the text of baseline.json."""
        document = {"format_version": FORMAT_VERSION} | asdict(self)
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes, source: Path) -> Baseline:
        """Read baseline.json; `ModelError` when it is damaged or of a newer format."""
        try:
            document = json.loads(content)
            version = document.pop("format_version")
            if version > FORMAT_VERSION:
                raise ModelError(
                    f"'{source}' was made by a newer Headrace (baseline format {version}); upgrade headrace"
                )
            columns = tuple(
                ColumnBaseline(**_tuples(item) | {"kind": ColumnKind(item["kind"])}) for item in document["columns"]
            )
            predictions, test = PredictionBaseline(**_tuples(document["predictions"])), document.get("test")
            return cls(
                int(document["rows"]), columns, predictions, None if test is None else _performance_baseline(test)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"'{source}' is damaged ({error}); copy or train the model again") from error


def _performance_baseline(item: dict[str, Any]) -> PerformanceBaseline:
    parts = {name: PredictionBaseline(**_tuples(item[name])) for name in ("predictions", "trained", "target")}
    return PerformanceBaseline(**_tuples(item) | parts)


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(tuple(v) if isinstance(v, list) else v for v in value) if isinstance(value, list) else value
        for key, value in item.items()
    }


def measure_baseline(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    predictions: npt.NDArray[np.float64],
    *,
    classes: Sequence[str] = (),
    codes: npt.NDArray[np.int64] | None = None,
    private: Collection[str] = (),
) -> Baseline:
    """Measure the typed training rows and the predictions for them: probabilities [rows, classes], or values [rows].

    `codes` are the decided classes (the likeliest without them). Of the columns in `private` (personal data) only
    counts and shares are kept, never a value.
    """
    measured = tuple(_measure_column(frame[column.name], column, column.name in private) for column in columns)
    return Baseline(frame.height, measured, measure_predictions(predictions, classes, codes))


def _measure_column(values: pl.Series, column: Column, private: bool) -> ColumnBaseline:
    if column.kind is ColumnKind.PICTURE:
        missing = values.to_list().count(bytes(math.prod(column.shape))) / max(1, values.len())
        return ColumnBaseline(column.name, column.kind, values.len(), missing, values.n_unique())
    textual = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
    given = values.filter(values != "") if textual else values.drop_nulls().drop_nans()
    share = 1.0 - given.len() / values.len() if values.len() else 0.0
    shape = ColumnBaseline(column.name, column.kind, values.len(), share, given.n_unique())
    if private or given.len() == 0:
        return shape
    if not textual:
        numbers = given.to_numpy().astype(np.float64)
        quantiles, mean, std = _distribution(numbers)
        spread = {"quantiles": quantiles, "mean": mean, "std": std, "points": points_of(numbers)}
        return ColumnBaseline(**vars(shape) | spread)
    counts = given.value_counts(name="rows").sort(["rows", given.name], descending=[True, False])
    kept = counts.head(TOP_CATEGORIES)
    if column.kind is ColumnKind.TEXT or 2 * counts.height > given.len():
        kept = kept.filter(kept["rows"] >= TEXT_ROWS)
    categories = tuple((str(label), rows / values.len()) for label, rows in kept.iter_rows())
    told = {"categories": categories, "categories_complete": kept.height == counts.height}
    if column.kind is ColumnKind.TEXT:
        told["points"] = points_of(given.str.len_chars().to_numpy().astype(np.float64))
    return ColumnBaseline(**vars(shape) | told)


def points_of(numbers: npt.NDArray[np.float64]) -> tuple[tuple[float, int], ...]:
    """Return values that occurred, each with the number of values up to it; on average `TEXT_ROWS` lie between two."""
    ordered = np.sort(numbers)
    most = min(POINTS, max(QUANTILES, len(ordered) // TEXT_ROWS))
    values = np.unique(ordered)
    if len(values) > most:
        values = np.unique(np.quantile(ordered, np.linspace(0, 1, most), method="nearest"))
    return tuple(zip(values.tolist(), np.searchsorted(ordered, values, side="right").tolist(), strict=True))


def measure_predictions(
    predictions: npt.NDArray[np.float64], classes: Sequence[str] = (), codes: npt.NDArray[np.int64] | None = None
) -> PredictionBaseline:
    """Measure probabilities [rows, classes], or values [rows]; `codes` are the decided classes (else the likeliest)."""
    count = len(predictions)
    if count == 0:
        return PredictionBaseline(0)
    if not classes:
        return PredictionBaseline(count, *_distribution(predictions), points=points_of(predictions))
    decided = np.bincount(np.argmax(predictions, axis=1) if codes is None else codes, minlength=len(classes)) / count
    means = predictions.mean(axis=0)
    quantiles, mean, std = _distribution(predictions[:, 1]) if len(classes) == 2 else ((), None, None)
    return PredictionBaseline(
        count=count,
        quantiles=quantiles,
        mean=mean,
        std=std,
        classes=tuple((name, float(share)) for name, share in zip(classes, means, strict=True)),
        labels=tuple((name, float(share)) for name, share in zip(classes, decided, strict=True)),
        points=points_of(predictions[:, 1]) if len(classes) == 2 else (),
    )


def _distribution(values: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], float, float]:
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES), method="nearest")
    scale = float(np.abs(values).max()) or 1.0
    scaled = values / scale  # so that numbers near the largest double do not overflow
    return (
        tuple(quantiles.tolist()),
        float(scaled.mean() * scale),
        float(min(scaled.std() * scale, np.finfo(float).max)),
    )
