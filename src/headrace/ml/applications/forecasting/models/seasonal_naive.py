"""The seasonal naive forecast: what was a season ago is what comes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, last_value

Floats = npt.NDArray[np.float64]


class SeasonalNaive(LocalModel):
    """The last season again, the shortest where there are several; the naive forecast where none was seen whole."""

    name: ClassVar[str] = "seasonal_naive"
    title: ClassVar[str] = "Seasonal naive"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:  # noqa: ARG002
        """See `LocalModel.outlook`."""
        m = seasons[0] if seasons else 1
        if m == 1 or len(values) < m:
            return last_value(values, horizon)
        steps = np.arange(horizon)
        away = values[m:] - values[:-m] if len(values) > m else np.diff(values)
        step = float(np.sqrt(np.square(away).mean()))
        return Outlook(values[len(values) - m + steps % m], step * np.sqrt(steps // m + 1.0))
