"""Step 8, evaluation: metrics with intervals, curves, bias and variance, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.ml.contract import Predictions
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training


@dataclass(frozen=True)
class Evaluation:
    """What the model reaches; everything but `test_predictions` is plain JSON data.

    `metrics`: part (train, validation, test) → metric → value. `intervals`: metric → [low, high] (95 %, bootstrap, test part).
    `baseline`: {name, metrics}. `curves`: roc, precision_recall, calibration, confusion_matrix, residuals (regression).
    `learning_curve`, `bias_variance`, `segments` and `sensitive_groups`: as drawn in the report.
    `fitting`: {verdict: good | overfitting | underfitting, evidence}. `importance`: [{column, importance, std}] by permutation, on
    the test part; `explanations`: [{row, prediction, contributions: [{column, value, contribution}]}].
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]
    baseline: Mapping[str, Any]
    curves: Mapping[str, Any]
    learning_curve: tuple[Mapping[str, Any], ...]
    bias_variance: Mapping[str, Any]
    fitting: Mapping[str, Any]
    segments: tuple[Mapping[str, Any], ...]
    sensitive_groups: tuple[Mapping[str, Any], ...]
    importance: tuple[Mapping[str, Any], ...]
    explanations: tuple[Mapping[str, Any], ...]
    test_predictions: Predictions


def evaluate_model(
    preparation: Preparation,
    framing: ProblemFraming,
    training: Training,
    model: Any,
    *,
    sensitive: tuple[str, ...],
    private: frozenset[str],
    seed: int,
    seconds: float,
) -> Evaluation:
    """Measure the compiled `model` (prediction.Model) once on the untouched test part, in about `seconds`."""
    raise NotImplementedError
