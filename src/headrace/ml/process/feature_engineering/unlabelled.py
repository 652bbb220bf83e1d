"""Features without a label: numbers on one scale, categories as flags or by how rare they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Features, Task, View
from headrace.ml.process.feature_engineering.categories import Encodings, Vocabulary
from headrace.ml.process.feature_engineering.engineering import Feature
from headrace.ml.process.feature_engineering.execution import Block, Execution, Part
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.numbers import MissingIndicators, finite_sample, moments, quantiles
from headrace.ml.process.feature_engineering.numpy_execution import level_matrix, number_matrix
from headrace.ml.process.feature_engineering.plan import FittedPlan
from headrace.ml.process.preparation import Preparation
from headrace.ml.tables.columns import Column, ColumnKind


@dataclass(frozen=True)
class UnlabelledFeatures:
    """The fitted plan, its matrix of all rows [rows, features], and a record of what was made.

    It is learnt on training and validation rows.
    """

    plan: FittedPlan
    matrix: Features
    features: tuple[Feature, ...]
    view: View = View.SCALED


@dataclass(frozen=True, eq=False)
class RobustNumbers:
    """Numbers less their median, in units of their spread (interquartile range / 1.349); missing values become 0.

    Nothing is clipped: how far off a value lies is the point.
    """

    sources: tuple[str, ...]
    centre: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, columns: Sequence[str], values: npt.NDArray[np.float64]) -> RobustNumbers:
        """Learn centre and scale; where half the values are equal, the standard deviation is the scale."""
        values = finite_sample(values)
        low, middle, high = quantiles(values, (0.25, 0.5, 0.75))
        return cls(tuple(columns), middle, np.where(high > low, (high - low) / 1.349, moments(values)[1]))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self.sources

    def apply(self, run: Execution) -> Block:
        """Centre and scale."""
        values = (run.numbers(self.sources) - self.centre) / self.scale
        return run.where(run.call("isnan", values), np.zeros(len(self.sources)), values)


def engineer_unlabelled(preparation: Preparation, *, seed: int) -> UnlabelledFeatures:
    """Fit the plan: of clusters, standardised numbers and one-hot categories; of anomalies, nothing clipped."""
    learnt = np.concatenate([preparation.train, preparation.validation])
    frame = preparation.frame[learnt.tolist()]
    if preparation.task is Task.ANOMALY_DETECTION:
        plan = _strangeness(preparation.columns, frame)
        made: tuple[tuple[str, ColumnKind, str], ...] = (
            ("numbers less their median in units of their spread, not clipped", ColumnKind.NUMBER, "number"),
            ("how rare a category is (negative log frequency)", ColumnKind.CATEGORY, "category encoding"),
        )
    else:
        plan = fit_plan(
            frame, np.zeros(frame.height), columns=preparation.columns, classes=0,
            families=(Family("powers", View.SCALED),), imputation="median", indicators=False,
            views=[View.SCALED], seed=seed,
        )[0]  # fmt: skip
        made = (
            ("numbers clipped, made less skewed and standardised", ColumnKind.NUMBER, "number"),
            ("cycles of the calendar", ColumnKind.DATE, "date"),
            ("one flag a category; many categories by their frequency", ColumnKind.CATEGORY, "category encoding"),
        )
    features = tuple(
        Feature(name, sources, kind, True, "columns of different units must weigh alike")
        for name, wanted, kind in made
        if (sources := tuple(c.name for c in plan.columns_used if c.kind is wanted))
    )
    return UnlabelledFeatures(plan, plan.transform(preparation.frame, View.SCALED), features)


def _strangeness(columns: Sequence[Column], frame: pl.DataFrame) -> FittedPlan:
    """Fit robust numbers, the rarity of categories, and flags for values that are missing in few rows."""
    numbers = [c.name for c in columns if c.kind in (ColumnKind.NUMBER, ColumnKind.DATE)]
    categories = [c.name for c in columns if c.kind is ColumnKind.CATEGORY]
    doubles: list[Part] = []
    floats: list[Part] = []
    if numbers:
        values = number_matrix(frame, numbers)
        doubles.append(RobustNumbers.fit(numbers, values))
        gaps = [
            name for name, gap in zip(numbers, np.asarray(np.isnan(values).any(axis=0)).tolist(), strict=True) if gap
        ]
        if gaps:
            floats.append(MissingIndicators(tuple(gaps)))
    if categories:
        vocabulary = Vocabulary.fit(frame, categories)
        counts = np.maximum(vocabulary.counts(level_matrix(frame, vocabulary)), 0.5)
        rarity = -np.log(counts / max(1, frame.height))
        table = np.minimum(rarity, 10.0).astype(np.float32)[:, None]
        names = tuple(f"{name}: rarity" for name in vocabulary.columns)
        floats.append(Encodings(vocabulary, table, tuple(range(len(names))), names))
    return FittedPlan(tuple(columns), {View.SCALED: tuple(doubles)}, {View.SCALED: tuple(floats)})
