"""Training and forecasts of CNN-QR: random windows, the pinball loss of all levels, Adam."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.networks.adam import Adam, fading
from headrace.ml.applications.forecasting.models.networks.cnn_qr.network import Array, Network, Settings
from headrace.ml.applications.forecasting.models.networks.sequences import LARGEST, Cutter, Sequences

PACE = 10
"""Batches after which the pace is known."""
ROWS_AT_ONCE = 2_048


@dataclass(frozen=True)
class Schedule:
    """How long training goes on: `batches` of `rows` windows, in `seconds` at most."""

    batches: int = 3_000
    rows: int = 128
    step: float = 2e-3
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows as `Network.answer` reads them, their scales [rows], and scaled targets [rows, horizon]."""

    past: Array
    ahead: Array
    still: Array
    codes: Numbers
    scale: Array
    target: Array


def train(sequences: Sequences, settings: Settings, repeats: Sequence[int], schedule: Schedule, seed: int) -> Network:
    """Train a network; `repeats` are the seasons whose last values come in straight (see `read_batch`)."""
    network = Network.draw(settings, seed)
    random = np.random.default_rng([seed, 4])
    cutter, adam = Cutter(sequences), Adam(network.parameters, weight_decay=1e-4)
    items = np.flatnonzero(sequences.lengths > 1)
    total, began = schedule.batches, time.monotonic()
    done = 0
    while done < total:
        chosen = random.choice(items, schedule.rows)
        first = random.integers(1, np.maximum(sequences.lengths[chosen] - settings.horizon, 1) + 1)
        batch = read_batch(cutter, settings, repeats, chosen, first)
        _, gradient = batch_gradient(network, batch)
        adam.step(gradient, schedule.step * fading(done / total))
        done += 1
        if schedule.seconds is not None:
            spent = time.monotonic() - began
            if done == PACE:
                total = max(done, min(total, int(0.95 * schedule.seconds * done / spent)))
            if spent > schedule.seconds:
                break
    return network


def batch_gradient(network: Network, batch: Batch) -> tuple[float, dict[str, Array]]:
    """Return the mean pinball loss over levels and periods, and its gradient by parameter."""
    values, seen = network.answer(batch.past, batch.ahead, batch.still, batch.codes)
    levels = np.asarray(network.settings.quantiles, values.dtype)
    away = batch.target[..., None] - values
    there = ~np.isnan(away)
    count = max(1, int(there.sum()))
    loss = float(np.where(there, np.maximum(levels * away, (levels - 1) * away), 0).sum() / count)
    slope = np.where(there, np.where(away > 0, -levels, 1 - levels), 0).astype(values.dtype) / values.dtype.type(count)
    return loss, network.gradient(slope, seen)


def predict(network: Network, sequences: Sequences, repeats: Sequence[int]) -> NDArray[np.float64]:
    """Return the quantiles of each item's next values, [n, horizon, levels] in the items' own units."""
    cutter, found = Cutter(sequences), []
    for start in range(0, len(sequences), ROWS_AT_ONCE):
        items = np.arange(start, min(start + ROWS_AT_ONCE, len(sequences)))
        batch = read_batch(cutter, network.settings, repeats, items, sequences.lengths[items])
        values, _ = network.answer(batch.past, batch.ahead, batch.still, batch.codes)
        found.append(np.sort(values, axis=2).astype(np.float64) * batch.scale[:, None, None])
    settings = network.settings
    return np.concatenate(found) if found else np.zeros((0, settings.horizon, len(settings.quantiles)))


def read_batch(cutter: Cutter, settings: Settings, repeats: Sequence[int], items: Numbers, first: Numbers) -> Batch:
    """Read windows whose first period ahead is `first` [rows].

    What is known of a period ahead: the calendar and known features, how far ahead it is, and, straight, the last and
    the last but one value of the same place in each season of `repeats`, and the last value of all.
    """
    context, horizon = settings.context, settings.horizon
    window = cutter.cut(items, first[:, None] + np.arange(-context, horizon))
    history = window.values[:, :context]
    scale = cutter.scales(items, history)
    by = scale[:, None]
    there = ~np.isnan(history)
    scaled = np.clip(np.nan_to_num(history / by), -LARGEST, LARGEST)
    last = _last(scaled, there)
    steps = np.arange(horizon)
    straight: list[Array] = []
    for season in repeats:
        for times in (0, 1):
            places = first[:, None] + steps - season * (steps // season + 1 + times)
            value = cutter.values(items, places) / by
            before = straight[-1] if times else np.broadcast_to(last[:, None], value.shape)
            straight.append(np.clip(np.where(np.isnan(value), before, value), -LARGEST, LARGEST))
    straight.append(np.broadcast_to(last[:, None], (len(items), horizon)))
    ahead = [window.features[:, context:], np.broadcast_to((steps / horizon)[None, :, None], (len(items), horizon, 1))]
    still = np.stack([np.log(scale) / 10, np.log1p(first) / 10, last], axis=1)
    past = [scaled[..., None], there[..., None], window.features[:, :context], window.past[:, :context]]
    return Batch(
        past=np.concatenate(past, axis=2).astype(np.float32),
        ahead=np.concatenate([*ahead, np.stack(straight, axis=2)], axis=2).astype(np.float32),
        still=still.astype(np.float32),
        codes=cutter.sequences.codes[items],
        scale=scale,
        target=window.values[:, context:] / by,
    )


def _last(scaled: Array, there: NDArray[np.bool_]) -> Array:
    """The last value of each window that is not missing, 0 where none is."""
    place = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return np.where(there.any(axis=1), scaled[np.arange(len(scaled)), place], 0)
