"""What a forecasting model is: fitted on a panel, it forecasts from the end of the panel it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.panel import Panel

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Forecast:
    """A forecast of n items: `mean` [n, h], and `values` [n, h, q] at the ascending levels `quantiles`."""

    mean: npt.NDArray[np.float64]
    quantiles: tuple[float, ...]
    values: npt.NDArray[np.float64]


class FittedModel(Protocol):
    """A model that was fitted, and can be kept as plain arrays."""

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """Forecast from the end of `panel`, which may be newer than what was fitted on."""

    def to_arrays(self) -> Arrays:
        """Return all that is needed to forecast again, as arrays without objects."""

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Restore what `to_arrays` returned."""


class Model(ABC):
    """A forecasting algorithm with its settings.

    `name` is its key in `MODELS`, `title` how people call it, `needs` what of a panel it looks at beside the series
    ("related", "metadata"), `across_items` whether it learns from all items together; others can be given any part of
    the items. `fitted` restores with `from_arrays`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    across_items: ClassVar[bool] = False
    fitted: ClassVar[type[FittedModel]]

    @abstractmethod
    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None) -> FittedModel:
        """Fit on the panel's histories to forecast `horizon` periods, in about `seconds` where given."""
