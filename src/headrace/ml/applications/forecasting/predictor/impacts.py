"""What moves the forecasts: the contributions of related series, metadata and holidays, as shares of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.panel import Panel

Floats = npt.NDArray[np.float64]


@runtime_checkable
class Explaining(Protocol):
    """A fitted model that can tell what its forecasts are made of."""

    def contributions(self, panel: Panel) -> Mapping[str, Floats]:
        """Return, by attribute, what it adds to each forecast, [n, h], in the target's unit."""


@dataclass(frozen=True)
class Impact:
    """An attribute's impact: its signed contribution (`score`) and its `size`, as shares of the forecasts' size."""

    name: str
    score: float
    size: float


def measure_impacts(contributions: Mapping[str, Floats], mean: Floats) -> tuple[Impact, ...]:
    """Return the impacts of all attributes on forecasts of `mean` [n, h], the largest first.

    Forecasts whose contributions are NaN, as those of a large panel that were not explained, do not count.
    """
    explained = [~np.isnan(each) for each in contributions.values()]
    total = float(np.nansum(np.abs(mean)[np.logical_or.reduce(explained)])) if explained else 0.0
    total = total or 1.0
    found = [
        Impact(name, float(np.nansum(each)) / total, float(np.nansum(np.abs(each))) / total)
        for name, each in contributions.items()
    ]
    return tuple(sorted(found, key=lambda impact: -impact.size))
