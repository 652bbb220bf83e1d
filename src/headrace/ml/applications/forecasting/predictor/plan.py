"""Which models are tried, and what of a budget each may take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import OptionError
from headrace.ml.tables.names import suggest

ORDER = (
    "seasonal_naive", "naive", "gradient_boosting", "theta", "ets", "arima", "additive", "ces", "npts", "deepar",
    "cnn_qr",
)  # fmt: skip
"""From what brings most for its time to what brings least."""
REFERENCES = ("naive", "seasonal_naive")
"""Models that are always tried: what all others are measured by."""
NETWORKS = ("deepar", "cnn_qr")
LEAST_VALUES, LEAST_SECONDS = 3_000, 40.0
"""Networks are tried, unless they are asked for, where there are so many values, and so much time."""
GLOBAL_SHARE = 0.2
"""The share of the time left that the fit of one model across items may take."""


def candidates(panel: Panel, options: TrainingOptions) -> tuple[str, ...]:
    """Return the models to try, the most worthwhile first; raises `OptionError` for one that is unknown."""
    known = [name for name in (*ORDER, *MODELS) if name in MODELS]
    order = tuple(dict.fromkeys(known))
    if options.algorithms is not None:
        for name in options.algorithms:
            if name not in order:
                known_names = f"; use one of {', '.join(order)}"
                raise OptionError(f"there is no algorithm '{name}'{suggest(name, order) or known_names}")
        return tuple(name for name in order if name in options.algorithms or name in REFERENCES)
    small = panel.values.size < LEAST_VALUES
    hasty = options.budget is not None and options.budget < LEAST_SECONDS
    return tuple(name for name in order if name not in NETWORKS or not (small or hasty))


@dataclass
class Clock:
    """The time of a training: when it must be over, None where nothing hurries."""

    end: float | None

    @classmethod
    def of(cls, seconds: float | None) -> Clock:
        """Start a clock of so many seconds."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    def left(self) -> float | None:
        """Return the seconds left, at least 0; None without an end."""
        return None if self.end is None else max(0.0, self.end - time.monotonic())

    def share(self, part: float) -> float | None:
        """Return a part of the seconds left."""
        left = self.left()
        return None if left is None else part * left

    def until(self, part: float) -> float | None:
        """Return the stamp of `time.monotonic` at which a part of the time left is over."""
        share = self.share(part)
        return None if share is None else time.monotonic() + share


def affordable(
    seconds: Mapping[str, float], order: Sequence[str], windows: int, left: float
) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return in how many windows the models are tried, which are, and notes on those that are left out.

    `seconds` are what one window of all items takes on all cores, `left` the seconds for windows and final forecasts.
    There are fewer windows where that lets more models in.
    """
    best: tuple[int, tuple[str, ...]] = (0, ())
    for count in range(windows, 0, -1):
        chosen, rest = [], left
        for name in order:
            if (count + 1) * seconds[name] <= rest:
                chosen.append(name)
                rest -= (count + 1) * seconds[name]
        if len(chosen) > len(best[1]) or not best[0]:
            best = count, tuple(chosen)
    notes = tuple(
        f"{name} was left out: it would take about {2 * seconds[name]:,.0f} s of the {left:,.0f} s that were left"
        for name in order
        if name not in best[1]
    )
    return *best, notes
