"""What a difference of two systems is worth: paired bootstrap over the rows of the test parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
CLIPPED = 1e-7


@dataclass(frozen=True)
class Gap:
    """A difference in skill (ours less theirs) and its 95 % interval.

    Skill is the share of the way from knowing only the target's distribution to perfection: 2 AUC - 1, one less the
    log loss by the entropy of the classes, one less RMSE by the standard deviation.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:+.2f} [{100 * self.low:+.2f}, {100 * self.high:+.2f}]"


def score(metric: str, target: np.ndarray, predictions: np.ndarray) -> float:
    """Return AUC, log loss or RMSE; scikit-learn is the referee."""
    from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

    if metric == "roc_auc":
        return float(roc_auc_score(target, predictions))
    if metric == "log_loss":
        return float(log_loss(target, _chances(predictions)))
    return float(root_mean_squared_error(target, predictions))


def compare(metric: str, target: np.ndarray, ours: np.ndarray, theirs: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return differences in skill: of the whole test part, then of `RESAMPLES` paired resamples of its rows."""
    random = np.random.default_rng(seed)
    draws = [np.arange(len(target)), *(random.integers(0, len(target), len(target)) for _ in range(RESAMPLES))]
    if metric == "roc_auc":
        parts = [_ranked(target, each) for each in (ours, theirs)]
        return np.array([_skill(parts[0], rows) - _skill(parts[1], rows) for rows in draws])
    if metric == "log_loss":
        losses = [-np.log(_chances(each)[np.arange(len(target)), target]) for each in (ours, theirs)]
        shares = np.bincount(target) / len(target)
        scale = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
        return np.array([(losses[1][rows].mean() - losses[0][rows].mean()) / scale for rows in draws])
    squares = [(each - target) ** 2 for each in (ours, theirs)]
    scale = float(target.std())
    roots = [np.array([np.sqrt(each[rows].mean()) for rows in draws]) for each in squares]
    return np.asarray((roots[1] - roots[0]) / scale)


def gap_of(differences: np.ndarray) -> Gap:
    """Return the difference and its interval."""
    low, high = np.quantile(differences[1:], [0.025, 0.975])
    return Gap(float(differences[0]), float(low), float(high))


def pool(differences: Sequence[np.ndarray]) -> Gap:
    """Return the mean difference over tables and seeds; the rows of each are resampled independently."""
    return gap_of(np.mean(differences, axis=0))


def _chances(predictions: np.ndarray) -> np.ndarray:
    clipped = np.clip(predictions, CLIPPED, 1)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def _ranked(target: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, ranks = np.unique(predictions, return_inverse=True)
    return ranks, target


def _skill(ranked: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> float:
    """Return 2 AUC - 1 (the Mann-Whitney statistic; ties count half) of the rows drawn."""
    ranks, target = ranked[0][rows], ranked[1][rows]
    size = int(ranked[0].max()) + 1
    positive = np.bincount(ranks[target == 1], minlength=size)
    negative = np.bincount(ranks[target == 0], minlength=size)
    below = np.cumsum(negative) - negative / 2
    return float(2 * (positive * below).sum() / max(1, positive.sum() * negative.sum()) - 1)
