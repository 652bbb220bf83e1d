"""The metrics that models are chosen and judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headrace.ml.contract import Predictions, Target, Task


@dataclass(frozen=True)
class Metric:
    """A metric: `score(target, predictions)` on class codes and probabilities [rows, classes], or on values.

    For binary tasks class 1 is the positive class; metrics of labels (accuracy, f1, …) take `threshold`.
    """

    name: str
    title: str
    tasks: frozenset[Task]
    greater_is_better: bool
    needs_threshold: bool
    score: Callable[[Target, Predictions, float], float]
    meaning: str


METRICS: dict[str, Metric] = {}
