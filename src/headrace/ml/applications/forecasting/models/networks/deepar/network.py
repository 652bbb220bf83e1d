"""DeepAR's parameters, what it answers for windows, and the gradient of its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Frequency, Numbers
from headrace.ml.applications.forecasting.models.calendar import cycles
from headrace.ml.applications.forecasting.models.networks.embeddings import draw_embeddings, embedding_gradient
from headrace.ml.applications.forecasting.models.networks.likelihoods import find_likelihood
from headrace.ml.applications.forecasting.models.networks.lstm import Seen, State, draw_layer, layer_gradient, run_layer
from headrace.ml.errors import ModelError

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Settings:
    """How the network is made: periods read and forecast, layers of cells, and the features of a period.

    `lags` are how far back the values that come in lie, `features` those known ahead, `cardinality` the categories of
    each label and `embedding` their width; `dropout` is the share of cells that zoneout holds.
    """

    context: int
    horizon: int
    lags: tuple[int, ...]
    features: int
    cardinality: tuple[int, ...] = ()
    embedding: int = 10
    cells: int = 40
    layers: int = 2
    dropout: float = 0.1
    likelihood: str = "student-T"

    @property
    def inputs(self) -> int:
        """How many numbers come in of a period: lags, features, the item's size and its labels."""
        return len(self.lags) + self.features + 1 + self.embedding * len(self.cardinality)

    def to_array(self) -> NDArray[np.str_]:
        """Return the settings as texts."""
        return np.array([f"{each.name}={getattr(self, each.name)}" for each in fields(self)])

    @classmethod
    def from_array(cls, texts: NDArray[Any]) -> Self:
        """Read what `to_array` wrote; raises ModelError."""
        found: dict[str, Any] = {}
        try:
            for name, _, text in (str(each).partition("=") for each in texts):
                if name in ("lags", "cardinality"):
                    found[name] = tuple(int(part) for part in text.strip("()").split(",") if part.strip())
                else:
                    found[name] = text if name == "likelihood" else float(text) if name == "dropout" else int(text)
            return cls(**found)
        except (TypeError, ValueError) as error:
            raise ModelError(f"the settings of a network are damaged ({error}); train it again") from error


def lags_of(frequency: Frequency, longest: int) -> tuple[int, ...]:
    """Return how far back the values lie that come in beside the last ones: around whole cycles, `longest` at most."""
    found = {1, 2, 3, 4, 5, 6, 7}
    for length in cycles(frequency):
        found |= {times * length + shift for times in (1, 2, 3) for shift in (-1, 0, 1)}
        found.add(4 * length)
    return tuple(sorted(lag for lag in found if 1 <= lag <= max(1, longest)))


@dataclass(frozen=True, eq=False)
class Network:
    """Settings and parameters by name: embedding_i, those of each layer (see `lstm`), output and bias."""

    settings: Settings
    parameters: dict[str, Array]

    @classmethod
    def draw(cls, settings: Settings, seed: int) -> Self:
        """Draw the parameters before training."""
        random = np.random.default_rng([seed, 0])
        drawn: dict[str, Array] = {**draw_embeddings(random, settings.cardinality, settings.embedding)}
        for number in range(settings.layers):
            drawn |= draw_layer(random, settings.cells if number else settings.inputs, settings.cells, number)
        outputs = find_likelihood(settings.likelihood).outputs
        drawn["output"] = random.normal(0, 0.5 / np.sqrt(settings.cells), (settings.cells, outputs)).astype(np.float32)
        drawn["bias"] = np.zeros(outputs, np.float32)
        return cls(settings, drawn)

    def run(
        self, inputs: Array, states: Sequence[State] | None = None, hold: Sequence[Array] | None = None
    ) -> tuple[Array, list[Seen], list[State]]:
        """Return raw outputs [time, rows, .] for inputs [time, rows, inputs], what was seen, and the states after."""
        own, settings = self.parameters, self.settings
        if states is None:
            empty = np.zeros((inputs.shape[1], settings.cells), inputs.dtype)
            states = [(empty, empty)] * settings.layers
        if hold is None:
            hold = [np.full((1, 1, 1), settings.dropout, inputs.dtype)] * settings.layers
        seen, after = [], []
        for number in range(settings.layers):
            weights = (own[f"input_{number}"], own[f"recurrent_{number}"], own[f"gates_{number}"])
            found, state = run_layer(inputs, *weights, states[number], hold[number])
            seen.append(found)
            after.append(state)
            inputs = found.hidden[1:]
        return inputs @ own["output"] + own["bias"], seen, after

    def gradient(self, slope: Array, seen: Sequence[Seen], codes: Numbers) -> dict[str, Array]:
        """Return the loss's gradient by parameter, from its slope by raw output [time, rows, .]."""
        own = self.parameters
        hidden = seen[-1].hidden[1:]
        flat = slope.reshape(-1, slope.shape[-1])
        found: dict[str, Array] = {"output": hidden.reshape(len(flat), -1).T @ flat, "bias": flat.sum(axis=0)}
        slope = slope @ own["output"].T
        for number in range(self.settings.layers - 1, -1, -1):
            parts, slope = layer_gradient(slope, seen[number], own[f"input_{number}"], own[f"recurrent_{number}"])
            found |= {f"{name}_{number}": part for name, part in parts.items()}
        width = self.settings.embedding * len(self.settings.cardinality)
        by_item = slope[..., slope.shape[-1] - width :].sum(axis=0)
        return found | embedding_gradient(own, codes, by_item)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return settings and parameters as plain arrays."""
        return {"settings": self.settings.to_array()} | {f"parameter.{name}": a for name, a in self.parameters.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of `to_arrays`; raises ModelError on arrays that are not a network's."""
        if "settings" not in arrays:
            raise ModelError("the arrays hold no network of DeepAR; train it again")
        settings = Settings.from_array(arrays["settings"])
        found: dict[str, Array] = {}
        for name, values in cls.draw(settings, 0).parameters.items():
            try:
                found[name] = np.asarray(arrays[f"parameter.{name}"], np.float32).reshape(values.shape)
            except (KeyError, ValueError) as error:
                raise ModelError(f"the network's '{name}' is damaged ({error}); train it again") from error
        return cls(settings, found)
