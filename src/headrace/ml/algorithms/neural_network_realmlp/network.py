"""The network's parameters, what it answers, and the gradient of its loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import float32, int64
from numpy.typing import NDArray

from headrace.ml.adapters.neural import Neural, neural_form, silu
from headrace.ml.contract import Features

Array = NDArray[float32]
WAVES, EMBEDDED = 16, 3
"""Cosines of a number, and the features that are made of them."""


@dataclass(frozen=True, eq=False)
class Network:
    """Parameters by name; `columns` are those with waves.

    frequencies, phases [columns, waves]; mixing [columns, waves, embedded] and shift [columns, embedded] make features
    of the waves; scales [inputs]; weights_i [inputs, outputs], read divided by the root of the inputs, and biases_i.
    """

    parameters: dict[str, Array]
    columns: NDArray[int64]
    layers: int

    @classmethod
    def draw(
        cls,
        features: int,
        columns: NDArray[int64],
        outputs: int,
        *,
        layers: int,
        width: int,
        frequency: float,
        seed: int,
    ) -> Network:
        """Draw the parameters before training."""
        random = np.random.default_rng(seed)
        count, reach = len(columns), 1 / np.sqrt(WAVES)
        drawn = {
            "frequencies": random.normal(0, frequency, (count, WAVES)),
            "phases": random.uniform(-np.pi, np.pi, (count, WAVES)),
            "mixing": random.uniform(-reach, reach, (count, WAVES, EMBEDDED)),
            "shift": random.uniform(-reach, reach, (count, EMBEDDED)),
            "scales": np.ones(features + count * EMBEDDED),
        }
        sizes = [features + count * EMBEDDED, *[width] * layers, outputs]
        for layer, (before, after) in enumerate(pairwise(sizes)):
            drawn[f"weights_{layer}"] = random.normal(size=(before, after))
            drawn[f"biases_{layer}"] = random.normal(size=after) if layer < layers else np.zeros(after)
        return cls({name: values.astype(float32) for name, values in drawn.items()}, columns, layers)

    def answer(self, features: Features, kept: list[Array] | None = None) -> tuple[Array, dict[str, Any]]:
        """Return scores [rows, outputs] and what `gradient` needs; `kept` holds each layer's dropout factors."""
        own = self.parameters
        numbers = features[:, self.columns]
        angles = float32(2 * np.pi) * (numbers[:, :, None] * own["frequencies"]) + own["phases"]
        waves = np.cos(angles).transpose(1, 0, 2)
        embedded = (np.matmul(waves, own["mixing"]).transpose(1, 0, 2) + own["shift"]).reshape(len(features), -1)
        joined = np.concatenate([features, embedded], axis=1)
        values = joined * own["scales"]
        inputs, slopes = [], []
        for layer in range(self.layers):
            inputs.append(values)
            values, slope = silu(values @ self._weights(layer) + own[f"biases_{layer}"])
            if kept is not None:
                values, slope = values * kept[layer], slope * kept[layer]
            slopes.append(slope)
        inputs.append(values)
        scores = values @ self._weights(self.layers) + own[f"biases_{self.layers}"]
        return scores, {"numbers": numbers, "angles": angles, "waves": waves, "joined": joined} | {
            "inputs": inputs,
            "slopes": slopes,
        }

    def gradient(self, slope: Array, seen: Mapping[str, Any]) -> dict[str, Array]:
        """Return the loss's gradient by parameter, from its slope by score [rows, outputs]."""
        own, found = self.parameters, {}
        for layer in range(self.layers, -1, -1):
            inputs = seen["inputs"][layer]
            found[f"weights_{layer}"] = (inputs.T @ slope) * _share(inputs.shape[1])
            found[f"biases_{layer}"] = slope.sum(axis=0)
            slope = slope @ self._weights(layer).T
            if layer:
                slope = slope * seen["slopes"][layer - 1]
        found["scales"] = (slope * seen["joined"]).sum(axis=0)
        if len(self.columns):
            slope = (slope * own["scales"])[:, seen["joined"].shape[1] - own["shift"].size :]
            slope = slope.reshape(len(slope), len(self.columns), EMBEDDED).transpose(1, 0, 2)
            found["shift"] = slope.sum(axis=1)
            found["mixing"] = np.matmul(seen["waves"].transpose(0, 2, 1), slope)
            bend = np.matmul(slope, own["mixing"].transpose(0, 2, 1)).transpose(1, 0, 2) * -np.sin(seen["angles"])
            found["phases"] = bend.sum(axis=0)
            found["frequencies"] = float32(2 * np.pi) * (bend * seen["numbers"][:, :, None]).sum(axis=0)
        return found

    def form(self, *, scale: float, centre: float, link: str) -> Neural:
        """Return what predicts: scales and the waves' mixing are folded into the first layer."""
        own, count = self.parameters, len(self.columns)
        first = self._weights(0) * own["scales"][:, None]
        features = len(first) - count * EMBEDDED
        straight, embedded = first[:features], first[features:].reshape(count, EMBEDDED, first.shape[1])
        mixed = np.matmul(own["mixing"], embedded).reshape(count * WAVES, first.shape[1])
        biases = own["biases_0"] + np.einsum("ce,ceu->u", own["shift"], embedded)
        matrices = [np.concatenate([straight, mixed]), *(self._weights(layer) for layer in range(1, self.layers + 1))]
        vectors = [biases, *(own[f"biases_{layer}"] for layer in range(1, self.layers + 1))]
        return neural_form(
            matrices,
            vectors,
            scale=scale,
            centre=centre,
            link=link,
            activation="silu",
            columns=np.repeat(self.columns, WAVES),
            frequencies=float32(2 * np.pi) * own["frequencies"].ravel(),
            phases=own["phases"].ravel(),
        )

    def _weights(self, layer: int) -> Array:
        weights = self.parameters[f"weights_{layer}"]
        return np.asarray(weights * _share(len(weights)))


def _share(inputs: int) -> float32:
    return float32(1 / np.sqrt(inputs))
