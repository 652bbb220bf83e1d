"""Forecasts of DeepAR: paths drawn value by value, each draw coming in as what the next one follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.models.networks.deepar.network import Network
from headrace.ml.applications.forecasting.models.networks.deepar.training import assemble, lagged_values, scales_of
from headrace.ml.applications.forecasting.models.networks.likelihoods import find_likelihood
from headrace.ml.applications.forecasting.models.networks.sequences import LARGEST, Cutter, Sequences

ROWS_AT_ONCE = 12_800


def draw_paths(network: Network, sequences: Sequences, *, samples: int, seed: int) -> NDArray[np.float32]:
    """Draw `samples` paths of each item's next `horizon` values: float32 [n, samples, horizon].

    `sequences.ahead` must be the horizon at least.
    """
    cutter, random = Cutter(sequences), np.random.default_rng([seed, 2])
    size = max(1, ROWS_AT_ONCE // samples)
    parts = [
        _paths(network, cutter, np.arange(first, min(first + size, len(sequences))), samples, random)
        for first in range(0, len(sequences), size)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, samples, network.settings.horizon), np.float32)


def _paths(
    network: Network, cutter: Cutter, items: NDArray[np.int64], samples: int, random: np.random.Generator
) -> NDArray[np.float32]:
    settings = network.settings
    likelihood = find_likelihood(settings.likelihood)
    places = cutter.sequences.lengths[items][:, None] + np.arange(-settings.context, settings.horizon)
    window = cutter.cut(items, places)
    scale = scales_of(network, cutter, items, window.values[:, : settings.context])
    codes = cutter.sequences.codes[items]
    lagged = lagged_values(cutter, items, places, settings.lags) / scale[:, None, None]
    inputs = assemble(network, window, lagged, scale, codes).transpose(1, 0, 2)
    _, _, states = network.run(inputs[: settings.context])
    states = [(np.repeat(hidden, samples, axis=0), np.repeat(cells, samples, axis=0)) for hidden, cells in states]
    wide = np.repeat(scale, samples)
    drawn = np.empty((settings.horizon, len(wide)), np.float32)
    lags = np.array(settings.lags)
    for period in range(settings.horizon):
        now = np.repeat(inputs[settings.context + period], samples, axis=0)
        own = np.flatnonzero(lags <= period)
        now[:, own] = np.clip(drawn[period - lags[own]].T, -LARGEST, LARGEST)
        raw, _, states = network.run(now[None], states)
        drawn[period] = likelihood.draw(random, raw[0], wide)
    paths = drawn.T * wide[:, None]
    return paths.reshape(len(items), samples, settings.horizon)
