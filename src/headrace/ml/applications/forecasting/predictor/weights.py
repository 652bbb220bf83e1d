"""How much each model counts for each item: by its backtest losses, drawn towards what is best for items of its kind.

The models of all items, and of a kind of item, are weighed by greedy selection of an ensemble (Caruana et al. 2004,
"Ensemble selection from libraries of models"). How far an item's own losses are believed is itself chosen, by what
would have been best in each window when judged by the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.predictor.groups import KINDS
from headrace.ml.applications.forecasting.predictor.trials import Trial, Trials, item_losses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ROUNDS, LEAST_ITEMS = 12, 20
MOST_ITEMS, MOST_STEPS = 300, 24
"""An ensemble is selected on so many items and steps of the horizon at most."""
LEAST_WEIGHT = 0.05
"""Weights below this are left out: a model that hardly counts is not worth its time."""


@dataclass(frozen=True)
class Scheme:
    """How far an item's own losses are believed (`share`, 0 to 1), and how sharply they tell models apart."""

    share: float
    power: float


ONE_WINDOW = Scheme(0.4, 2.0)
SCHEMES = (Scheme(0.0, 1.0), Scheme(0.3, 2.0), ONE_WINDOW, Scheme(0.6, 2.0), Scheme(0.6, 5.0), Scheme(0.9, 4.0))


@dataclass(frozen=True)
class Weights:
    """Weights [n, m] of m models for the items, and [kinds, m] for items that were not there."""

    models: tuple[str, ...]
    items: Floats
    kinds: Floats


def weigh(trials: Trials, kinds: Integers, metric: str, levels: Sequence[float]) -> tuple[Weights, tuple[Floats, ...]]:
    """Return the weights, and for each window the weights [n, m] that the other windows give (its own where it is one).

    `kinds` [n] are from `kinds_of`, `levels` the quantiles that matter. The latter weights make what is measured in a
    window honest: nothing of it was used.
    """
    positions = [trials.quantiles.index(level) for level in levels]
    losses = [item_losses(t, t.means, t.values[..., positions], levels, metric) for t in trials.windows]
    count = len(trials.windows)
    if count == 1:
        weights = _weights(trials, losses, kinds, metric, levels, positions, (0,), ONE_WINDOW)
        return weights, (weights.items,)
    others = [tuple(w for w in range(count) if w != held) for held in range(count)]
    parts = [_parts(trials, losses, kinds, metric, levels, positions, windows) for windows in others]
    scores = []
    for scheme in SCHEMES:
        found = [_mix(*part, kinds, scheme) for part in parts]
        scores.append(sum(_loss(t, w, metric, levels, positions) for t, w in zip(trials.windows, found, strict=True)))
    best = SCHEMES[int(np.argmin(scores))]
    weights = _weights(trials, losses, kinds, metric, levels, positions, tuple(range(count)), best)
    return weights, tuple(_mix(*part, kinds, best) for part in parts)


def _weights(
    trials: Trials, losses: Sequence[Floats], kinds: Integers, metric: str, levels: Sequence[float],
    positions: Sequence[int], windows: tuple[int, ...], scheme: Scheme,
) -> Weights:  # fmt: skip
    own, by_kind = _parts(trials, losses, kinds, metric, levels, positions, windows)
    return Weights(trials.models, _mix(own, by_kind, kinds, scheme), _pruned(by_kind))


