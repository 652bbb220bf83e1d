"""How a season's pattern has moved, by exponential weights over its cycles."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.ml.adapters.compiling import compiled


@compiled
def recent_pattern(rest: Any, first: int, season: int, rates: Any) -> tuple[Any, float]:
    """Return the newest pattern [season] of deviations `rest` [n] from period `first` on, and its mean's noise.

    Older cycles count by a power of one of `rates`, the one that would have foretold each cycle best from those before
    it. The noise is the variance of a phase's mean.
    """
    n, found, least = rest.size, 0, np.inf
    for r in range(rates.size):
        sums, weights = np.zeros(season), np.zeros(season)
        error, foretold = 0.0, 0
        for i in range(n):
            phase = (first + i) % season
            if weights[phase] > 0.0:
                away = rest[i] - sums[phase] / weights[phase]
                error += away * away
                foretold += 1
            sums[phase] = rates[r] * sums[phase] + rest[i]
            weights[phase] = rates[r] * weights[phase] + 1.0
        if foretold and error < least * (1.0 - 1e-9):
            found, least = r, error
    rate = rates[found]
    sums, weights, squares = np.zeros(season), np.zeros(season), np.zeros(season)
    for i in range(n):
        phase = (first + i) % season
        sums[phase] = rate * sums[phase] + rest[i]
        weights[phase] = rate * weights[phase] + 1.0
        squares[phase] = rate * rate * squares[phase] + 1.0
    pattern, effective = np.zeros(season), 0.0
    for phase in range(season):
        if weights[phase] > 0.0:
            pattern[phase] = sums[phase] / weights[phase]
            effective += weights[phase] * weights[phase] / squares[phase] / season
    variance, weighed = 0.0, 0.0
    weight = 1.0
    for i in range(n - 1, -1, -1):
        away = rest[i] - pattern[(first + i) % season]
        variance += weight * away * away
        weighed += weight
        if (n - i) % season == 0:
            weight *= rate
    return pattern, variance / weighed / max(effective - 1.0, 0.5)
