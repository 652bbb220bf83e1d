"""The form of Gaussian naive Bayes: a quadratic score a class, and softmax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import float64

from headrace.ml.contract import Features, Form, Graph, Predictions

BOUND = 1e6
"""Features beyond are read as this: standardised ones never are, and squares stay comparable."""


@dataclass(frozen=True, eq=False)
class Gaussian(Form):
    """Class k scores `constants[k]` minus half the sum of (feature - means[k])² / variances[k].

    `means` and `variances` are [classes, columns]; `constants` [classes] hold the log prior and the normalisation.
    """

    means: npt.NDArray[float64]
    variances: npt.NDArray[float64]
    constants: npt.NDArray[float64]

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the scores as two matrix products in double precision, which the squares need."""
        bound = np.array(BOUND, np.float32)
        clipped = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
        wide = graph.node("Cast", [clipped], to=_DOUBLE)
        square, linear, constant = self._polynomial()
        squares = graph.node("MatMul", [graph.node("Mul", [wide, wide]), graph.constant(square, "squares")])
        products = graph.node("MatMul", [wide, graph.constant(linear, "linear")])
        scores = graph.node("Add", [graph.node("Add", [squares, products]), graph.constant(constant, "constants")])
        return graph.node("Cast", [graph.node("Softmax", [scores], axis=-1)], to=_FLOAT)

    def _polynomial(self) -> tuple[Predictions, Predictions, Predictions]:
        """Return the coefficients of squares and of features [columns, classes], and the constants [classes]."""
        square = -0.5 / self.variances.T
        linear = (self.means / self.variances).T
        constant = self.constants - 0.5 * (self.means**2 / self.variances).sum(axis=1)
        return square, linear, constant


def bounded(features: Features) -> Features:
    """Clip features to ±`BOUND`, as the graph does."""
    return np.clip(features, -BOUND, BOUND)


_FLOAT, _DOUBLE = 1, 11  # TensorProto.FLOAT, TensorProto.DOUBLE
