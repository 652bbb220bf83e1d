"""Step 5, exploration: statistics, distributions, relations, outliers, leaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming


@dataclass(frozen=True)
class Exploration:
    """What the training part looks like; everything is plain JSON data, ready to be drawn.

    `columns`: one mapping a column: name, kind, count, missing, distinct, mean, std, minimum, quartiles, maximum,
    skew, outliers, top (value, count pairs), relevance (association with the target, 0…1) and its measure.
    `histograms`: column → bins [{start, end, count}] or [{value, count}].
    `target_by_feature`: column → [{start, end | value, count, target}] (rate of the positive class, or mean).
    `correlations`: {columns, pearson, spearman, association} matrices (Cramér's V and correlation ratio in the last).
    `scatter`: pairs [{x, y, points: [{x, y, target}]}].
    `missing_map`: {columns, rows: [[0 | 1]], patterns}. `leaks`: [{column, evidence}]. `sampled`: rows looked at, or None for all.
    Personal values never appear in it.
    """

    columns: tuple[Mapping[str, Any], ...]
    target: Mapping[str, Any]
    histograms: Mapping[str, Any]
    target_by_feature: Mapping[str, Any]
    correlations: Mapping[str, Any]
    scatter: tuple[Mapping[str, Any], ...]
    missing_map: Mapping[str, Any]
    outliers: tuple[Mapping[str, Any], ...]
    leaks: tuple[Mapping[str, Any], ...]
    sampled: int | None


def explore_data(dataset: Dataset, preparation: Preparation, framing: ProblemFraming, *, seed: int) -> Exploration:
    """Describe the training part, and look for leaks and outliers."""
    raise NotImplementedError
