"""Why a prediction is what it is: Shapley values of the raw columns, by sampling permutations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Task
from headrace.ml.prediction.baseline import Baseline, ColumnBaseline
from headrace.ml.prediction.model import Model
from headrace.ml.prediction.reader import TEXTUAL
from headrace.ml.tables.columns import Column, ColumnKind

if TYPE_CHECKING:
    import polars as pl

_MOST_CELLS = 200_000_000

Cells = npt.NDArray[Any]


Predict = Callable[["pl.DataFrame"], npt.NDArray[np.float64]]
"""From typed rows to outputs [rows, outputs]."""


@dataclass(frozen=True)
class Sampling:
    """How Shapley values are sampled: `samples` backgrounds a row, `cells` values through the graph at once."""

    seed: int = 0
    samples: int = 64
    cells: int = 4_000_000


def explain_rows(
    model: Model,
    frame: pl.DataFrame,
    rows: Sequence[int],
    *,
    seed: int = 0,
    samples: int = 64,
    cells: int = 4_000_000,
) -> list[dict[str, Any]]:
    """Explain the predictions for the rows at the positions `rows` (0-based) of a typed frame.

    Each result has `prediction`, `base` and `contributions`: [{column, value, contribution}], largest first, which sum
    to prediction − base. What is explained is the positive class's probability (binary) or that of the likeliest class
    (multiclass), named in `class`, or the value (regression). `base` is the mean prediction for
    backgrounds drawn column by column from the baseline; a contribution is what knowing the value changes on average.
    `method` is sampled.

    `samples` backgrounds, each walked through a random order of the columns and its reverse, cost
    2 · samples · columns predictions a row; fewer are drawn for tables of more than about a thousand columns.
    At most `cells` values go through the graph at once, which bounds memory.
    Source: Štrumbelj & Kononenko (2014), Explaining prediction models and individual predictions with feature
    contributions; antithetic orders as in Mitchell et al. (2022), Sampling permutations for Shapley value estimation.
    """
    how = Sampling(seed, samples, cells)
    explanations = []
    for position in rows:
        row = frame[position]
        code = explained_class(model, row)

        def predict(frame: pl.DataFrame, code: int | None = code) -> npt.NDArray[np.float64]:
            return values_of(model.predict_frame(frame), code)[:, None]

        base, contributions = sample_shapley(predict, model.columns, model.baseline, row, [seed, position], how)
        prediction = float(predict(row)[0, 0])
        explanations.append(
            explanation(model, row, code, prediction, float(base[0]), model.columns, contributions[:, 0], "sampled")
        )
    return explanations


def sample_shapley(
    predict: Predict,
    columns: Sequence[Column],
    baseline: Baseline,
    row: pl.DataFrame,
    seed: Sequence[int],
    how: Sampling,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return base [outputs] and contributions [columns, outputs] of one row to what `predict` answers."""
    count = len(columns)
    samples = max(1, min(how.samples, _MOST_CELLS // (2 * max(1, count) ** 2)))
    generator, baselines = np.random.default_rng(seed), {column.name: column for column in baseline.columns}
    orders = np.array([generator.permutation(count) for _ in range(samples)])
    orders = np.concatenate([orders, orders[:, ::-1]])
    background = {c.name: draw_background(baselines.get(c.name), c, samples, generator) for c in columns}
    steps = _walk(predict, columns, row, orders, background, max(1, how.cells // max(1, count)))
    contributions = np.zeros((count, steps.shape[2]))
    np.add.at(contributions, orders.ravel(), np.diff(steps, axis=1).reshape(-1, steps.shape[2]))
    return steps[:, 0].mean(axis=0), contributions / len(orders)


def explanation(
    model: Model,
    row: pl.DataFrame,
    code: int | None,
    prediction: float,
    base: float,
    columns: Sequence[Column],
    amounts: npt.NDArray[np.float64],
    method: str,
) -> dict[str, Any]:
    """Put one row's explanation together: contributions [columns] ranked, with the values they belong to."""
    ranked = sorted(zip(columns, amounts.tolist(), strict=True), key=lambda pair: (-abs(pair[1]), pair[0].name))
    found: dict[str, Any] = {
        "prediction": prediction,
        "base": base,
        "contributions": [
            {"column": column.name, "value": _shown(row, column), "contribution": amount} for column, amount in ranked
        ],
        "method": method,
    }
    return found if code is None else found | {"class": model.manifest.classes[code]}


def _walk(
    predict: Predict,
    columns: Sequence[Column],
    row: pl.DataFrame,
    orders: npt.NDArray[np.int64],
    background: dict[str, Cells],
    size: int,
) -> npt.NDArray[np.float64]:
    """Predict every stage of every walk: from a background row to the explained one, a column at a time.

    Returns [walks, columns + 1, outputs]; both directions of an order share a background row. `size` stages go in one
    run.
    """
    walks, count = orders.shape
    rank = np.argsort(orders, axis=1)
    stages = walks * (count + 1)
    predicted = []
    for start in range(0, stages, size):
        walk, stage = np.divmod(np.arange(start, min(start + size, stages)), count + 1)
        frame = {}
        for position, column in enumerate(columns):
            drawn = background[column.name][walk % (walks // 2)]
            frame[column.name] = _revealed(row[column.name], column, drawn, stage > rank[walk, position])
        predicted.append(predict(_frame(frame)))
    return np.concatenate(predicted).reshape(walks, count + 1, -1)


def _revealed(value: pl.Series, column: Column, drawn: Cells, known: npt.NDArray[np.bool_]) -> pl.Series:
    import polars as pl

    if column.kind is ColumnKind.PICTURE:
        return pl.Series([value[0] if own else other for own, other in zip(known, drawn, strict=True)], dtype=pl.Binary)
    if column.kind in TEXTUAL:
        return pl.Series(np.where(known, np.array(value.fill_null("")[0], object), drawn).tolist(), dtype=pl.String)
    return pl.Series(np.where(known, value.cast(pl.Float64).fill_null(np.nan)[0], drawn))


def _frame(columns: dict[str, pl.Series]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(columns)


def draw_background(
    baseline: ColumnBaseline | None, column: Column, count: int, generator: np.random.Generator
) -> Cells:
    """Draw values of a column as the baseline says they occur: the outermost quantiles stand for half as many rows.

    Labels that the baseline left out are drawn as missing, and so are pictures and the values of private columns.
    """
    if column.kind is ColumnKind.PICTURE:
        return np.array([bytes(math.prod(column.shape))] * count, object)
    if baseline is None or not (baseline.quantiles or baseline.categories):
        return np.full(count, "", object) if column.kind in TEXTUAL else np.full(count, np.nan)
    if baseline.categories:
        labels = np.array([*(label for label, _ in baseline.categories), ""], object)
        shares = np.array([share for _, share in baseline.categories])
        shares = np.append(shares, max(0.0, 1.0 - shares.sum()))
        return labels[generator.choice(len(labels), count, p=shares / shares.sum())]
    weights = np.ones(len(baseline.quantiles))
    weights[[0, -1]] = 0.5
    values = np.array(baseline.quantiles)[generator.choice(len(weights), count, p=weights / weights.sum())]
    return np.where(generator.random(count) < baseline.missing, np.nan, values)


def explained_class(model: Model, row: pl.DataFrame) -> int | None:
    """Return the code of the class whose probability is explained: the positive or the likeliest; None for values."""
    if not model.manifest.classes:
        return None
    return 1 if model.manifest.task == Task.BINARY else int(np.argmax(model.predict_frame(row)[0]))


def values_of(predictions: npt.NDArray[np.float64], code: int | None) -> npt.NDArray[np.float64]:
    """Return the probability of one class [rows], or the values [rows] as they are."""
    return predictions if code is None else predictions[:, code]


def _shown(row: pl.DataFrame, column: Column) -> Any:
    value = row[column.name][0]
    if column.kind is ColumnKind.PICTURE:
        return "picture" if any(value) else None
    return None if value in (None, "") or value != value else value
