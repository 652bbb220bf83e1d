"""The threshold of a binary classifier, by its model selection criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.losses import Doubles

MOST_SAMPLES = 10_000_000


def best_threshold(
    scores: Doubles, labels: npt.NDArray[Any], options: Mapping[str, Any], default: float
) -> tuple[float, float]:
    """Return the threshold above which a score means 1, and what the criterion is worth there (more is better).

    Thresholds lie halfway between neighbouring scores; of those that are worth the same, the one nearest to
    `default` wins. Where a target can't be met, the threshold that comes nearest to it does.
    """
    criterion = options["binary_classifier_model_selection_criteria"]
    samples = min(len(scores), options["num_calibration_samples"] or MOST_SAMPLES)
    scores, labels = scores[:samples], labels[:samples]
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(labels[order])
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    positives = np.append(0, ends + 1)
    true = np.append(0, hits[ends]).astype(np.float64)
    total = max(float(hits[-1]), 1.0)
    edges = np.concatenate(
        [[ordered[0] + 1e-6], (ordered[ends[:-1]] + ordered[ends[:-1] + 1]) / 2, [ordered[-1] - 1e-6]]
    )
    recall, precision = true / total, true / np.maximum(positives, 1)
    worth = _worth(criterion, true, positives, recall, precision, len(labels), options)
    at_default = int(np.sum(ordered[ends] > default))
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    if criterion == "loss_function" or at_default in best:
        return default, float(worth[at_default])
    place = best[np.argmin(np.abs(edges[best] - default))]
    return float(edges[place]), float(worth[place])


def _worth(
    criterion: str,
    true: Doubles,
    positives: npt.NDArray[Any],
    recall: Doubles,
    precision: Doubles,
    rows: int,
    options: Mapping[str, Any],
) -> Doubles:
    if criterion == "f_beta":
        return f_beta(precision, recall, options["f_beta"])
    if criterion == "precision_at_target_recall":
        target = options["target_recall"]
        return np.where(recall >= min(target, recall.max()), precision, -1 + recall)
    if criterion == "recall_at_target_precision":
        target = options["target_precision"]
        reachable = min(target, precision[1:].max())
        return np.where((precision >= reachable) & (positives > 0), recall, -1 + precision)
    total = true[-1]
    return np.asarray((true + (rows - total) - (positives - true)) / rows)


def f_beta(precision: Doubles, recall: Doubles, beta: float) -> Doubles:
    """Return the weighted harmonic mean of precision and recall, 0 where both are."""
    below = beta**2 * precision + recall
    return np.asarray((1 + beta**2) * precision * recall / np.where(below > 0, below, 1))
