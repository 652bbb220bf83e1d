"""The naive forecast: what was last is what comes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, last_value

Floats = npt.NDArray[np.float64]


class Naive(LocalModel):
    """The last value, as uncertain as a random walk."""

    name: ClassVar[str] = "naive"
    title: ClassVar[str] = "Naive"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:  # noqa: ARG002
        """See `LocalModel.outlook`."""
        return last_value(values, horizon)
