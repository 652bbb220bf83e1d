"""CNN-QR as a forecasting model: one network for all items of a panel, all quantiles of all periods at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.models.calendar import cycles
from headrace.ml.applications.forecasting.models.contract import Forecast, Model
from headrace.ml.applications.forecasting.models.levels import at_levels, mean_of_levels
from headrace.ml.applications.forecasting.models.networks.cnn_qr import Network, Schedule, Settings, predict, train
from headrace.ml.applications.forecasting.models.networks.cnn_qr.network import layers_for
from headrace.ml.applications.forecasting.models.networks.cnn_qr.training import read_batch
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

LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)


@dataclass(frozen=True, eq=False)
class FittedCnnQr:
    """A trained network, the codes of the labels that it knows, and the seasons whose last values it reads."""

    network: Network
    labels: Mapping[str, Mapping[str, int]]
    repeats: tuple[int, ...]

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """Forecast from the end of `panel`; levels between the trained ones are interpolated."""
        sequences = sequences_of(panel, self.network.settings.horizon, self.labels)
        values = predict(self.network, sequences, self.repeats)
        values[quiet_items(panel)] = 0
        return Forecast(mean_of_levels(values, LEVELS), quantiles, at_levels(values, LEVELS, quantiles))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the network, labels and seasons as plain arrays."""
        return self.network.to_arrays() | {
            "labels": labels_to_array(self.labels),
            "repeats": np.array(self.repeats, np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of `to_arrays`; raises ModelError."""
        network, labels = Network.from_arrays(arrays), labels_from_array(arrays)
        return cls(network, labels, tuple(int(each) for each in arrays.get("repeats", ())))


class CnnQr(Model):
    """Causal convolutions and quantile regression (Wen et al., 2017)."""

    name, title = "cnn_qr", "CNN-QR"
    needs: ClassVar[frozenset[str]] = frozenset({"related", "metadata"})
    across_items = True
    fitted = FittedCnnQr

    def __init__(self, *, batches: int = 3_000) -> None:
        self.batches = batches

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None = None) -> FittedCnnQr:
        """Train the network for at most `seconds`; raises DataError where no item has two values."""
        if np.isfinite(panel.values).sum() < 2 or not (panel.lengths > 1).any():
            raise DataError("CNN-QR learns from a history of two values at least, and no item has one")
        labels = count_labels(panel)
        sequences = sequences_of(panel, horizon, labels)
        longest = int(panel.lengths.max())
        repeats = tuple(length for length in cycles(panel.frequency) if 2 * length + horizon <= longest)
        season = panel.frequency.season
        cutter, one = Cutter(sequences), np.flatnonzero(panel.lengths > 1)[:1]
        sized = Settings(horizon, LEVELS, layers_for(min(max(2 * season, horizon, 16), 256)), 0, 0, 0, 0)
        batch = read_batch(cutter, sized, repeats, one, np.ones(1, np.int64))
        settings = Settings(
            horizon=horizon,
            quantiles=LEVELS,
            layers=sized.layers,
            past=batch.past.shape[2],
            ahead=batch.ahead.shape[2],
            still=batch.still.shape[1],
            linear=2 * len(repeats) + 1,
            cardinality=tuple(len(counted) for counted in labels.values()),
        )
        schedule = Schedule(batches=self.batches, seconds=seconds)
        return FittedCnnQr(train(sequences, settings, repeats, schedule, seed), labels, repeats)
