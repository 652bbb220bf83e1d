"""Target encodings: the mean target of a level, drawn towards the mean of all, without showing a row its own target.

Source: D. Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes in classification and
prediction problems (SIGKDD Explorations 3, 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDS = 5
LARGEST = 1e30
SMOOTHING = 10.0
"""A level's mean counts as if so many rows of the overall mean were added."""
MOST_CLASSES = 8
"""Of more classes, only the most frequent are encoded."""


@dataclass(frozen=True)
class Outcomes:
    """The target as columns of numbers [rows, outcomes], the fold of each row, and what to call each outcome."""

    values: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, target: npt.NDArray[Any], classes: int, seed: int) -> Outcomes:
        """Take values less their mean, the positive class of two, or each of the most frequent classes; draw folds.

        The mean is taken off because float32 would blur small differences of large values.
        """
        folds = np.random.default_rng(seed).permutation(len(target)) % FOLDS
        if classes == 0:
            values = np.clip(np.asarray(target, dtype=np.float64), -LARGEST, LARGEST)
            return cls((values - values.mean())[:, None], folds, ("mean target less overall mean",))
        if classes == 2:
            return cls((target == 1).astype(np.float64)[:, None], folds, ("rate",))
        frequent = np.sort(np.argsort(-np.bincount(target, minlength=classes), kind="stable")[:MOST_CLASSES])
        return cls(
            (target[:, None] == frequent).astype(np.float64), folds, tuple(f"rate of class {c}" for c in frequent)
        )

    def encode(
        self, codes: npt.NDArray[np.int64], size: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the smoothed means [size, outcomes], and those without each fold [folds, size, outcomes].

        `codes` [rows, columns] number the levels of all columns jointly from 0 to `size` - 1.
        """
        width = self.values.shape[1]
        counts = np.zeros((FOLDS, size))
        sums = np.zeros((FOLDS, size, width))
        for i in range(codes.shape[1]):
            place = self.folds * size + codes[:, i]
            counts += np.bincount(place, minlength=FOLDS * size).reshape(FOLDS, size)
            for k in range(width):
                weighted = np.bincount(place, weights=self.values[:, k], minlength=FOLDS * size)
                sums[:, :, k] += weighted.reshape(FOLDS, size)
        everything = _smooth(counts.sum(axis=0), sums.sum(axis=0), self.values.mean(axis=0))
        without = np.empty((FOLDS, size, width), dtype=np.float32)
        for fold in range(FOLDS):
            others = self.values[self.folds != fold]
            prior = others.mean(axis=0) if len(others) else self.values.mean(axis=0)
            without[fold] = _smooth(counts.sum(axis=0) - counts[fold], sums.sum(axis=0) - sums[fold], prior)
        return everything, without


def _smooth(
    counts: npt.NDArray[np.float64], sums: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    return ((sums + SMOOTHING * prior) / (counts[:, None] + SMOOTHING)).astype(np.float32)
