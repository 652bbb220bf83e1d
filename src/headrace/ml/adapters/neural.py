"""The form of a multi-layer perceptron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import float32, float64, int64
from numpy.typing import NDArray

from headrace.ml.adapters.links import apply_link, link_to_onnx
from headrace.ml.contract import Features, Form, Graph, Predictions

BOUND = 20.0
"""Features beyond so many standard deviations are read as this."""


@dataclass(frozen=True, eq=False)
class Neural(Form):
    """Layers of relu(inputs @ weights + biases), the last without relu, then · `scale` + `centre` and the link.

    `sizes` [layers + 1] are the widths from the features to the outputs; `weights` holds the matrices
    [inputs, outputs] end to end, row after row, and `biases` the vectors.
    """

    sizes: NDArray[int64]
    weights: NDArray[float32]
    biases: NDArray[float32]
    scale: float
    centre: float
    link: str

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write a Gemm and a Relu a layer."""
        bound = np.array(BOUND, float32)
        values = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
        for layer, (matrix, vector) in enumerate(self._layers()):
            if layer:
                values = graph.node("Relu", [values])
            weights, biases = graph.constant(matrix, "weights"), graph.constant(vector, "biases")
            values = graph.node("Gemm", [values, weights, biases])
        if (self.scale, self.centre) != (1.0, 0.0):
            values = graph.node("Mul", [values, graph.constant(np.array(self.scale, float32), "scale")])
            values = graph.node("Add", [values, graph.constant(np.array(self.centre, float32), "centre")])
        return link_to_onnx(graph, self.link, values)

    def predict(self, features: Features) -> Predictions:
        """Return what `to_onnx` computes: float32 in the layers, double in the link."""
        values = np.clip(features, float32(-BOUND), float32(BOUND))
        for layer, (matrix, vector) in enumerate(self._layers()):
            values = (np.maximum(values, 0) if layer else values) @ matrix + vector
        return apply_link(self.link, values.astype(float64) * self.scale + self.centre)

    def _layers(self) -> list[tuple[NDArray[float32], NDArray[float32]]]:
        """Return each layer's matrix and vector."""
        matrices = np.split(self.weights, np.cumsum(self.sizes[:-1] * self.sizes[1:])[:-1])
        vectors = np.split(self.biases, np.cumsum(self.sizes[1:])[:-1])
        shaped = [matrix.reshape(inputs, -1) for matrix, inputs in zip(matrices, self.sizes, strict=False)]
        return list(zip(shaped, vectors, strict=True))


def neural_form(matrices: list[NDArray[float64]], vectors: list[NDArray[float64]], **others: float | str) -> Neural:
    """Lay the layers' matrices and vectors end to end."""
    sizes = np.array([len(matrices[0]), *(len(vector) for vector in vectors)], int64)
    weights = np.concatenate([matrix.ravel() for matrix in matrices]).astype(float32)
    return Neural(sizes, weights, np.concatenate(vectors).astype(float32), **others)  # type: ignore[arg-type]
