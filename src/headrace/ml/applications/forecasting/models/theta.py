"""The Theta method: seasons taken out, a line and smoothing weighed by theta, fixed at 2 or found; chosen by error."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, last_value, spread_of
from headrace.ml.applications.forecasting.models.seasonality import find_seasons

Floats = npt.NDArray[np.float64]
LOW = np.array([0.1, 1.0, 0.0, 0.0, -np.inf, 0.0])
HIGH = np.array([0.99, 1e6, 0.0, 0.0, np.inf, 0.0])
FIXED, DYNAMIC = 1, 2
_FEWEST = 6


class Theta(LocalModel):
    """The optimised Theta models of Fiorucci et al. (2016), of which the standard one is a case."""

    name: ClassVar[str] = "theta"
    title: ClassVar[str] = "Theta"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:
        """See `LocalModel.outlook`."""
        from headrace.ml.applications.forecasting.models.loops.smoothing import THETA, choose

        if len(values) < _FEWEST:
            return last_value(values, horizon)
        taken = find_seasons(values, seasons)
        plain = taken.remove(values)
        scale = float(np.std(plain)) or 1.0
        kinds = [(FIXED, False), (DYNAMIC, False), (FIXED, True), (DYNAMIC, True)]
        if not effort.thorough:
            kinds = kinds[:2]
        forms = np.array([(THETA, 0, kind, 0, 1) for kind, _ in kinds], np.int64)
        starts = np.tile([0.5, 2.0, 0.0, 0.0, plain[0] / scale / 2, 0.0], (len(kinds), 1))
        frees = np.array([[True, search, False, False, True, False] for _, search in kinds])
        steps = np.array([0.2, 1.0, 0.0, 0.0, 0.5, 0.0])
        number, weights, memory, errors = choose(
            forms, starts, frees, LOW, HIGH, steps, plain / scale, np.zeros((len(kinds), 4)), frees.sum(axis=1) + 1,
            effort.runs,
        )  # fmt: skip
        if number < 0:
            return last_value(values, horizon)
        mean = _ahead(weights, memory, len(values), horizon, dynamic=kinds[number][0] == DYNAMIC)
        sigma = float(errors[3:].std())
        spread = sigma * spread_of(np.full(horizon, weights[0]))
        return Outlook(mean * scale, spread * scale).with_seasons(taken, len(values))


def _ahead(weights: Floats, memory: Floats, n: int, horizon: int, *, dynamic: bool) -> Floats:
    alpha, theta = weights[0], weights[1]
    level, mean, constant, slope = memory
    found = np.empty(horizon)
    for t in range(n, n + horizon):
        kept = (1 - alpha) ** t
        found[t - n] = level + (1 - 1 / theta) * (constant * kept + slope * (1 - kept * (1 - alpha)) / alpha)
        level += alpha * (found[t - n] - level)
        if dynamic:
            slope = ((t - 1) * slope + 6 * (found[t - n] - mean) / (t + 1)) / (t + 2)
            mean = (t * mean + found[t - n]) / (t + 1)
            constant = mean - slope * (t + 2) / 2
    return found
