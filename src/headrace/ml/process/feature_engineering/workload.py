"""How much feature engineering a run can afford, told from shape and budget alone, so that decisions repeat exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.categories import Vocabulary
from headrace.ml.process.feature_engineering.numpy_execution import level_matrix, number_matrix
from headrace.ml.process.feature_engineering.pair_search import explained
from headrace.ml.tables.columns import Column, ColumnKind

WIDEST = 400
"""A plan reads at most so many columns: the ones most related to the target."""
MOST_TEXTS = 10
SCREENED_ROWS = 1000
LEAST_BUDGET = 30.0
"""With a smaller budget, in seconds, nothing is tried and the defaults are taken."""
UNBOUNDED_ALLOWANCE = 8.0
LARGEST_ALLOWANCE = 12.0
SHARE = 0.06
"""Of the budget; the estimates below are of an idle core."""
BOTH = (View.TREES, View.SCALED)
SECONDS_PER_TREE_COLUMN = 5e-4
SECONDS_PER_TREE_CELL = 4e-7
SECONDS_PER_LINEAR_CELL = 2.6e-10
SECONDS_PER_PLAN_COLUMN = 6e-4
SECONDS_PER_PLAN_CELL = 1e-7


@dataclass(frozen=True)
class Work:
    """What is tried: how many rows and folds, and which views; none where there is no time."""

    rows: int
    folds: int
    views: tuple[View, ...]


CHOICES = (
    *(Work(rows, 3, BOTH) for rows in (5000, 3500, 2500)),
    *(Work(rows, 2, BOTH) for rows in (2500, 1500)),
    *(Work(rows, 2, (View.TREES,)) for rows in (2500, 1500)),
)
"""What can be tried, the most first."""


def plan_work(rows: int, columns: int, outcomes: int, families: int, budget: float | None) -> Work:
    """Choose the most that by estimate fits into the budget's share."""
    nothing = Work(0, 0, ())
    if (budget is not None and budget < LEAST_BUDGET) or rows < 60 or not families:
        return nothing
    allowance = UNBOUNDED_ALLOWANCE if budget is None else min(SHARE * budget, LARGEST_ALLOWANCE)
    return next((work for work in CHOICES if _seconds(work, rows, columns, outcomes, families) <= allowance), nothing)


def _seconds(work: Work, rows: int, columns: int, outcomes: int, families: int) -> float:
    rows = min(rows, work.rows)
    plan = columns * (SECONDS_PER_PLAN_COLUMN + rows * SECONDS_PER_PLAN_CELL)
    trees = columns * outcomes * (SECONDS_PER_TREE_COLUMN + rows * SECONDS_PER_TREE_CELL)
    linear = rows * (4 * columns) ** 2 * outcomes * SECONDS_PER_LINEAR_CELL
    fitting = {View.TREES: plan + trees, View.SCALED: plan + linear}
    return work.folds * (2 + families) * sum(fitting[view] for view in work.views)


def choose_columns(
    columns: Sequence[Column], frame: pl.DataFrame, outcomes: npt.NDArray[np.float64], seed: int
) -> tuple[Column, ...]:
    """Return the columns to read: all, or of very many those most related to `outcomes` [rows, outcomes]."""
    texts = [c for c in columns if c.kind == ColumnKind.TEXT]
    if len(columns) <= WIDEST and len(texts) <= MOST_TEXTS:
        return tuple(columns)
    drawn = np.sort(np.random.default_rng(seed).permutation(frame.height)[:SCREENED_ROWS])
    frame, outcomes = frame[drawn], outcomes[drawn]
    numbers = [c.name for c in columns if c.kind in (ColumnKind.NUMBER, ColumnKind.DATE)]
    categories = [c.name for c in columns if c.kind == ColumnKind.CATEGORY]
    relevance = dict(zip(numbers, _rank_correlations(number_matrix(frame, numbers), outcomes), strict=True))
    vocabulary = Vocabulary.fit(frame, categories)
    codes = level_matrix(frame, vocabulary)
    relevance |= {c: explained(codes[:, i], outcomes) for i, c in enumerate(vocabulary.columns)}
    ranked = sorted(relevance, key=lambda name: -relevance[name])
    chosen = {*ranked[: max(1, WIDEST - min(len(texts), MOST_TEXTS))], *(c.name for c in texts[:MOST_TEXTS])}
    return tuple(c for c in columns if c.name in chosen)


def _rank_correlations(values: npt.NDArray[np.float64], outcomes: npt.NDArray[np.float64]) -> list[float]:
    """Return the largest squared rank correlation of each column, or of its gaps, with an outcome."""
    missing = np.isnan(values)
    ranks = values.argsort(axis=0, kind="stable").argsort(axis=0).astype(np.float64)
    squared = np.maximum(_correlations(ranks, outcomes), _correlations(missing.astype(np.float64), outcomes)) ** 2
    return [float(v) for v in squared.max(axis=1)] if squared.size else []


def _correlations(values: npt.NDArray[np.float64], outcomes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    left = values - values.mean(axis=0)
    right = outcomes - outcomes.mean(axis=0)
    norms = np.sqrt((left**2).sum(axis=0))[:, None] * np.sqrt((right**2).sum(axis=0))
    return np.asarray(np.abs(left.T @ right) / np.where(norms > 0, norms, np.inf))
