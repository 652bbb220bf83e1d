"""Step 6, feature engineering: the feature plan, one definition with two executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Features, View
from headrace.ml.process.exploration import Exploration
from headrace.ml.process.feature_engineering.engineering import Feature, decide
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.plan import FittedPlan
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.tables.columns import Column

__all__ = ["Feature", "FeatureEngineering", "FittedPlan", "engineer_features"]


@dataclass(frozen=True)
class FeatureEngineering:
    """The unfitted plan: which features are made, and why.

    `specification` holds the families that earned their place. `columns` are those that the plan may read, `classes` is
    0 for regression, `imputation` and `indicators` are the preparation's choices for the scaled view, `strengths`
    those of the words of each text column.
    """

    features: tuple[Feature, ...]
    specification: tuple[Family, ...]
    columns: tuple[Column, ...] = ()
    classes: int = 0
    imputation: str = "median"
    indicators: bool = True
    strengths: Mapping[str, float] = field(default_factory=dict)

    def fit_transform(
        self, frame: pl.DataFrame, target: npt.NDArray[Any], *, views: Sequence[View], seed: int
    ) -> tuple[FittedPlan, Mapping[View, Features]]:
        """Fit on these rows; the matrices returned for them use cross-fitted encodings, to be learnt from."""
        return fit_plan(
            frame,
            target,
            columns=self.columns,
            classes=self.classes,
            families=self.specification,
            imputation=self.imputation,
            indicators=self.indicators,
            views=views,
            seed=seed,
            strengths=self.strengths,
        )


def engineer_features(
    preparation: Preparation, framing: ProblemFraming, exploration: Exploration, *, seed: int, progress: Progress
) -> FeatureEngineering:
    """Decide which features are made; one is kept when it earns its place in cross-validation on the training part."""
    del exploration
    decision = decide(preparation, framing.classes, seed=seed, progress=progress)
    return FeatureEngineering(
        decision.features,
        decision.families,
        decision.columns,
        decision.classes,
        preparation.imputation,
        preparation.indicators,
        decision.strengths,
    )
