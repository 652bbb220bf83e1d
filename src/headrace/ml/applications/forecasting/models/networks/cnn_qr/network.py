"""CNN-QR's parameters, the quantiles that it answers, and the gradient of its loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.networks.dense import dense_gradient, draw_dense, silu, weigh
from headrace.ml.applications.forecasting.models.networks.embeddings import (
    draw_embeddings,
    embedded,
    embedding_gradient,
)
from headrace.ml.errors import ModelError

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Settings:
    """How the network is made.

    `layers` convolutions of two periods each read the last 2^layers periods of `past` features, `channels` wide.
    `ahead` features of each period ahead join `slot` numbers that the past says of it; the last `linear` of these
    features also come in straight. `still` features do not change with time.
    """

    horizon: int
    quantiles: tuple[float, ...]
    layers: int
    past: int
    ahead: int
    still: int
    linear: int
    cardinality: tuple[int, ...] = ()
    embedding: int = 8
    channels: int = 32
    hidden: int = 96
    slot: int = 12
    local: int = 32

    @property
    def context(self) -> int:
        """How many periods are read."""
        return int(2**self.layers)


@dataclass(frozen=True, eq=False)
class Network:
    """Settings and parameters by name."""

    settings: Settings
    parameters: dict[str, Array]

    @classmethod
    def draw(cls, settings: Settings, seed: int) -> Self:
        """Draw the parameters before training."""
        random = np.random.default_rng([seed, 3])
        drawn: dict[str, Array] = {}
        width = settings.past
        for layer in range(settings.layers):
            drawn |= draw_dense(random, 2 * width, settings.channels, f"past_{layer}")
            width = settings.channels
        drawn |= draw_embeddings(random, settings.cardinality, settings.embedding)
        read = settings.layers * settings.channels + settings.still + settings.embedding * len(settings.cardinality)
        drawn |= draw_dense(random, read, settings.hidden, "read")
        drawn |= draw_dense(random, settings.hidden, settings.horizon * settings.slot, "slots")
        drawn |= draw_dense(random, settings.slot + settings.ahead, settings.local, "local")
        levels = len(settings.quantiles)
        drawn |= draw_dense(random, settings.local, levels, "quantiles")
        drawn["weights_quantiles"] *= np.float32(0.3)
        drawn["straight"] = np.full((settings.linear, levels), 1 / max(1, settings.linear), np.float32)
        return cls(settings, drawn)

    def answer(self, past: Array, ahead: Array, still: Array, codes: Numbers) -> tuple[Array, dict[str, Any]]:
        """Return scaled quantiles [rows, horizon, levels], which may cross, and what `gradient` needs.

        `past` is [rows, context, features], `ahead` [rows, horizon, features], `still` [rows, features], `codes`
        [rows, labels]. A convolution of two periods at twice the distance of the one before (dilated) is wanted for the
        last period only, so each layer joins pairs of neighbours and is half as long.
        """
        own, settings, rows = self.parameters, self.settings, len(past)
        seen: dict[str, Any] = {"codes": codes, "ahead": ahead}
        values, last = past, []
        for layer in range(settings.layers):
            seen[f"past_{layer}"] = values = values.reshape(rows, values.shape[1] // 2, -1)
            values, seen[f"bend_{layer}"] = silu(
                weigh(values, own[f"weights_past_{layer}"], own[f"biases_past_{layer}"])
            )
            last.append(values[:, -1])
        seen["read"] = read = np.concatenate([*last, embedded(own, codes), still], axis=1)
        hidden, seen["bend_read"] = silu(weigh(read, own["weights_read"], own["biases_read"]))
        seen["hidden"] = hidden
        slots, seen["bend_slots"] = silu(weigh(hidden, own["weights_slots"], own["biases_slots"]))
        seen["local"] = local = np.concatenate([slots.reshape(rows, settings.horizon, -1), ahead], axis=2)
        values, seen["bend_local"] = silu(weigh(local, own["weights_local"], own["biases_local"]))
        seen["quantiles"] = values
        straight = ahead[..., ahead.shape[2] - settings.linear :]
        return weigh(values, own["weights_quantiles"], own["biases_quantiles"]) + straight @ own["straight"], seen

    def gradient(self, slope: Array, seen: Mapping[str, Any]) -> dict[str, Array]:
        """Return the loss's gradient by parameter, from its slope by answer [rows, horizon, levels]."""
        own, settings, rows = self.parameters, self.settings, len(slope)
        straight = seen["ahead"][..., seen["ahead"].shape[2] - settings.linear :]
        flat = slope.reshape(-1, slope.shape[2])
        found: dict[str, Array] = {"straight": straight.reshape(len(flat), -1).T @ flat}

        def back(bent: Array, name: str) -> Array:
            parts, by_inputs = dense_gradient(bent, seen[name], own[f"weights_{name}"], name)
            found.update(parts)
            return by_inputs

        slope = back(slope, "quantiles") * seen["bend_local"]
        slope = back(slope, "local")[..., : settings.slot].reshape(rows, -1) * seen["bend_slots"]
        parts, slope = dense_gradient(slope, seen["hidden"], own["weights_slots"], "slots")
        found |= parts
        by_read = back(slope * seen["bend_read"], "read")
        channels = settings.channels
        first, width = settings.layers * channels, settings.embedding * len(settings.cardinality)
        found |= embedding_gradient(own, seen["codes"], by_read[:, first : first + width])
        slope = np.zeros((rows, 1, channels), slope.dtype)
        for layer in range(settings.layers - 1, -1, -1):
            slope[:, -1] += by_read[:, layer * channels : (layer + 1) * channels]
            by_inputs = back(slope * seen[f"bend_{layer}"], f"past_{layer}")
            slope = by_inputs.reshape(rows, 2 * by_inputs.shape[1], -1)
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return settings and parameters as plain arrays."""
        own = self.settings
        numbers = [getattr(own, name) for name in _NUMBERS]
        return {
            "settings": np.array(numbers),
            "levels": np.array(own.quantiles),
            "cardinality": np.array(own.cardinality, np.int64),
        } | {f"parameter.{name}": values for name, values in self.parameters.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of `to_arrays`; raises ModelError on arrays that are not a network's."""
        try:
            numbers = dict(zip(_NUMBERS, (int(each) for each in arrays["settings"]), strict=True))
            levels = tuple(float(each) for each in arrays["levels"])
            settings = Settings(
                quantiles=levels, cardinality=tuple(int(each) for each in arrays["cardinality"]), **numbers
            )
            parameters = {
                name: np.asarray(arrays[f"parameter.{name}"], np.float32).reshape(values.shape)
                for name, values in cls.draw(settings, 0).parameters.items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the arrays hold no network of CNN-QR ({error}); train it again") from error
        return cls(settings, parameters)


_NUMBERS = ("horizon", "layers", "past", "ahead", "still", "linear", "embedding", "channels", "hidden", "slot", "local")


def layers_for(periods: int, most: int = 9) -> int:
    """Return how many layers of convolutions read at least `periods` periods, or the `most` that are sensible."""
    return int(np.clip(math.ceil(math.log2(max(2, periods))), 2, most))
