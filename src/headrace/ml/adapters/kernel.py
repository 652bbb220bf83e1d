"""The form of support vector machines: kernel values against the support vectors, one product, a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import float64
from numpy.typing import NDArray

from headrace.ml.adapters.links import link_to_onnx
from headrace.ml.contract import Form, Graph

BOUND = 1e6
"""Features beyond are read as this, so that no power of them overflows; standardised ones never reach it."""


@dataclass(frozen=True, eq=False)
class Kernel(Form):
    """Scores are K(features, vectors) @ coefficients + intercepts.

    `vectors` [vectors, columns], `coefficients` [vectors, outputs], `intercepts` [outputs]. `kernel` is rbf:
    exp(-gamma |x - v|²), poly: (gamma x·v + shift)^degree, or linear: x·v. Platt's scaling is inside the arrays.
    """

    vectors: NDArray[float64]
    coefficients: NDArray[float64]
    intercepts: NDArray[float64]
    kernel: str
    gamma: float
    shift: float
    degree: int
    link: str

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the kernel in double precision: distances between near points are small differences of large sums."""
        bound = np.array(BOUND, np.float32)
        clipped = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
        wide = graph.node("Cast", [clipped], to=_DOUBLE)
        products = graph.node("MatMul", [wide, graph.constant(self.vectors.T, "vectors")])
        values = graph.node(
            "MatMul", [self._kernel(graph, wide, products), graph.constant(self.coefficients, "weights")]
        )
        scores = graph.node("Add", [values, graph.constant(self.intercepts, "intercepts")])
        return link_to_onnx(graph, self.link, graph.node("Cast", [scores], to=_FLOAT))

    def _kernel(self, graph: Graph, rows: str, products: str) -> str:
        if self.kernel == "linear":
            return products
        if self.kernel == "poly":
            scaled = graph.node("Mul", [products, graph.constant(np.array(self.gamma), "gamma")])
            shifted = graph.node("Add", [scaled, graph.constant(np.array(self.shift), "shift")])
            return graph.node("Pow", [shifted, graph.constant(np.array(float(self.degree)), "degree")])
        squares = graph.node("ReduceSumSquare", [rows, graph.constant(np.array([1], np.int64), "axis")], keepdims=1)
        own = graph.node("Mul", [squares, graph.constant(np.array(-self.gamma), "gamma")])
        cross = graph.node("Mul", [products, graph.constant(np.array(2 * self.gamma), "gamma")])
        others = graph.constant(-self.gamma * (self.vectors**2).sum(axis=1), "lengths")
        return graph.node("Exp", [graph.node("Add", [graph.node("Add", [cross, own]), others])])


_FLOAT, _DOUBLE = 1, 11  # TensorProto.FLOAT, TensorProto.DOUBLE
