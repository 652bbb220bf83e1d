"""How far probabilities can be taken at their word: reliability in bins, and the expected calibration error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Values

BINS = 10


def reliability(positive: npt.NDArray[np.bool_], scores: Values, bins: int = BINS) -> list[dict[str, float]]:
    """Return bins of about equally many rows: mean probability `predicted`, share `observed`, rows (`count`)."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)))
    places = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, max(len(edges) - 2, 0))
    counts = np.bincount(places)
    predicted, observed = np.bincount(places, scores), np.bincount(places, positive)
    return [
        {"predicted": predicted[i] / n, "observed": observed[i] / n, "count": int(n)} for i, n in enumerate(counts) if n
    ]


def calibration_error(target: Target, probabilities: Predictions) -> float:
    """Return the expected calibration error: mean distance of predicted and observed share over bins of equal size.

    Of the positive class for two classes, else averaged over the classes; NaN without rows. Chance alone gives some:
    about 0.4 · √(bins / rows) for a perfect model of a balanced class.
    Source: Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (AAAI 2015);
    Nixon et al., Measuring calibration in deep learning (2019) for equal-sized bins and the mean over classes.
    """
    if not len(target):
        return float("nan")
    classes = probabilities.shape[1]
    errors = []
    for code in [1] if classes == 2 else range(classes):
        found = reliability(target == code, np.asarray(probabilities[:, code], np.float64))
        errors.append(sum(abs(b["predicted"] - b["observed"]) * b["count"] for b in found) / len(target))
    return float(np.mean(errors))
