"""Step 6, feature engineering: the feature plan, one definition with two executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Features, Graph, View
from headrace.ml.process.exploration import Exploration
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.tables.columns import Column


@dataclass(frozen=True)
class Feature:
    """One engineered feature or family: where it comes from, and whether it earned its place."""

    name: str
    sources: tuple[str, ...]
    kind: str
    kept: bool
    reason: str
    gain: float | None = None


class FittedPlan:
    """The plan, fitted on some rows: executes on frames, and writes itself into an ONNX graph."""

    columns: tuple[Column, ...]

    def transform(self, frame: pl.DataFrame, view: View) -> Features:
        """Turn typed columns into a float32 matrix [rows, features], as serving will."""
        raise NotImplementedError

    def names(self, view: View) -> list[str]:
        """Names of the matrix's columns."""
        raise NotImplementedError

    def to_onnx(self, graph: Graph, inputs: Mapping[str, str], view: View) -> str:
        """Write the plan into `graph`; `inputs` maps a column to a tensor [rows, 1] (double, or string). Returns the matrix's name."""
        raise NotImplementedError


@dataclass(frozen=True)
class FeatureEngineering:
    """The unfitted plan: which features are made, and why."""

    features: tuple[Feature, ...]
    specification: tuple[Any, ...]

    def fit_transform(
        self, frame: pl.DataFrame, target: npt.NDArray[Any], *, views: Sequence[View], seed: int
    ) -> tuple[FittedPlan, Mapping[View, Features]]:
        """Fit on these rows; the matrices returned for them use cross-fitted encodings, so that they may be learnt from."""
        raise NotImplementedError


def engineer_features(
    preparation: Preparation, framing: ProblemFraming, exploration: Exploration, *, seed: int, progress: Progress
) -> FeatureEngineering:
    """Decide which features are made; one is kept when it earns its place in cross-validation on the training part."""
    raise NotImplementedError


_ = np
