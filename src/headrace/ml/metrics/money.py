"""What predictions earn: money for each outcome of a yes/no decision, each pair of classes, or each unit of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


ANY = "*"
"""Stands for every class in the costs of mistakes."""


@dataclass(frozen=True)
class CostMatrix:
    """Money that deciding for a class costs where another is true: `costs` [actual class, decided class].

    `unsaid` are the mistakes, as (actual, decided), that nothing was said of and that therefore cost nothing.
    """

    classes: tuple[str, ...]
    costs: Values
    unsaid: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Mapping[str, float]], classes: Sequence[str]) -> CostMatrix:
        """Make it of actual → decided → money, where `*` stands for every class and what names a class goes before it.

        Right decisions cost nothing unless their class is named twice. Raises `ValueError`, whose text ends a sentence
        that begins with what was given, for a class that is none of `classes`.

        >>> CostMatrix.of({"*": {"*": 1}, "a": {"b": 9}}, ["a", "b"]).costs.tolist()
        [[0.0, 9.0], [1.0, 0.0]]
        """
        for name in (*given, *(decided for row in given.values() for decided in row)):
            if name not in (*classes, ANY):
                known = ", ".join(f"'{each}'" for each in classes[:10])
                raise ValueError(f"name '{name}', which is no class; use some of {known}, or '{ANY}' for all")
        costs, unsaid = np.zeros((len(classes), len(classes))), []
        for i, actual in enumerate(classes):
            for j, decided in enumerate(classes):
                places = ((actual, decided), (actual, ANY), (ANY, decided), (ANY, ANY))[: 1 if i == j else 4]
                said = [given[row][column] for row, column in places if column in given.get(row, ())]
                costs[i, j] = said[0] if said else 0.0
                if not said and i != j:
                    unsaid.append((actual, decided))
        return cls(tuple(classes), costs, tuple(unsaid))

    def cheapest(self, probabilities: Predictions) -> npt.NDArray[np.int64]:
        """Return the class codes [rows] of the least expected cost; of several the likeliest.

        `probabilities` are [rows, classes]. Source: Elkan, The Foundations of Cost-Sensitive Learning, 2001.
        """
        likely = np.asarray(probabilities, dtype=np.float64)
        expected = likely @ self.costs
        least = expected <= expected.min(axis=1, keepdims=True) * (1 + 1e-9)
        return np.asarray(np.where(least, likely, -1.0).argmax(axis=1), np.int64)
