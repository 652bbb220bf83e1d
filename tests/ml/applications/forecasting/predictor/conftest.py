"""Panels made of trend, season and noise."""

from collections.abc import Callable

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import Panel

MakePanel = Callable[..., Panel]


@pytest.fixture
def make_panel() -> MakePanel:
    """Make monthly series of a yearly season; `cold` adds an item without history, of the kind 'b'."""

    def make(items: int = 6, length: int = 72, *, cold: bool = False, lengths: dict[int, int] | None = None) -> Panel:
        draw = np.random.default_rng(3)
        series = []
        for i in range(items):
            steps = np.arange(length)
            level = 100 * (1 + i % 2) * (1 + 0.002 * steps)
            values = level * (1 + 0.3 * np.sin(2 * np.pi * steps / 12)) + draw.normal(0, 5, length)
            series.append(np.maximum(values, 0)[-(lengths or {}).get(i, length) :])
        series += [np.zeros(0)] * cold
        sizes = np.array([len(each) for each in series])
        return Panel(
            frequency=Frequency("M"),
            items=tuple((f"item {i}",) for i in range(len(series))),
            dimensions=("sku",),
            start=600 + length - sizes,
            offsets=np.concatenate([[0], np.cumsum(sizes)]),
            values=np.concatenate(series),
            metadata={"kind": tuple("ab"[i % 2] for i in range(items)) + ("b",) * cold},
            horizon_known=0,
        )

    return make
