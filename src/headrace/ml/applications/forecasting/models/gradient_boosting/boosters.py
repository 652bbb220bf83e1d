"""LightGBM's boosters of a mean and of quantiles: trained in the time given, kept as text."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.ml.adapters.threads import import_library
from headrace.ml.errors import ModelError

Floats = NDArray[np.float64]
MEAN = "mean"
LEVELS = (0.1, 0.5, 0.9)
PARAMETERS: Mapping[str, Any] = {
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Schedule:
    """How long training goes on: `rounds` of each booster, and `seconds` for all of them together."""

    rounds: int
    seconds: float | None


@dataclass(frozen=True, eq=False)
class Boosters:
    """The boosters' texts by what they predict: MEAN, or a quantile's level."""

    texts: Mapping[str, str]

    @cached_property
    def _loaded(self) -> dict[str, Any]:
        lightgbm = import_library("lightgbm")
        try:
            return {name: lightgbm.Booster(model_str=text) for name, text in self.texts.items()}
        except lightgbm.basic.LightGBMError as error:
            raise ModelError(f"the trees are damaged ({error}); train them again") from error

    def predict(self, name: str | float, features: NDArray[np.float32]) -> Floats:
        """Return what a booster predicts of rows [rows, features]."""
        return np.asarray(self._loaded[str(name)].predict(features))

    def contributions(self, features: NDArray[np.float32]) -> Floats:
        """Return what each feature adds to the mean, [rows, features]."""
        return np.asarray(self._loaded[MEAN].predict(features, pred_contrib=True))[:, :-1]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the texts as bytes."""
        return {f"booster.{name}": np.frombuffer(text.encode(), np.uint8) for name, text in self.texts.items()}


def boosters_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Boosters:
    """Read what `Boosters.to_arrays` wrote; raises ModelError."""
    try:
        return Boosters(
            {
                name: np.asarray(arrays[f"booster.{name}"], np.uint8).tobytes().decode()
                for name in (MEAN, *map(str, LEVELS))
            }
        )
    except (KeyError, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"the arrays hold no gradient boosting ({error}); train it again") from error


def train(features: NDArray[np.float32], target: Floats, weights: Floats, schedule: Schedule, seed: int) -> Boosters:
    """Train all boosters on rows [rows, features]; where the time is short, each has fewer rounds."""
    lightgbm = import_library("lightgbm")
    parameters = {
        **PARAMETERS,
        "seed": seed,
        "min_data_in_leaf": int(np.clip(len(target) // 50, 1, PARAMETERS["min_data_in_leaf"])),
    }
    began, texts = time.monotonic(), {}
    rows = lightgbm.Dataset(features, target, weight=weights, params=parameters, free_raw_data=False).construct()
    names: tuple[str | float, ...] = (MEAN, *LEVELS)
    for place, name in enumerate(names):
        own = {"objective": "regression"} if name == MEAN else {"objective": "quantile", "alpha": name}
        callbacks = []
        if schedule.seconds is not None:
            left = schedule.seconds - (time.monotonic() - began)
            callbacks.append(_stop_after(lightgbm, left / (len(names) - place)))
        booster = lightgbm.train(parameters | own, rows, schedule.rounds, callbacks=callbacks)
        texts[str(name)] = booster.model_to_string()
    return Boosters(texts)


def _stop_after(lightgbm: Any, seconds: float) -> Callable[[Any], None]:
    """Return what ends training when the next round would come too late."""
    began = time.monotonic()

    def stop(state: Any) -> None:
        spent = time.monotonic() - began
        if spent * (state.iteration + 2) / (state.iteration + 1) > seconds:
            raise lightgbm.callback.EarlyStopException(state.iteration, [])

    return stop
