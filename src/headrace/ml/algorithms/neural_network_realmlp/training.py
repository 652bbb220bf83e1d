"""Training: Adam with a step that goes through cycles, dropout and weight decay that fade out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from headrace.ml.adapters.library_algorithm import Rows
from headrace.ml.algorithms.neural_network_realmlp.network import Array, Network
from headrace.ml.contract import Features, Target

FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.95
STEP_SHARES = {"scales": 6.0, "biases": 0.1, "frequencies": 0.1, "phases": 0.1, "mixing": 0.1, "shift": 0.1}
"""The step of these by that of the weights."""
CYCLES = 4
ROWS_AT_ONCE = 2_000


def train(
    network: Network,
    features: Features,
    target: Target,
    classes: int,
    validation: Rows | None,
    values: Mapping[str, Any],
    seed: int,
) -> int:
    """Train `network` in place and return the epoch whose weights it has; `classes` is 0 for values."""
    random = np.random.default_rng([seed, 1])
    adam = _Adam(network.parameters, values["weight_decay"])
    count = max(1, len(features) // values["batch_size"])
    total = count * values["epochs"]
    best: tuple[float, int, dict[str, Array]] | None = None
    last: int = min(values["stop_after"] or values["epochs"], values["epochs"])
    for epoch in range(last):
        order = random.permutation(len(features))
        for number in range(count):
            done = (epoch * count + number) / total
            rows = order[number * values["batch_size"] : (number + 1) * values["batch_size"]]
            kept = _kept(random, network, len(rows), values["dropout"] * _fading(done))
            scores, seen = network.answer(features[rows], kept)
            slope = _slope(scores, target[rows], classes, values["label_smoothing"])
            adam.step(network.gradient(slope, seen), values["learning_rate"] * _cycling(done), _fading(done))
        if validation is not None:
            loss = _loss(network, *validation, classes)
            if best is None or loss < best[0]:
                best = loss, epoch + 1, {name: each.copy() for name, each in network.parameters.items()}
    if best is None:
        return last
    network.parameters.update(best[2])
    return best[1]


class _Adam:
    """Adam's moments, and decoupled weight decay of the matrices (Loshchilov and Hutter, 2019)."""

    def __init__(self, parameters: dict[str, Array], weight_decay: float) -> None:
        self._parameters, self._weight_decay, self._steps = parameters, weight_decay, 0
        self._first = {name: np.zeros_like(each) for name, each in parameters.items()}
        self._second = {name: np.zeros_like(each) for name, each in parameters.items()}

    def step(self, gradient: Mapping[str, Array], size: float, fading: float) -> None:
        """Move every parameter by its gradient, `size` at most."""
        self._steps += 1
        for name, slope in gradient.items():
            own, first, second = self._parameters[name], self._first[name], self._second[name]
            first += float32(1 - FIRST_MOMENT) * (slope - first)
            second += float32(1 - SECOND_MOMENT) * (slope * slope - second)
            step = size * STEP_SHARES.get(name.split("_")[0], 1.0)
            if name.startswith("weights"):
                own *= float32(1 - step * self._weight_decay * fading)
            length = step / (1 - FIRST_MOMENT**self._steps)
            spread = np.sqrt(second / float32(1 - SECOND_MOMENT**self._steps)) + float32(1e-8)
            own -= float32(length) * first / spread


def _cycling(done: float) -> float:
    """The share of the largest step, from 0 up and down again, in cycles that double in length."""
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + (2**CYCLES - 1) * done)))


def _fading(done: float) -> float:
    """One until the middle, then down to nothing."""
    return 1.0 if done < 0.5 else 0.5 * (1 + math.cos(math.pi * (2 * done - 1)))


def _kept(random: np.random.Generator, network: Network, rows: int, share: float) -> list[Array] | None:
    """Dropout's factors for each layer: 0, or what makes up for the units left out."""
    if share <= 0:
        return None
    widths = [network.parameters[f"biases_{layer}"].shape[0] for layer in range(network.layers)]
    return [(random.random((rows, width), float32) >= share).astype(float32) / float32(1 - share) for width in widths]


def _slope(scores: Array, target: NDArray[Any], classes: int, smoothing: float) -> Array:
    """The slope of the mean squared error or log loss by score."""
    if not classes:
        return (2 / len(scores)) * (scores - target[:, None].astype(float32))
    if classes == 2:
        aims = (target * (1 - smoothing) + smoothing / 2).astype(float32)[:, None]
        return np.asarray((_logistic(scores) - aims) / float32(len(scores)))
    aims = np.full(scores.shape, smoothing / classes, float32)
    aims[np.arange(len(scores)), target] += 1 - smoothing
    return (_softmax(scores) - aims) / float32(len(scores))


def _loss(network: Network, features: Features, target: Target, classes: int) -> float:
    """The mean squared error or log loss on these rows."""
    parts = [network.answer(features[i : i + ROWS_AT_ONCE])[0] for i in range(0, len(features), ROWS_AT_ONCE)]
    scores = np.concatenate(parts)
    if not classes:
        return float(np.mean((scores[:, 0] - target) ** 2))
    if classes == 2:
        return float(np.logaddexp(0, scores[:, 0] * (1 - 2 * target)).mean())
    return float(-np.log(np.maximum(_softmax(scores)[np.arange(len(target)), target], 1e-12)).mean())


def _logistic(scores: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.maximum(scores, -30))))


def _softmax(scores: Array) -> Array:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
