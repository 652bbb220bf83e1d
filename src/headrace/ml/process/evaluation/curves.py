"""Curves of a classifier on the test part: ROC, precision and recall, calibration, gain, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import Values, labels
from headrace.ml.metrics.calibration import reliability

MOST_POINTS = 200
MOST_CLASSES = 10


def classification_curves(
    classes: Sequence[str], target: Target, predictions: Predictions, threshold: float
) -> dict[str, Any]:
    """Return roc, precision_recall, calibration and gain as [{class, points}], and the confusion matrix at `threshold`.

    For two classes the curves are those of the positive class, for more those of each of the most frequent classes.
    """
    codes = [len(classes) - 1] if len(classes) == 2 else _most_frequent(target, len(classes))
    curves: dict[str, Any] = {"roc": [], "precision_recall": [], "calibration": [], "gain": []}
    for code in codes:
        positive, scores = target == code, np.asarray(predictions[:, code], dtype=np.float64)
        if not 0 < positive.sum() < len(positive):
            continue
        for name, points in _ranking_curves(positive, scores).items():
            curves[name].append({"class": classes[code], "points": points})
        curves["calibration"].append({"class": classes[code], "points": reliability(positive, scores)})
    predicted = labels(predictions, threshold)
    counts = np.bincount(target * len(classes) + predicted, minlength=len(classes) ** 2)
    curves["confusion_matrix"] = {
        "classes": list(classes),
        "counts": counts.reshape(len(classes), len(classes)).tolist(),
        "threshold": threshold if len(classes) == 2 else None,
    }
    return curves


def thin(length: int) -> npt.NDArray[np.int64]:
    """Return at most `MOST_POINTS` positions of 0…length-1, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).round().astype(np.int64))


def _most_frequent(target: Target, classes: int) -> list[int]:
    counts = np.bincount(target, minlength=classes)
    return sorted(np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist())


def _ranking_curves(positive: npt.NDArray[np.bool_], scores: Values) -> dict[str, list[dict[str, float]]]:
    """Walk down the thresholds; tied scores are one step."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    true = np.cumsum(positive[order])[ends]
    acted = ends + 1
    kept = thin(len(ends))
    steps = [(float(ranked[ends[i]]), float(true[i]), float(acted[i])) for i in kept]
    total, rows = float(positive.sum()), float(len(positive))
    return {
        "roc": [{"false_positive_rate": 0.0, "true_positive_rate": 0.0, "threshold": 1.0}]
        + [
            {"false_positive_rate": (n - hits) / (rows - total), "true_positive_rate": hits / total, "threshold": t}
            for t, hits, n in steps
        ],
        "precision_recall": [{"recall": hits / total, "precision": hits / n, "threshold": t} for t, hits, n in steps],
        "gain": [{"share": n / rows, "gain": hits / total, "lift": hits / n / (total / rows)} for _, hits, n in steps],
    }
