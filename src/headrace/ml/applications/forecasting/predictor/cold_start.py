"""Forecasts of items without a history: what items of the same kind are forecast to do, by their metadata."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.contract import Forecast
from headrace.ml.applications.forecasting.panel import Panel

Integers = npt.NDArray[np.int64]
NEIGHBOURS = 10
_NEAR = 0.75
"""Neighbours are this much as alike as the nearest, at least."""
_LEVELS = np.linspace(0.05, 0.95, 10)


def nearest_items(panel: Panel, item: int, others: Integers) -> Integers:
    """Return up to ten of the `others` whose metadata are most alike; without metadata, those in the middle by size.

    Alike is the share of equal labels, and for numbers how few of the items lie between. A dimension that is shared
    (a store) counts as a label, too.
    """
    alike = np.zeros(len(others))
    for values in panel.metadata.values():
        if isinstance(values, np.ndarray):
            if not np.isnan(values[item]):
                distance = np.abs(values[others] - values[item])
                ranks = np.argsort(np.argsort(np.where(np.isnan(distance), np.inf, distance)))
                alike += 1.0 - ranks / max(1, len(others))
        elif values[item] is not None:
            alike += np.array([values[i] == values[item] for i in others.tolist()], np.float64)
    labels = panel.items[item]
    for position in range(1, len(panel.dimensions)):
        alike += np.array([panel.items[i][position] == labels[position] for i in others.tolist()], np.float64)
    if labels and len(labels) > 1:  # the same item elsewhere tells most of all
        alike += 2.0 * np.array([panel.items[i][0] == labels[0] for i in others.tolist()], np.float64)
    if not alike.any():
        sizes = np.array([float(np.nanmean(panel.series(i)[-50:])) for i in others.tolist()])
        alike = -np.abs(np.nan_to_num(sizes) - np.nanmedian(sizes))
        return others[np.argsort(-alike, kind="stable")[:NEIGHBOURS]]
    order = np.argsort(-alike, kind="stable")[:NEIGHBOURS]
    near: Integers = others[order[alike[order] >= _NEAR * alike.max()]]
    return near


def cold_forecast(panel: Panel, item: int, others: Integers, forecast: Forecast) -> tuple[npt.NDArray[np.float64], ...]:
    """Return mean [h] and quantiles [h, q] of an item without history: the mixture of its neighbours' forecasts.

    `forecast` is that of all items at once; those of the `others` are used.
    """
    near = nearest_items(panel, item, others)
    levels = np.asarray(forecast.quantiles)
    values = forecast.values[near]
    draws = np.stack(
        [np.stack([np.interp(_LEVELS, levels, row) for row in steps]) for steps in values]
    )  # [neighbours, h, draws]
    pooled = np.concatenate(list(draws), axis=-1)
    return forecast.mean[near].mean(axis=0), np.quantile(pooled, levels, axis=-1).T
