"""Prediction sets: the classes that cannot be ruled out, the true one among them as often as meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_AMBIGUOUS, CUMULATIVE, REGULARISED = "least_ambiguous", "cumulative", "regularised"
METHODS = (LEAST_AMBIGUOUS, CUMULATIVE, REGULARISED)


@dataclass(frozen=True)
class SetRule:
    """A class is in the set when its score is at most `bound`; the likeliest class always is, so that no set is empty.

    The score of a class is 1 - its probability (least_ambiguous), or the summed probability of it and of all likelier
    ones (cumulative), plus `penalty` for each class beyond the `free` likeliest (regularised).
    Source: Sadinle, Lei and Wasserman, Least ambiguous set-valued classifiers (2019); Romano, Sesia and Candès,
    Classification with valid and adaptive coverage (2020); Angelopoulos et al., Uncertainty sets for image classifiers
    using conformal prediction (2021); the last two without their randomisation, so that a row has one answer.
    """

    method: str
    bound: float
    penalty: float = 0.0
    free: int = 0

    def scores(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the score of each class, [rows, classes]."""
        if self.method == LEAST_AMBIGUOUS:
            return np.asarray(1.0 - probabilities)
        order = np.argsort(-probabilities, axis=1, kind="stable")
        summed = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
        summed = summed + self.penalty * np.maximum(0, np.arange(1, probabilities.shape[1] + 1) - self.free)
        scores = np.empty(probabilities.shape)
        np.put_along_axis(scores, order, summed, axis=1)
        return scores

    def members(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which classes are in each row's set, [rows, classes]."""
        inside = np.asarray(self.scores(probabilities) <= self.bound)
        inside[np.arange(len(inside)), np.argmax(probabilities, axis=1)] = True
        return inside
