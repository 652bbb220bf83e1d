"""Forms of clusterings: how much a row belongs to each cluster, as probabilities [rows, clusters]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import float64, int64
from numpy.typing import NDArray

from headrace.ml.contract import Form, Graph

BOUND = 1e6
"""Features beyond are read as this, so that squares stay comparable; standardised ones never reach it."""
_FLOAT, _DOUBLE = 1, 11  # TensorProto.FLOAT, TensorProto.DOUBLE


@dataclass(frozen=True, eq=False)
class Projected(Form):
    """Another form behind a projection of the features onto `directions` [features, fewer]."""

    directions: NDArray[float64]
    form: Form

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Multiply in double precision, and hand on in float32."""
        product = graph.node("MatMul", [_wide(graph, features), graph.constant(self.directions, "directions")])
        return self.form.to_onnx(graph, graph.node("Cast", [product], to=_FLOAT))


@dataclass(frozen=True, eq=False)
class Densities(Form):
    """Normal densities about `centres` [clusters, columns], weighed and normed to 1.

    `scales` [clusters, columns, columns] turn a difference from the centre into standard deviations, and `logarithms`
    [clusters] are those of each cluster's weight and of its density at the centre.
    """

    centres: NDArray[float64]
    scales: NDArray[float64]
    logarithms: NDArray[float64]

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write (x - centre) · scale of all clusters as one product, the sums of squares, and a softmax."""
        clusters, columns = self.centres.shape
        scales = self.scales.transpose(1, 0, 2).reshape(columns, clusters * columns)
        offsets = np.einsum("kc,kcd->kd", self.centres, self.scales).reshape(1, -1)
        product = graph.node("MatMul", [_wide(graph, features), graph.constant(scales, "scales")])
        apart = graph.node("Sub", [product, graph.constant(offsets, "offsets")])
        shape = graph.constant(np.array([-1, clusters, columns], np.int64), "shape")
        axis = graph.constant(np.array([2], np.int64), "axis")
        squares = graph.node("ReduceSumSquare", [graph.node("Reshape", [apart, shape]), axis], keepdims=0)
        halved = graph.node("Mul", [squares, graph.constant(np.array(-0.5), "half")])
        densities = graph.node("Add", [halved, graph.constant(self.logarithms, "logarithms")])
        return graph.node("Cast", [graph.node("Softmax", [densities], axis=1)], to=_FLOAT)


@dataclass(frozen=True, eq=False)
class NearestMember(Form):
    """A row belongs to the cluster of the member nearest to it; beyond that member's reach, to the last: none.

    `members` [members, columns] are training rows, `clusters` [members] their codes from 0 to `count` - 1, `reaches`
    [members] the largest squared distances at which they still speak for a row.
    """

    members: NDArray[float64]
    clusters: NDArray[int64]
    reaches: NDArray[float64]
    count: int

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write |x|² - 2x·m + |m|², the nearest member, and whether it reaches."""
        wide = _wide(graph, features)
        axis = graph.constant(np.array([1], np.int64), "axis")
        products = graph.node("MatMul", [wide, graph.constant(-2 * self.members.T, "members")])
        relative = graph.node("Add", [products, graph.constant((self.members**2).sum(axis=1), "lengths")])
        nearest = graph.node("ArgMin", [relative], axis=1, keepdims=0)
        own = graph.node("ReduceSumSquare", [wide, axis], keepdims=0)
        least = graph.node("ReduceMin", [relative, axis], keepdims=0)
        reach = graph.node("Gather", [graph.constant(self.reaches, "reaches"), nearest])
        reached = graph.node("LessOrEqual", [graph.node("Add", [least, own]), reach])
        code = graph.node("Gather", [graph.constant(self.clusters, "clusters"), nearest])
        code = graph.node("Where", [reached, code, graph.constant(np.array(self.count, np.int64), "none")])
        table = graph.constant(np.eye(self.count + 1, dtype=np.float32), "memberships")
        return graph.node("Gather", [table, code], axis=0)


def _wide(graph: Graph, features: str) -> str:
    bound = np.array(BOUND, np.float32)
    clipped = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
    return graph.node("Cast", [clipped], to=_DOUBLE)
