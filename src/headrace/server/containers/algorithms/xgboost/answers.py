"""What SAGEMAKER_INFERENCE_OUTPUT selects of an XGBoost model's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.xgboost.metrics import predicted_classes
from headrace.server.containers.contract import ClientError, Floats

OF_REGRESSION = ("predicted_score",)
OF_CLASSES = ("predicted_label", "labels", "raw_score", "raw_scores")
OF_PROBABILITIES = (*OF_CLASSES, "probability", "probabilities")
KEYS = {
    "reg:squarederror": OF_REGRESSION,
    "reg:logistic": OF_REGRESSION,
    "reg:gamma": OF_REGRESSION,
    "reg:absoluteerror": OF_REGRESSION,
    "reg:tweedie": OF_REGRESSION,
    "binary:logistic": OF_PROBABILITIES,
    "binary:logitraw": OF_CLASSES,
    "binary:hinge": OF_CLASSES,
    "multi:softmax": OF_CLASSES,
    "multi:softprob": OF_PROBABILITIES,
}


def selected_columns(scores: Floats, keys: Sequence[str], objective: str, classes: int) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that `keys` name, in their order; NaN where a key does not fit the objective.

    Raises ClientError on an objective that has none.
    """
    if objective not in KEYS:
        raise ClientError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    missing = np.full(len(scores), np.nan)
    return {key: _column(scores, key, objective, classes) if key in KEYS[objective] else missing for key in keys}


def quoted(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns as CSV has them: a list of values is one value in quotes."""
    return {
        name: np.array([f'"{values}"' for values in column.tolist()]) if column.ndim == 2 else column
        for name, column in columns.items()
    }


def _column(scores: Floats, key: str, objective: str, classes: int) -> npt.NDArray[Any]:
    several = objective.startswith("multi:")
    if key == "predicted_label":
        labels = predicted_classes(scores, objective)
        return labels.astype(np.float64) if objective in ("binary:hinge", "multi:softmax") else labels
    if key == "labels":
        return np.tile(np.arange(classes if several else 2), (len(scores), 1))
    if key in ("probability", "raw_score"):
        return scores.max(axis=1) if scores.ndim == 2 else scores
    if key == "predicted_score" or scores.ndim == 2:
        return scores
    return np.column_stack([1.0 - scores.astype(np.float64), scores])