def _parts(
    trials: Trials, losses: Sequence[Floats], kinds: Integers, metric: str, levels: Sequence[float],
    positions: Sequence[int], windows: tuple[int, ...],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the losses [n, m] of the items in some windows, and the weights [kinds, m] of their kinds."""
    known = np.stack([losses[w] for w in windows])
    count = (~np.isnan(known)).sum(axis=0)
    own = np.where(count > 0, np.nansum(known, axis=0) / np.maximum(count, 1), np.nan).T
    chosen = [trials.windows[w] for w in windows]
    everything = _select(chosen, np.arange(len(kinds)), metric, levels, positions)
    rows = [np.flatnonzero(kinds == kind) for kind in range(len(KINDS))]
    judged = np.any(~np.isnan(own), axis=1)
    many = [judged[r].sum() >= LEAST_ITEMS and len(r) < len(kinds) for r in rows]
    by_kind = [
        _select(chosen, r, metric, levels, positions) if alone else everything
        for r, alone in zip(rows, many, strict=True)
    ]
    return own, np.stack(by_kind)


def _mix(own: Floats, by_kind: Floats, kinds: Integers, scheme: Scheme) -> Floats:
    """Return weights [n, m] from the items' losses and the weights of their kinds."""
    group = by_kind[kinds]
    least = np.nanmin(np.where(np.isnan(own), np.inf, own), axis=1, keepdims=True)
    judged = np.isfinite(least)
    tiny = 1e-6 * np.where(judged, least, 1.0) + 1e-300
    merit = np.where(np.isnan(own), 0.0, ((np.where(judged, least, 1.0) + tiny) / (np.nan_to_num(own) + tiny)))
    merit = merit**scheme.power
    total = merit.sum(axis=1, keepdims=True)
    merit = np.where(total > 0, merit / np.where(total > 0, total, 1.0), group)
    usable = np.where(judged & np.isnan(own), 0.0, group)  # a model that failed on this item
    rest = usable.sum(axis=1, keepdims=True)
    usable = np.where(rest > 0, usable / np.where(rest > 0, rest, 1.0), merit)
    return _pruned(scheme.share * merit + (1.0 - scheme.share) * usable)


def _pruned(weights: Floats) -> Floats:
    kept = np.where(weights >= np.minimum(LEAST_WEIGHT, weights.max(axis=1, keepdims=True)), weights, 0.0)
    result: Floats = kept / kept.sum(axis=1, keepdims=True)
    return result


def blend(weights: Floats, forecasts: Floats) -> Floats:
    """Return the weighted mean [n, …] of forecasts [m, n, …] by weights [n, m]; models without weight may be NaN.

    A model that has weight and no forecast leaves its weight to the others; NaN where none is left.
    """
    shape = (*weights.T.shape, *(1 for _ in forecasts.shape[2:]))
    share = np.where(np.isnan(forecasts), 0.0, weights.T.reshape(shape))
    total = share.sum(axis=0)
    mean: Floats = (share * np.nan_to_num(forecasts)).sum(axis=0) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, np.nan)


def _loss(trial: Trial, weights: Floats, metric: str, levels: Sequence[float], positions: Sequence[int]) -> float:
    """Return the summed loss of an ensemble in a window."""
    means, values = blend(weights, trial.means), blend(weights, trial.values[..., positions])
    return float(np.nansum(item_losses(trial, means, values, levels, metric)))


def _select(
    trials: Sequence[Trial], rows: Integers, metric: str, levels: Sequence[float], positions: Sequence[int]
) -> Floats:
    """Return the weights [m] of an ensemble chosen greedily, with replacement, on items that all models forecast."""
    models = len(trials[0].means)
    given = np.mean([~np.isnan(t.means[:, rows, 0]) & ~np.isnan(t.actual[rows, 0]) for t in trials], axis=0)
    covered = given.mean(axis=1) if given.size else np.zeros(models)
    usable = np.flatnonzero(covered >= 0.5 * max(covered.max(initial=0.0), 1e-9))
    if not usable.size:
        return np.full(models, 1.0 / models)
    full = np.flatnonzero((given[usable] > 0).all(axis=0))
    if not full.size:
        usable = usable[[int(covered[usable].argmax())]]
        full = np.flatnonzero(given[usable[0]] > 0)
    full = rows[full[:: max(1, len(full) // MOST_ITEMS)]]
    parts = [_part(trial, usable, full, positions) for trial in trials]
    votes = np.zeros(models)
    for number in range(1, ROUNDS + 1):
        scores = np.zeros(len(usable))
        for trial, totals in parts:
            means, values = ((s + each) / number for s, each in ((totals[0], trial.means), (totals[1], trial.values)))
            scores += np.nansum(item_losses(trial, means, values, levels, metric), axis=1)
        winner = int(scores.argmin())
        votes[usable[winner]] += 1
        for trial, (means, values) in parts:
            means += trial.means[winner]
            values += trial.values[winner]
    weights: Floats = votes / votes.sum()
    return weights


def _part(
    trial: Trial, models: Integers, rows: Integers, positions: Sequence[int]
) -> tuple[Trial, tuple[Floats, Floats]]:
    """Cut out some models, items and levels, with the sums that the selection adds to."""
    steps = slice(None, None, max(1, -(-trial.window.horizon // MOST_STEPS)))
    means = trial.means[models][:, rows, steps]
    values = trial.values[models][:, rows, steps][..., positions]
    part = Trial(trial.window, trial.actual[rows, steps], trial.scales[rows], means, values)
    return part, (np.zeros_like(means[0]), np.zeros_like(values[0]))
