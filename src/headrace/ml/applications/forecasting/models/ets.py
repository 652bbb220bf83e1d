"""Exponential smoothing: error, trend and season, each added or multiplied, chosen by the corrected AIC."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, spread_of
from headrace.ml.applications.forecasting.models.seasonality import Seasons, find_seasons

Floats = npt.NDArray[np.float64]
NONE, ADDITIVE, MULTIPLICATIVE, DAMPED = 0, 1, 2, 2
LOW = np.array([1e-4, 1e-4, 1e-4, 0.8, -np.inf, -np.inf])
HIGH = np.array([0.9999, 0.9999, 0.9999, 0.98, np.inf, np.inf])
FORMS = (
    (ADDITIVE, NONE, NONE), (ADDITIVE, ADDITIVE, NONE), (ADDITIVE, DAMPED, NONE),
    (MULTIPLICATIVE, NONE, NONE), (MULTIPLICATIVE, ADDITIVE, NONE), (MULTIPLICATIVE, DAMPED, NONE),
    (ADDITIVE, NONE, ADDITIVE), (ADDITIVE, ADDITIVE, ADDITIVE), (ADDITIVE, DAMPED, ADDITIVE),
    (MULTIPLICATIVE, NONE, MULTIPLICATIVE), (MULTIPLICATIVE, ADDITIVE, MULTIPLICATIVE),
    (MULTIPLICATIVE, DAMPED, MULTIPLICATIVE),
)  # fmt: skip
"""Error, trend and season of each form: those in which error and season agree."""
_LONGEST_SEASON = 60
_FEWEST = 8


class Ets(LocalModel):
    """Exponential smoothing in state space form (Hyndman et al., 2002).

    Seasons longer than 60 periods, and all but the shortest where a series has several, are taken out first.
    """

    name: ClassVar[str] = "ets"
    title: ClassVar[str] = "Exponential smoothing"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:
        """See `LocalModel.outlook`."""
        from headrace.ml.applications.forecasting.models.loops.smoothing import choose

        taken = Seasons()
        m = next((length for length in seasons if len(values) >= 2 * length + 3), 1)
        if len(seasons) > 1 or m > _LONGEST_SEASON:
            taken = find_seasons(values, seasons)
            values = taken.remove(values)
            m = m if m <= _LONGEST_SEASON else 1
        if len(values) < _FEWEST:
            return _short(values, horizon).with_seasons(taken, len(values))
        scale = float(np.std(values)) or 1.0
        forms, starts, firsts = _starts(values / scale, m, effort)
        frees = np.array([_free(form) for form in forms])
        states = np.where(forms[:, 3] > 0, m - 1, 0)
        if not (usable := frees.sum(axis=1) + states + 2 < len(values)).any():
            return _short(values, horizon).with_seasons(taken, len(values))
        steps = np.array([0.15, 0.15, 0.1, -0.05, 0.3, 0.02])
        number, weights, memory, errors = choose(
            forms[usable], starts[usable], frees[usable], LOW, HIGH, steps, values / scale, firsts[usable],
            (frees.sum(axis=1) + states + 1)[usable], effort.runs,
        )  # fmt: skip
        if number < 0:
            return _short(values, horizon).with_seasons(taken, len(values))
        form = forms[usable][number]
        loss = max(1, len(errors) - int(frees[usable][number].sum()))
        sigma = float(np.sqrt(np.square(errors).sum() / loss))
        mean, spread = _ahead(form, weights, memory, len(values), horizon, sigma)
        return Outlook(mean * scale, spread * scale).with_seasons(taken, len(values))


def _free(form: npt.NDArray[np.int64]) -> list[bool]:
    trended, seasonal = form[2] > 0, form[3] > 0
    return [True, trended, seasonal, form[2] == DAMPED, True, trended]


def _starts(values: Floats, m: int, effort: Effort) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the forms to try, and weights and states that each begins with."""
    positive = bool(values.min() > 0)
    forms, starts, firsts = [], [], []
    known: dict[int, tuple[Floats, Floats]] = {}
    kinds = (NONE, ADDITIVE, MULTIPLICATIVE) if m > 1 else (NONE,)
    if not effort.thorough and m > 1:
        likely = find_seasons(values, (m,))
        kinds = (NONE,) if not likely.patterns else (MULTIPLICATIVE,) if likely.multiplicative else (ADDITIVE,)
    for kind in kinds:
        pattern = np.full(m, float(kind == MULTIPLICATIVE))
        if kind != NONE:
            found = find_seasons(values, (m,), multiplicative=kind == MULTIPLICATIVE)
            if found.patterns and found.multiplicative == (kind == MULTIPLICATIVE):
                pattern = found.patterns[0]
            elif kind == MULTIPLICATIVE:
                continue
        part = pattern[np.arange(len(values)) % m]
        known[kind] = pattern, values / part if kind == MULTIPLICATIVE else values - part
    for error, trend, season in FORMS:
        if season not in known or (error == MULTIPLICATIVE and not positive):
            continue
        pattern, plain = known[season]
        head = plain[: max(10, 2 * m)]
        slope = float(np.polyfit(np.arange(len(head)), head, 1)[0]) if trend else 0.0
        level = float(head.mean()) - slope * (len(head) + 1) / 2 if trend else float(head.mean())
        if error == MULTIPLICATIVE and level <= 0:
            level, slope = float(head.mean()), 0.0
        forms.append((0, error, trend, season, m if season else 1))
        starts.append((0.3, 0.1, 0.1 if season else 0.0, 0.95, level, slope))
        firsts.append(np.concatenate([[0.0, 0.0], pattern]))
    return np.array(forms, np.int64), np.array(starts), np.array(firsts)


def _ahead(
    form: npt.NDArray[np.int64], weights: Floats, memory: Floats, n: int, horizon: int, sigma: float
) -> tuple[Floats, Floats]:
    """Return mean and standard deviation ahead; those of the multiplied forms to first order of the errors."""
    _, error, trend, season, m = (int(part) for part in form)
    alpha, beta, gamma = weights[0], weights[1] * weights[0], weights[2] * (1 - weights[0])
    steps = np.arange(1, horizon + 1)
    reach = np.cumsum(weights[3] ** steps) if trend == DAMPED else steps.astype(np.float64)
    base = memory[0] + (memory[1] * reach if trend else 0.0)
    base = np.broadcast_to(base, (horizon,)).astype(np.float64)
    moves = alpha + (beta * reach if trend else 0.0) + (gamma * (steps % m == 0) if season == ADDITIVE else 0.0)
    moves = np.broadcast_to(moves, (horizon,)).astype(np.float64)
    if season == NONE:
        mean = base
    else:
        part = memory[2 + (n + steps - 1) % m]
        mean = base + part if season == ADDITIVE else base * part
    if error != MULTIPLICATIVE:
        return mean, sigma * spread_of(moves)
    if season == MULTIPLICATIVE:
        moves = moves + gamma * (steps % m == 0)
    return mean, sigma * np.abs(mean) * spread_of(moves)


def _short(values: Floats, horizon: int) -> Outlook:
    """Forecast the mean of the last values: nothing more can be learnt from so few."""
    tail = values[-_FEWEST:]
    return Outlook(np.full(horizon, float(tail.mean())), np.full(horizon, float(tail.std())))
