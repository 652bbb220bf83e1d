"""The form of a multi-layer perceptron, with or without waves of some features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import float32, float64, int64
from numpy.typing import NDArray

from headrace.ml.adapters.links import apply_link, link_to_onnx
from headrace.ml.contract import Features, Form, Graph, Predictions

RELU = "relu"
BOUND = 20.0
"""Features beyond so many standard deviations are read as this."""


@dataclass(frozen=True, eq=False)
class Neural(Form):
    """Layers of activation(inputs @ weights + biases), the last without, then · `scale` + `centre` and the link.

    The inputs are the features and cos(features[`columns`] · `frequencies` + `phases`), one for each of `columns`.
    `sizes` [layers + 1] are the widths from the inputs to the outputs; `weights` holds the matrices
    [inputs, outputs] end to end, row after row, and `biases` the vectors. `activation` is relu or silu.
    """

    sizes: NDArray[int64]
    weights: NDArray[float32]
    biases: NDArray[float32]
    scale: float
    centre: float
    link: str
    activation: str
    columns: NDArray[int64]
    frequencies: NDArray[float32]
    phases: NDArray[float32]

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the waves, and a Gemm and an activation a layer."""
        bound = np.array(BOUND, float32)
        values = graph.node("Clip", [features, graph.constant(-bound, "low"), graph.constant(bound, "high")])
        if len(self.columns):
            angles = graph.node("Gather", [values, graph.constant(self.columns, "columns")], axis=1)
            angles = graph.node("Mul", [angles, graph.constant(self.frequencies, "frequencies")])
            angles = graph.node("Add", [angles, graph.constant(self.phases, "phases")])
            values = graph.node("Concat", [values, graph.node("Cos", [angles])], axis=1)
        for layer, (matrix, vector) in enumerate(self._layers()):
            if layer and self.activation == RELU:
                values = graph.node("Relu", [values])
            elif layer:
                values = graph.node("Mul", [values, graph.node("Sigmoid", [values])])
            weights, biases = graph.constant(matrix, "weights"), graph.constant(vector, "biases")
            values = graph.node("Gemm", [values, weights, biases])
        if (self.scale, self.centre) != (1.0, 0.0):
            values = graph.node("Mul", [values, graph.constant(np.array(self.scale, float32), "scale")])
            values = graph.node("Add", [values, graph.constant(np.array(self.centre, float32), "centre")])
        return link_to_onnx(graph, self.link, values)

    def predict(self, features: Features) -> Predictions:
        """Return what `to_onnx` computes: float32 in the layers, double in the link."""
        values = bounded(features)
        if len(self.columns):
            values = np.concatenate([values, np.cos(values[:, self.columns] * self.frequencies + self.phases)], axis=1)
        for layer, (matrix, vector) in enumerate(self._layers()):
            if layer:
                values = np.maximum(values, 0) if self.activation == RELU else silu(values)[0]
            values = values @ matrix + vector
        return apply_link(self.link, values.astype(float64) * self.scale + self.centre)

    def _layers(self) -> list[tuple[NDArray[float32], NDArray[float32]]]:
        """Return each layer's matrix and vector."""
        matrices = np.split(self.weights, np.cumsum(self.sizes[:-1] * self.sizes[1:])[:-1])
        vectors = np.split(self.biases, np.cumsum(self.sizes[1:])[:-1])
        shaped = [matrix.reshape(inputs, -1) for matrix, inputs in zip(matrices, self.sizes, strict=False)]
        return list(zip(shaped, vectors, strict=True))


def neural_form(
    matrices: Sequence[NDArray[Any]],
    vectors: Sequence[NDArray[Any]],
    *,
    scale: float,
    centre: float,
    link: str,
    activation: str = RELU,
    columns: NDArray[int64] = np.empty(0, int64),
    frequencies: NDArray[float32] = np.empty(0, float32),
    phases: NDArray[float32] = np.empty(0, float32),
) -> Neural:
    """Lay the layers' matrices and vectors end to end."""
    sizes = np.array([len(matrices[0]), *(len(vector) for vector in vectors)], int64)
    weights = np.concatenate([matrix.ravel() for matrix in matrices]).astype(float32)
    biases = np.concatenate(vectors).astype(float32)
    return Neural(sizes, weights, biases, scale, centre, link, activation, columns, frequencies, phases)


def silu(values: NDArray[float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return values · logistic(values), and its slope."""
    share = float32(1) / (1 + np.exp(-np.maximum(values, float32(-30))))
    return values * share, share * (1 + values * (1 - share))


def bounded(features: Features) -> Features:
    """Bring features within what networks are trained on."""
    return np.clip(features, float32(-BOUND), float32(BOUND))
