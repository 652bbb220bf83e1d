"""Maps from probabilities to better ones, as forms: applied in NumPy while choosing, and as nodes of the graph.

All work on log-odds; for two classes they rise strictly, and so leave the order of rows, and ranking metrics, alone.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.links import NORMALISED_SIGMOID, SIGMOID, SOFTMAX, apply_link, link_to_onnx
from headrace.ml.adapters.piecewise import piecewise_values, write_piecewise
from headrace.ml.contract import Form, Graph, Predictions

SMALLEST = 1e-7
"""Added to probabilities before the logarithm: a bound would make ties of the smallest."""


class Calibrator(Form):
    """A form whose features are probabilities [rows, classes]."""

    @abstractmethod
    def apply(self, probabilities: Predictions) -> Predictions:
        """Calibrate in double precision: [rows, classes] to [rows, classes]."""


@dataclass(frozen=True, eq=False)
class BetaCalibrator(Calibrator):
    """Log-odds `left` · ln p - `right` · ln(1 - p) + `offset` of the positive class of two.

    Source: Kull, Silva Filho and Flach, Beta calibration (AISTATS 2017).
    """

    left: float
    right: float
    offset: float

    def apply(self, probabilities: Predictions) -> Predictions:
        """Calibrate two classes."""
        logs = logarithms(probabilities)
        return apply_link(SIGMOID, logs @ np.array([[-self.right], [self.left]]) + self.offset)

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write two logarithms, one product and the sigmoid."""
        logs = _logarithms(graph, features)
        weights = graph.constant(np.array([[-self.right], [self.left]], np.float32), "weights")
        offset = graph.constant(np.array([self.offset], np.float32), "offset")
        return link_to_onnx(graph, SIGMOID, graph.node("Gemm", [logs, weights, offset]))


@dataclass(frozen=True, eq=False)
class IsotonicCalibrator(Calibrator):
    """Straight lines from `knots` (log-odds, rising) to `values` (calibrated log-odds, rising); slope 1 beyond them.

    Lines instead of steps: steps would make ties of rows that the model tells apart.
    """

    knots: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]

    def apply(self, probabilities: Predictions) -> Predictions:
        """Calibrate two classes."""
        logs = logarithms(probabilities)
        odds = piecewise_values(logs[:, 1] - logs[:, 0], self.knots, self.values, 1.0)
        return apply_link(SIGMOID, odds[:, None])

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the log-odds, the search among the knots, and the sigmoid."""
        signs = graph.constant(np.array([[-1.0], [1.0]], np.float32), "weights")
        odds = graph.node("MatMul", [_logarithms(graph, features), signs])
        return link_to_onnx(graph, SIGMOID, write_piecewise(graph, odds, self.knots, self.values, 1.0))


@dataclass(frozen=True, eq=False)
class TemperatureCalibrator(Calibrator):
    """Logarithms divided by one `temperature` for all classes, which keeps the order of the classes of every row.

    Source: Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks (ICML 2017).
    """

    temperature: float

    def apply(self, probabilities: Predictions) -> Predictions:
        """Calibrate any number of classes."""
        return apply_link(SOFTMAX, logarithms(probabilities) / self.temperature)

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write logarithm, product and softmax."""
        factor = graph.constant(np.array(1 / self.temperature, np.float32), "factor")
        return link_to_onnx(graph, SOFTMAX, graph.node("Mul", [_logarithms(graph, features), factor]))


@dataclass(frozen=True, eq=False)
class OneVersusRestCalibrator(Calibrator):
    """Beta calibration of each class against the rest (`left`, `right`, `offset` [classes]), scaled to the sum 1."""

    left: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    def apply(self, probabilities: Predictions) -> Predictions:
        """Calibrate any number of classes."""
        chances = np.asarray(probabilities, np.float64)
        logs = np.log(np.maximum(chances, SMALLEST))
        rest = np.log(np.maximum(1 - chances, SMALLEST))
        return apply_link(NORMALISED_SIGMOID, self.left * logs - self.right * rest + self.offset)

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the two logarithms of each class, their weighted sum, sigmoid and division."""
        one = graph.constant(np.array(1, np.float32), "one")
        rest = _logarithms(graph, graph.node("Sub", [one, features]))
        parts = [
            graph.node("Mul", [_logarithms(graph, features), _row(graph, self.left)]),
            graph.node("Mul", [rest, _row(graph, -self.right)]),
            _row(graph, self.offset),
        ]
        return link_to_onnx(graph, NORMALISED_SIGMOID, graph.node("Sum", parts))


def _row(graph: Graph, values: npt.NDArray[np.float64]) -> str:
    return graph.constant(np.asarray(values, np.float32)[None, :], "weights")


def _logarithms(graph: Graph, chances: str) -> str:
    raised = graph.node("Add", [chances, graph.constant(np.array(SMALLEST, np.float32), "smallest")])
    return graph.node("Log", [raised])


def logarithms(chances: Predictions) -> npt.NDArray[np.float64]:
    """Return ln(p + 1e-7), in double."""
    return np.asarray(np.log(np.asarray(chances, np.float64) + SMALLEST))
