"""Training of DeepAR: windows drawn at random from the histories, Adam, and a step that fades out in the time given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.networks.adam import Adam, fading
from headrace.ml.applications.forecasting.models.networks.deepar.network import Array, Network, Settings
from headrace.ml.applications.forecasting.models.networks.embeddings import embedded
from headrace.ml.applications.forecasting.models.networks.likelihoods import find_likelihood
from headrace.ml.applications.forecasting.models.networks.sequences import LARGEST, Cutter, Sequences, Window

PACE = 5
"""Batches after which the pace is known."""


@dataclass(frozen=True)
class Schedule:
    """How long training goes on: `epochs` of `batches` with `rows` windows each, in `seconds` at most.

    `patience` epochs without a lower loss end it (None: never); `report` is told each epoch's number and mean loss;
    `stopped` is asked after every batch.
    """

    epochs: int = 30
    batches: int = 50
    rows: int = 128
    step: float = 2e-3
    seconds: float | None = None
    patience: int | None = None
    report: Callable[[int, float], None] = lambda _epoch, _loss: None
    stopped: Callable[[], bool] = lambda: False


def train(sequences: Sequences, settings: Settings, schedule: Schedule, seed: int) -> tuple[Network, float]:
    """Train a network and return it with the mean loss of the last epoch; the sequences must have two values.

    With `patience` the network and loss are those of the best epoch.
    """
    network = Network.draw(settings, seed)
    random = np.random.default_rng([seed, 1])
    cutter, adam = Cutter(sequences), Adam(network.parameters, weight_decay=1e-5)
    total, began, done = schedule.epochs * schedule.batches, time.monotonic(), 0
    items = np.flatnonzero(_counts(sequences) > 1)
    best, waited, mean = np.inf, 0, np.nan
    kept: dict[str, Array] = {}
    for epoch in range(schedule.epochs):
        losses: list[float] = []
        for _ in range(schedule.batches):
            chosen = random.choice(items, schedule.rows)
            places = _first_ahead(random, sequences.lengths[chosen], settings.horizon)
            loss, gradient = batch_gradient(network, cutter, chosen, places, random)
            adam.step(gradient, schedule.step * fading(done / total))
            losses.append(loss)
            done += 1
            spent = time.monotonic() - began
            if schedule.seconds is not None and done == PACE:
                total = max(done + 1, min(total, int(0.95 * schedule.seconds * done / spent)))
            ended = done >= total or schedule.stopped() or (schedule.seconds is not None and spent > schedule.seconds)
            if ended:
                break
        mean = float(np.mean(losses))
        schedule.report(epoch, mean)
        best, waited = (mean, 0) if mean < best else (best, waited + 1)
        if schedule.patience is not None and not waited:
            kept = {name: values.copy() for name, values in network.parameters.items()}
        if ended or (schedule.patience is not None and waited >= schedule.patience):
            break
    network.parameters.update(kept)
    return network, best if kept else mean


def batch_gradient(
    network: Network, cutter: Cutter, items: Numbers, first: Numbers, random: np.random.Generator | None
) -> tuple[float, dict[str, Array]]:
    """Return the mean loss of windows whose first period ahead is `first` [rows], and its gradient.

    Without `random` no cells are held.
    """
    settings = network.settings
    places = first[:, None] + np.arange(-settings.context, settings.horizon)
    window = cutter.cut(items, places)
    scale = scales_of(network, cutter, items, window.values[:, : settings.context])
    lagged = lagged_values(cutter, items, places, settings.lags) / scale[:, None, None]
    dtype = network.parameters["output"].dtype
    codes = cutter.sequences.codes[items]
    inputs = assemble(network, window, lagged, scale, codes).transpose(1, 0, 2).astype(dtype)
    shape = (len(places[0]), len(items), settings.cells)
    hold = [
        np.zeros((1, 1, 1), dtype) if random is None else (random.random(shape, np.float32) < settings.dropout)
        for _ in range(settings.layers)
    ]
    raw, seen, _ = network.run(inputs, hold=[each.astype(dtype) for each in hold])
    target = (window.values / scale[:, None]).T.astype(dtype)
    there = ~np.isnan(target)
    count = max(1, int(there.sum()))
    likelihood = find_likelihood(settings.likelihood)
    shown = np.where(there, target, 0)
    loss, slope = likelihood.loss(raw, shown, np.broadcast_to(scale, shown.shape).astype(dtype))
    slope = np.where(there[..., None], slope, 0).astype(dtype) / dtype.type(count)
    return float(loss[there].sum() / count), network.gradient(slope, seen, codes)


def scales_of(network: Network, cutter: Cutter, items: Numbers, history: Array) -> NDArray[np.float32]:
    """Return what each window is divided by [rows]; 1 for a likelihood of values that have their own size."""
    if not find_likelihood(network.settings.likelihood).scaled:
        return np.ones(len(items), np.float32)
    return cutter.scales(items, history)


def lagged_values(cutter: Cutter, items: Numbers, places: Numbers, lags: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the values before each period, 0 where missing: float32 [rows, periods, lags]."""
    before = places[:, :, None] - np.array(lags, np.int64)
    return np.nan_to_num(cutter.values(items, before))


def assemble(network: Network, window: Window, lagged: Array, scale: Array, codes: Numbers) -> Array:
    """Return all that comes in of each period: [rows, periods, inputs]."""
    rows, periods = window.places.shape
    still = np.concatenate([np.log(scale)[:, None] / 10, embedded(network.parameters, codes)], axis=1)
    return np.concatenate(
        [
            np.clip(lagged, -LARGEST, LARGEST),
            window.features,
            np.broadcast_to(still[:, None, :], (rows, periods, still.shape[1])),
        ],
        axis=2,
    )


def _first_ahead(random: np.random.Generator, lengths: Numbers, horizon: int) -> Numbers:
    """Draw the first period ahead of each window: one after the first value, so that the horizon lies inside."""
    return np.asarray(random.integers(1, np.maximum(lengths - horizon, 1) + 1))


def _counts(sequences: Sequences) -> Numbers:
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    return np.bincount(owner[~np.isnan(sequences.values)], minlength=len(sequences))
