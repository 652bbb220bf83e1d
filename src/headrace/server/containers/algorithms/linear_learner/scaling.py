"""Linear Learner's normalisation of features and label, and its way back into the model's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.losses import Doubles


@dataclass(frozen=True)
class Scaling:
    """Means and deviations [columns] of the features, and those of the label."""

    means: Doubles
    deviations: Doubles
    label_mean: float
    label_deviation: float

    def features(self, features: Any) -> Any:
        """Return features scaled: dense double, or CSR, which keeps its zeros (its means are 0)."""
        if isinstance(features, np.ndarray):
            return (features.astype(np.float64) - self.means) / self.deviations
        from scipy.sparse import csr_matrix, diags

        return csr_matrix(features.astype(np.float64) @ diags(1 / self.deviations))

    def labels(self, labels: npt.NDArray[Any]) -> Doubles:
        """Return a regressor's labels scaled."""
        return (labels.astype(np.float64) - self.label_mean) / self.label_deviation

    def back(self, weight: Doubles, bias: Doubles) -> tuple[Doubles, Doubles]:
        """Return weight and bias that do to plain features what the given ones do to scaled features."""
        plain = weight / self.deviations[:, None] * self.label_deviation
        return plain, bias * self.label_deviation + self.label_mean - self.means @ plain


def scaling_of(features: Any, labels: npt.NDArray[Any], options: Mapping[str, Any], *, regressor: bool) -> Scaling:
    """Return the scaling of `num_point_for_scaler` rows, as the hyperparameters ask for it."""
    points = min(features.shape[0], options["num_point_for_scaler"])
    chosen = np.linspace(0, features.shape[0] - 1, points).astype(np.int64)
    sample = features[chosen]
    dense = isinstance(sample, np.ndarray)
    means = np.asarray(sample.mean(axis=0), np.float64).reshape(-1)
    squares = np.square(sample.astype(np.float64)) if dense else sample.astype(np.float64).power(2)
    deviations = np.sqrt(np.maximum(np.asarray(squares.mean(axis=0)).reshape(-1) - means**2, 0))
    if dense:
        deviations = sample.std(axis=0, dtype=np.float64)
    normalise = options["normalize_data"] is not False
    centre = dense if options["unbias_data"] is None else options["unbias_data"] and dense
    varies = deviations > 1e-7 * np.maximum(1.0, np.abs(means))
    drawn = labels[chosen].astype(np.float64)
    spread = float(drawn.std()) if regressor and options["normalize_label"] is not False else 1.0
    return Scaling(
        means=means if centre else np.zeros_like(means),
        deviations=np.where(varies & normalise, deviations, 1.0),
        label_mean=float(drawn.mean()) if regressor and options["unbias_label"] is not False else 0.0,
        label_deviation=spread if spread > 0 else 1.0,
    )
