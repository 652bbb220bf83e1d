"""The form of k-nearest neighbours: distances to all kept rows, the nearest, their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import float32, float64
from numpy.typing import NDArray

from headrace.ml.contract import Form, Graph

BOUND = 1e6
"""Features beyond are read as this, so that squares stay comparable; standardised ones never reach it."""
NEAR = 1e-6
"""Added to squared distances before they weigh: a row at distance 0 weighs 1000."""


@dataclass(frozen=True, eq=False)
class Neighbors(Form):
    """A row's answer is the mean of `answers` [kept rows, outputs] over the `count` rows nearest in `rows`.

    Where `by_distance`, neighbours weigh 1 / sqrt(distance² + 1e-6).
    """

    rows: NDArray[float32]
    answers: NDArray[float64]
    count: int
    by_distance: bool

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write |x|² - 2x·r + |r|² in double precision, TopK and the weighted mean."""
        bound = np.array(BOUND, np.float32)
        clipped = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
        wide = graph.node("Cast", [clipped], to=_DOUBLE)
        kept = self.rows.astype(float64)
        axis = graph.constant(np.array([1], np.int64), "axis")
        products = graph.node("MatMul", [wide, graph.constant(-2 * kept.T, "rows")])
        relative = graph.node("Add", [products, graph.constant((kept**2).sum(axis=1), "lengths")])
        count = graph.constant(np.array([self.count], np.int64), "count")
        nearest = graph.node("TopK", [relative, count], outputs=2, axis=1, largest=0, sorted=0)
        answers = graph.node("Gather", [graph.constant(self.answers, "answers"), f"{nearest}_1"], axis=0)
        if not self.by_distance:
            return graph.node("Cast", [graph.node("ReduceMean", [answers, axis], keepdims=0)], to=_FLOAT)
        own = graph.node("ReduceSumSquare", [wide, axis], keepdims=1)
        squares = graph.node("Max", [graph.node("Add", [nearest, own]), graph.constant(np.array(0.0), "zero")])
        distances = graph.node("Sqrt", [graph.node("Add", [squares, graph.constant(np.array(NEAR), "near")])])
        weights = graph.node("Reciprocal", [distances])
        shares = graph.node("Div", [weights, graph.node("ReduceSum", [weights, axis], keepdims=1)])
        columns = graph.node("Unsqueeze", [shares, graph.constant(np.array([2], np.int64), "axis")])
        means = graph.node("ReduceSum", [graph.node("Mul", [answers, columns]), axis], keepdims=0)
        return graph.node("Cast", [means], to=_FLOAT)


_FLOAT, _DOUBLE = 1, 11  # TensorProto.FLOAT, TensorProto.DOUBLE
