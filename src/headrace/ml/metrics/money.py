"""What predictions earn: money for each outcome of a yes/no decision, or for each unit of error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Values


@dataclass(frozen=True)
class Payoffs:
    """Money that each outcome of a yes/no decision gains, negative where it loses."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


@dataclass(frozen=True)
class UnitCosts:
    """Money that a unit of error costs where the prediction is too low (`under`) or too high (`over`); at least 0."""

    under: float = 0.0
    over: float = 0.0

    def earned(self, target: Target, predictions: Predictions) -> Values:
        """Return the (negative) money of each error [rows]: its size times the cost of a unit.

        >>> UnitCosts(under=2, over=1).earned(np.array([10.0, 10.0]), np.array([7.0, 14.0])).tolist()
        [-6.0, -4.0]
        """
        error = np.asarray(target - predictions.ravel(), dtype=np.float64)
        return -np.where(error > 0, self.under * error, -self.over * error)
