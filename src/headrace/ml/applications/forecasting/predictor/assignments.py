"""A piece of work of the predictor: one model, some items, fitted once and forecast from one or several moments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.models.contract import FittedModel, Forecast
from headrace.ml.applications.forecasting.panel import Panel

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Assignment:
    """What to do: fit `model` on the `items` as they were `fit_cut` periods ago, and forecast from each of `cuts`.

    With `state` (a file of arrays) the model is restored and not fitted; with `keep` its arrays are part of the result.
    `seconds` is what fitting may take.
    """

    model: str
    items: tuple[int, ...]
    cuts: tuple[int, ...]
    horizon: int
    quantiles: tuple[float, ...]
    fit_cut: int | None = None
    seed: int = 0
    seconds: float | None = None
    state: str | None = None
    keep: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the assignment as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Assignment:
        """Read what `to_json` returned."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**known)


@dataclass(frozen=True)
class Answer:
    """What came of it: a forecast for each cut, the model's arrays where they are kept, and the seconds it took.

    `forecasting` are the seconds without fitting; `error` is the reason where nothing came.
    """

    assignment: Assignment
    forecasts: tuple[Forecast, ...] = ()
    state: Arrays = field(default_factory=dict)
    seconds: float = 0.0
    forecasting: float = 0.0
    error: str = ""

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return forecasts and state as named arrays."""
        found: dict[str, npt.NDArray[Any]] = {f"state/{name}": value for name, value in self.state.items()}
        for position, forecast in enumerate(self.forecasts):
            found |= {f"mean/{position}": forecast.mean, f"values/{position}": forecast.values}
        return found

    @classmethod
    def from_arrays(cls, assignment: Assignment, arrays: Arrays, seconds: float, forecasting: float) -> Answer:
        """Read what `to_arrays` returned."""
        forecasts = tuple(
            Forecast(arrays[f"mean/{i}"], assignment.quantiles, arrays[f"values/{i}"])
            for i in range(len(assignment.cuts))
        )
        state = {name.removeprefix("state/"): arrays[name] for name in arrays if name.startswith("state/")}
        return cls(assignment, forecasts, state, seconds, forecasting)


def perform(assignment: Assignment, panel: Panel) -> Answer:
    """Do it in this process; what goes wrong is told in the answer."""
    begin = time.monotonic()
    try:
        model = MODELS[assignment.model]()
        chosen = panel.select(assignment.items)
        if assignment.state is not None:
            with np.load(Path(assignment.state), allow_pickle=False) as arrays:
                fitted: FittedModel = model.fitted.from_arrays(dict(arrays))
        else:
            cut = assignment.cuts[0] if assignment.fit_cut is None else assignment.fit_cut
            fitted = model.fit(chosen.cut(cut), assignment.horizon, seed=assignment.seed, seconds=assignment.seconds)
        fitted_at = time.monotonic()
        forecasts = tuple(fitted.forecast(chosen.cut(cut), assignment.quantiles) for cut in assignment.cuts)
        forecasting = time.monotonic() - fitted_at
        state = dict(fitted.to_arrays()) if assignment.keep else {}
    except Exception as error:  # of any library
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return Answer(assignment, seconds=time.monotonic() - begin, error=said)
    return Answer(assignment, forecasts, state, time.monotonic() - begin, forecasting)
