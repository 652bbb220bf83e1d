"""Layers of units without memory: x times sigmoid of x (SiLU) of a weighted sum, and the way back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def draw_dense(random: np.random.Generator, inputs: int, outputs: int, name: str) -> dict[str, NDArray[np.float32]]:
    """Draw weights_`name` [inputs, outputs] and biases_`name`."""
    weights = random.normal(0, np.sqrt(1.5 / inputs), (inputs, outputs))
    return {f"weights_{name}": weights.astype(np.float32), f"biases_{name}": np.zeros(outputs, np.float32)}


def silu(values: Array) -> tuple[Array, Array]:
    """Return each value times its logistic function, and the slope of that."""
    share = 0.5 + 0.5 * np.tanh(0.5 * values)
    found = values * share
    return found, share + found * (1 - share)


def weigh(inputs: Array, weights: Array, biases: Array) -> Array:
    """Return weighted sums [..., outputs] of inputs [..., inputs]."""
    return (inputs.reshape(-1, inputs.shape[-1]) @ weights + biases).reshape(*inputs.shape[:-1], weights.shape[1])


def dense_gradient(slope: Array, inputs: Array, weights: Array, name: str) -> tuple[dict[str, Array], Array]:
    """Return the gradient of weights_`name` and biases_`name`, and the slope by the inputs."""
    flat, rows = slope.reshape(-1, slope.shape[-1]), inputs.reshape(-1, inputs.shape[-1])
    found = {f"weights_{name}": rows.T @ flat, f"biases_{name}": flat.sum(axis=0)}
    return found, (flat @ weights.T).reshape(inputs.shape)
