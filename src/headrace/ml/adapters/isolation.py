"""Forms of anomaly scores: an isolation forest, and a score brought to a common scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headrace.ml.contract import Form, Graph


@dataclass(frozen=True, eq=False)
class Isolation(Form):
    """2 to the power of -(mean depth / `usual`): `depths` are trees whose leaves add up to the mean depth."""

    depths: Form
    usual: float

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the trees and the power."""
        depth = self.depths.to_onnx(graph, features)
        scaled = graph.node("Mul", [depth, graph.constant(np.array(-math.log(2) / self.usual, np.float32), "usual")])
        return graph.node("Exp", [scaled])


@dataclass(frozen=True, eq=False)
class Rescaled(Form):
    """Another form's score less `centre`, in units of `scale`."""

    form: Form
    centre: float
    scale: float

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write (score - centre) / scale."""
        score = self.form.to_onnx(graph, features)
        apart = graph.node("Sub", [score, graph.constant(np.array(self.centre, np.float32), "centre")])
        return graph.node("Div", [apart, graph.constant(np.array(self.scale, np.float32), "scale")])


def average_depth(rows: int) -> float:
    """Return the mean depth at which an unsuccessful search in a binary tree of so many rows ends.

    >>> round(average_depth(256), 3)
    10.245
    """
    if rows <= 1:
        return 1e-9
    if rows == 2:
        return 1.0
    return 2.0 * (math.log(rows - 1.0) + float(np.euler_gamma)) - 2.0 * (rows - 1.0) / rows
