"""Functions of one number made of straight lines between knots: in NumPy, as nodes, and as a form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Form, Graph

Array = npt.NDArray[np.float64]


def piecewise_values(numbers: Array, knots: Array, values: Array, beyond: float) -> Array:
    """Return the function at `numbers`: `values` at the rising `knots`, and the slope `beyond` outside of them."""
    outside = beyond * (np.minimum(numbers - knots[0], 0.0) + np.maximum(numbers - knots[-1], 0.0))
    return np.asarray(np.interp(numbers, knots, values) + outside)


def write_piecewise(graph: Graph, numbers: str, knots: Array, values: Array, beyond: float) -> str:
    """Write the function of `numbers` [rows, 1] into `graph`: count the knots passed, look up that piece's line.

    Each piece is written from its own knot, so that float32 differences stay small.
    """
    knots, values = np.asarray(knots, np.float64), np.asarray(values, np.float64)
    slopes = np.r_[beyond, np.diff(values) / np.diff(knots), beyond]
    starts, heights = np.r_[knots[0], knots], np.r_[values[0], values]
    passed = graph.node("GreaterOrEqual", [numbers, graph.constant(knots.astype(np.float32)[None, :], "knots")])
    counts = graph.node("Cast", [passed], to=_INT32)
    piece = graph.node("ReduceSum", [counts, graph.constant(np.array([1], np.int64), "axis")], keepdims=1)
    start, slope, height = (
        graph.node("Gather", [graph.constant(table.astype(np.float32), "line"), piece], axis=0)
        for table in (starts, slopes, heights)
    )
    return graph.node("Add", [height, graph.node("Mul", [slope, graph.node("Sub", [numbers, start])])])


_INT32 = 6  # TensorProto.INT32


@dataclass(frozen=True, eq=False)
class Piecewise(Form):
    """The function as a form of one feature; level beyond its ends."""

    knots: Array
    values: Array

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the function of a matrix [rows, 1]."""
        return write_piecewise(graph, features, self.knots, self.values, 0.0)
