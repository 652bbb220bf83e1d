"""The detectors: isolation forest, random cut forest, and the mean of both on one scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headrace.ml.adapters.isolation import Rescaled
from headrace.ml.algorithms.isolation_forest import IsolationForest
from headrace.ml.algorithms.random_cut_forest import RandomCutForest
from headrace.ml.contract import Features, Predictions, Task
from headrace.ml.process.training.anomalies import ENSEMBLE

WIDEST = 100
"""A random cut forest keeps a box a node: over more features it takes too much room in the model."""
LARGEST = 1e6
_SCALED_ON = 2_000


def names_of(width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the detectors for so many features, and what is to be said of those left out."""
    if width > WIDEST:
        note = f"A random cut forest was not tried: it would be too large over {width:,} features (at most {WIDEST})."
        return ("isolation_forest",), (note,)
    return ("isolation_forest", "random_cut_forest", ENSEMBLE), ()


@dataclass(frozen=True)
class FittedDetector:
    """A detector as forms, each on a robust scale, and the libraries' own scores beside them.

    0 is the usual score, and 1 one spread (interquartile range / 1.349) above it; a detector of several is their mean.
    """

    forms: tuple[Rescaled, ...]
    predictors: tuple[Callable[[Features], Predictions], ...]

    def score(self, features: Features) -> Predictions:
        """Return the scores [rows] of features [rows, columns]: the larger, the stranger."""
        bounded = np.clip(features, -LARGEST, LARGEST)
        scores = [
            (predict(bounded) - form.centre) / form.scale
            for form, predict in zip(self.forms, self.predictors, strict=True)
        ]
        return np.asarray(np.mean(scores, axis=0))


def fit_detector(name: str, features: Features, seed: int) -> FittedDetector:
    """Fit a detector on features [rows, columns]."""
    features = np.clip(features, -LARGEST, LARGEST)
    algorithms = {"isolation_forest": IsolationForest, "random_cut_forest": RandomCutForest}
    wanted = list(algorithms) if name == ENSEMBLE else [name]
    forms, predictors = [], []
    for each in wanted:
        narrow = features.shape[1] <= 20 or each == "isolation_forest"
        values = {} if narrow else {"num_samples_per_tree": 128}
        fitted = algorithms[each](Task.ANOMALY_DETECTION, seed=seed, **values).fit(features, np.zeros(len(features)))
        low, middle, high = np.quantile(fitted.predict(features[:_SCALED_ON]), (0.25, 0.5, 0.75))
        forms.append(Rescaled(fitted.form, float(middle), max(float(high - low) / 1.349, 1e-6)))
        predictors.append(fitted.predict)
    return FittedDetector(tuple(forms), tuple(predictors))


def robust_z(features: Features) -> Predictions:
    """Return the baseline's score [rows]: the largest distance from a median, in spreads, of robust features."""
    return np.asarray(np.abs(features.astype(np.float64)).max(axis=1))
