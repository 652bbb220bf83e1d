"""Linear Learner's metrics of the validation and test channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.calibration import f_beta
from headrace.server.containers.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS
from headrace.server.containers.algorithms.linear_learner.losses import Doubles
from headrace.server.containers.logs import LOSS, SCORE, quality_metric

OF_BINARY = ("binary_classification_accuracy", "binary_f_beta", "precision", "recall", "roc_auc_score")
OF_CLASSES = (
    "multiclass_accuracy",
    "multiclass_top_k_accuracy",
    "macro_f_beta",
    "macro_precision",
    "macro_recall",
    "dcg",
)
OF_VALUES = ("mse", "absolute_loss", "rmse")
BETTER = dict.fromkeys(OF_BINARY + OF_CLASSES, SCORE) | dict.fromkeys(("objective_loss", *OF_VALUES), LOSS)
METRICS = (
    quality_metric("train", "objective_loss", LOSS, each_epoch=True),
    *(
        quality_metric(channel, name, better)
        for channel in ("validation", "test")
        for name, better in BETTER.items()
        if (channel, name) != ("test", "rmse")
    ),
)


def measured(
    predictor_type: str,
    scores: Doubles,
    labels: npt.NDArray[Any],
    predicted: npt.NDArray[np.int64],
    options: Mapping[str, Any],
) -> dict[str, float]:
    """Return a model's metrics on labelled rows; `scores` are [rows, outputs], `predicted` a classifier's classes."""
    if predictor_type == BINARY:
        return _of_binary(scores[:, 0], labels, predicted, options["f_beta"])
    if predictor_type == MULTICLASS:
        return _of_classes(scores, labels, predicted, options)
    residuals = labels - scores[:, 0]
    mse = float(np.mean(residuals**2))
    return {"mse": mse, "absolute_loss": float(np.mean(np.abs(residuals))), "rmse": mse**0.5}


def _of_binary(
    scores: Doubles, labels: npt.NDArray[Any], predicted: npt.NDArray[np.int64], beta: float
) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    true = float(np.sum((predicted == 1) & (labels == 1)))
    precision, recall = true / max(float(predicted.sum()), 1.0), true / max(float(labels.sum()), 1.0)
    found = {
        "binary_classification_accuracy": float(np.mean(predicted == labels)),
        "binary_f_beta": float(f_beta(np.float64(precision), np.float64(recall), beta)),  # type: ignore[arg-type]
        "precision": precision,
        "recall": recall,
    }
    if 0 < labels.sum() < len(labels):
        found["roc_auc_score"] = float(roc_auc_score(labels, scores))
    return found


def _of_classes(
    scores: Doubles, labels: npt.NDArray[Any], predicted: npt.NDArray[np.int64], options: Mapping[str, Any]
) -> dict[str, float]:
    classes = scores.shape[1]
    true = np.bincount(labels[predicted == labels], minlength=classes).astype(np.float64)
    present = np.bincount(labels, minlength=classes) + np.bincount(predicted, minlength=classes) > 0
    precision = true / np.maximum(np.bincount(predicted, minlength=classes), 1)
    recall = true / np.maximum(np.bincount(labels, minlength=classes), 1)
    own = scores[np.arange(len(labels)), labels][:, None]
    ranks = (scores > own).sum(axis=1)
    return {
        "multiclass_accuracy": float(np.mean(predicted == labels)),
        "multiclass_top_k_accuracy": float(np.mean(ranks < options["accuracy_top_k"])),
        "macro_f_beta": float(f_beta(precision, recall, options["f_beta"])[present].mean()),
        "macro_precision": float(precision[present].mean()),
        "macro_recall": float(recall[present].mean()),
        "dcg": float(np.mean(1 / np.log2(ranks + 2))),
    }
