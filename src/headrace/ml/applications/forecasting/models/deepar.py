"""DeepAR as a forecasting model: one network for all items of a panel, quantiles of the paths that it draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.models.contract import Forecast, Model
from headrace.ml.applications.forecasting.models.networks.deepar import Network, Schedule, Settings, draw_paths, train
from headrace.ml.applications.forecasting.models.networks.deepar.network import lags_of
from headrace.ml.applications.forecasting.models.networks.panels import (
    count_labels,
    labels_from_array,
    labels_to_array,
    quiet_items,
    sequences_of,
)
from headrace.ml.applications.forecasting.models.networks.sequences import Cutter
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import DataError

LONGEST_CONTEXT = 200
PATHS, PATH_VALUES = 200, 6_000_000
"""Paths of an item at most, and values of all paths together about."""


@dataclass(frozen=True, eq=False)
class FittedDeepAr:
    """A trained network, the codes of the labels that it knows, and the seed of its paths."""

    network: Network
    labels: Mapping[str, Mapping[str, int]]
    seed: int

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """Forecast from the end of `panel`: mean and quantiles of drawn paths."""
        horizon = self.network.settings.horizon
        samples = int(np.clip(PATH_VALUES // max(1, len(panel) * horizon), 25, PATHS))
        paths = draw_paths(
            self.network, sequences_of(panel, horizon, self.labels), samples=samples, seed=self.seed
        ).astype(np.float64)
        paths[quiet_items(panel)] = 0
        values = np.quantile(paths, quantiles, axis=1).transpose(1, 2, 0)
        return Forecast(paths.mean(axis=1), quantiles, values)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the network, labels and seed as plain arrays."""
        return self.network.to_arrays() | {"labels": labels_to_array(self.labels), "seed": np.array(self.seed)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of `to_arrays`; raises ModelError."""
        return cls(Network.from_arrays(arrays), labels_from_array(arrays), int(arrays.get("seed", np.array(0))))


class DeepAr(Model):
    """DeepAR with a Student's t distribution (Salinas et al., 2020)."""

    name, title = "deepar", "DeepAR"
    needs: ClassVar[frozenset[str]] = frozenset({"related", "metadata"})
    across_items = True
    fitted = FittedDeepAr

    def __init__(self, *, likelihood: str = "student-T", cells: int = 40, layers: int = 2, epochs: int = 40) -> None:
        self.likelihood, self.cells, self.layers, self.epochs = likelihood, cells, layers, epochs

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None = None) -> FittedDeepAr:
        """Train the network for at most `seconds`; raises DataError where no item has two values."""
        if np.isfinite(panel.values).sum() < 2 or not (panel.lengths > 1).any():
            raise DataError("DeepAR learns from a history of two values at least, and no item has one")
        labels = count_labels(panel)
        sequences = sequences_of(panel, horizon, labels)
        season = min(2 * panel.frequency.season, LONGEST_CONTEXT // 2)
        settings = Settings(
            context=int(np.clip(max(horizon, season), 8, LONGEST_CONTEXT)),
            horizon=horizon,
            lags=lags_of(panel.frequency, int(panel.lengths.max()) - 1),
            features=Cutter(sequences).features,
            cardinality=tuple(len(counted) for counted in labels.values()),
            embedding=8,
            cells=self.cells,
            layers=self.layers,
            likelihood=self.likelihood,
        )
        network, _ = train(sequences, settings, Schedule(epochs=self.epochs, seconds=seconds), seed)
        return FittedDeepAr(network, labels, seed)
