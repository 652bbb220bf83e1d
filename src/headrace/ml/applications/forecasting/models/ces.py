"""Complex exponential smoothing: level and potential move together, so that trends need no form of their own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, last_value, spread_of
from headrace.ml.applications.forecasting.models.seasonality import Seasons, find_seasons

Floats = npt.NDArray[np.float64]
LOW = np.array([0.01, 0.01, 0.01, 0.01, 0.0, 0.0])
HIGH = np.array([1.8, 1.9, 1.5, 1.5, 0.0, 0.0])
NONE, SIMPLE, PARTIAL, FULL = 0, 1, 2, 3
_FREE = {NONE: 2, SIMPLE: 2, PARTIAL: 3, FULL: 4}
_STARTS = {NONE: (1.3, 1.0, 0.0, 0.0), SIMPLE: (1.3, 1.0, 0.0, 0.0), PARTIAL: (1.3, 1.0, 0.1, 0.0),
           FULL: (1.3, 1.0, 1.3, 1.0)}  # fmt: skip
_LONGEST_SEASON = 60
_FEWEST = 8


class Ces(LocalModel):
    """Complex exponential smoothing without, with a simple, a partial or a full season (Svetunkov et al., 2022).

    Seasons longer than 60 periods, and all but the shortest where a series has several, are taken out first.
    """

    name: ClassVar[str] = "ces"
    title: ClassVar[str] = "Complex exponential smoothing"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:
        """See `LocalModel.outlook`."""
        from headrace.ml.applications.forecasting.models.loops.smoothing import COMPLEX, choose

        if len(values) < _FEWEST:
            return last_value(values, horizon)
        taken = Seasons()
        m = next((length for length in seasons if len(values) >= 2 * length + 3), 1)
        if len(seasons) > 1 or m > _LONGEST_SEASON:
            taken = find_seasons(values, seasons)
            m = m if m <= _LONGEST_SEASON else 1
        plain = taken.remove(values)
        scale = float(np.std(plain)) or 1.0
        plain = plain / scale
        kinds = [NONE] if m == 1 else [NONE, SIMPLE, PARTIAL, FULL] if effort.thorough else [NONE, FULL]
        firsts = np.array([_first(plain, kind, m) for kind in kinds])
        forms = np.array([(COMPLEX, 0, 0, kind, m) for kind in kinds], np.int64)
        starts = np.array([(*_STARTS[kind], 0.0, 0.0) for kind in kinds])
        frees = np.array([np.arange(6) < _FREE[kind] for kind in kinds])
        steps = np.array([0.2, 0.1, 0.1, 0.1, 0.0, 0.0])
        counts = np.array([2 + (kind == PARTIAL) + 2 * (kind == FULL) + 1 for kind in kinds])
        number, weights, memory, errors = choose(
            forms, starts, frees, LOW, HIGH, steps, plain, firsts, counts, effort.runs
        )
        if number < 0:
            return last_value(values, horizon)
        kind = kinds[number]
        sigma = float(np.sqrt(np.square(errors).sum() / max(1, len(errors) - counts[number])))
        mean = _ahead(kind, m, weights, memory, len(values), horizon)
        pulse = _ahead(kind, m, weights, _pulse(kind, m, weights, len(values)), len(values) + 1, horizon)
        moves = np.where(np.abs(pulse) < 1e6, pulse, 0.0)
        return Outlook(mean * scale, sigma * scale * spread_of(moves)).with_seasons(taken, len(values))


def _first(values: Floats, kind: int, m: int) -> Floats:
    memory = np.zeros((4, m))
    if kind == SIMPLE:
        memory[0] = values[:m]
        memory[1] = values[:m] / 1.1
        return memory.ravel()
    head = values[: max(10, m)] if kind == NONE else values[:m]
    memory[0, 0] = head.mean()
    memory[1, 0] = memory[0, 0] / 1.1
    if kind in (PARTIAL, FULL) and (found := find_seasons(values, (m,), multiplicative=False)).patterns:
        memory[2] = found.patterns[0]
        memory[3] = memory[2] / 1.1
    return memory.ravel()


def _pulse(kind: int, m: int, weights: Floats, n: int) -> Floats:
    """Return the states that one error of size 1 in period `n` leaves behind, all else 0."""
    one, two, three, four = weights[:4]
    left = np.zeros((4, m))
    here = n % m if kind == SIMPLE else 0
    left[0, here], left[1, here] = one - two, one + two
    if kind == PARTIAL:
        left[2, n % m] = three
    elif kind == FULL:
        left[2, n % m], left[3, n % m] = three - four, three + four
    return left.ravel()


def _ahead(kind: int, m: int, weights: Floats, memory: Floats, n: int, horizon: int) -> Floats:
    one, two, three, four = weights[:4]
    state = memory.reshape(4, m).copy()
    found = np.empty(horizon)
    for t in range(n, n + horizon):
        here, place = (t % m if kind == SIMPLE else 0), t % m
        level, potential = state[0, here], state[1, here]
        found[t - n] = level + (state[2, place] if kind in (PARTIAL, FULL) else 0.0)
        state[0, here], state[1, here] = level - (1 - two) * potential, level + (1 - one) * potential
        if kind == FULL:
            level, potential = state[2, place], state[3, place]
            state[2, place], state[3, place] = level - (1 - four) * potential, level + (1 - three) * potential
    return found
