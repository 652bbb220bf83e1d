"""Backtest windows: stretches at the end of the histories that are forecast as if they were not known yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.options import MOST_WINDOWS, TrainingOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import DataError

LEAST_HISTORY = 3
"""Periods that a history must have before a window to be forecast in it."""
_BY_ITEMS = ((50, 5), (300, 3), (2_000, 2))
_HORIZONS_OF_HISTORY = 3


@dataclass(frozen=True)
class Window:
    """A backtest window: the `horizon` periods that begin `cut` periods before the end of each history."""

    cut: int
    horizon: int

    def actual(self, panel: Panel) -> npt.NDArray[np.float64]:
        """Return what came, [n, horizon]; NaN where a history is too short."""
        return panel.last(self.cut)[:, : self.horizon]

    def items(self, panel: Panel) -> npt.NDArray[np.int64]:
        """Return the items with enough history before the window."""
        return np.flatnonzero(panel.lengths - self.cut >= LEAST_HISTORY)


def choose_windows(panel: Panel, options: TrainingOptions) -> tuple[Window, ...]:
    """Return the windows, the newest first: as many as asked for, or one to five by items and length of history.

    Raises `DataError` where the longest history has fewer than three horizons, or no room for the windows asked for.
    """
    horizon = options.horizon
    longest = int(panel.lengths.max(initial=0))
    if longest < _HORIZONS_OF_HISTORY * horizon:
        most = longest // _HORIZONS_OF_HISTORY
        can = f"use --horizon {most} or a longer history" if most else "give a longer history"
        raise DataError(
            f"the horizon of {horizon} periods is more than a third of the longest history, which has {longest}; {can}"
        )
    offset = options.window_offset or horizon
    needed = offset + (options.windows or 1) * horizon - horizon + LEAST_HISTORY
    if longest < needed:
        raise DataError(
            f"the backtest windows take {needed - LEAST_HISTORY} periods and the longest history has {longest}; "
            "ask for fewer windows, or begin them nearer to the end"
        )
    return tuple(
        Window(offset + i * horizon, horizon) for i in range(options.windows or _count(panel, horizon, offset))
    )


def _count(panel: Panel, horizon: int, offset: int) -> int:
    """Choose fewer windows for more items, and so few that usual histories keep two seasons before the first."""
    most = next((windows for items, windows in _BY_ITEMS if len(panel) <= items), 1)
    lengths = panel.lengths[panel.lengths > 0]
    kept = max(horizon, min(2 * panel.frequency.season + 1, int(np.median(lengths)) // 2))
    room = (int(np.quantile(lengths, 0.75)) - kept - offset) // horizon + 1
    return int(np.clip(room, 1, min(most, MOST_WINDOWS)))
