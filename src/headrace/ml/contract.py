"""What an algorithm is: hyperparameters, search space, fit, and a fitted form made of plain arrays."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import HyperparameterError

Features = npt.NDArray[np.float32]
Target = npt.NDArray[Any]
Predictions = npt.NDArray[np.float64]


class Task(StrEnum):
    """What is to be predicted; the values are the words of `--task` and of report.json."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    FORECASTING = "forecasting"
    CLUSTERING = "clustering"
    ANOMALY_DETECTION = "anomaly_detection"
    ASSOCIATION_RULES = "association_rules"
    RECOMMENDATION = "recommendation"
    TEXT_CLASSIFICATION = "text_classification"
    IMAGE_CLASSIFICATION = "image_classification"


CLASSIFICATION = frozenset({Task.BINARY, Task.MULTICLASS})
SUPERVISED = CLASSIFICATION | {Task.REGRESSION}


class View(StrEnum):
    """Which rendering of the feature plan an algorithm reads."""

    TREES = "trees"  # raw scale, category codes and target encodings, missing values left as NaN
    SCALED = "scaled"  # one-hot categories, imputed, transformed and standardised numbers


@dataclass(frozen=True)
class Integer:
    """A whole-number range, both ends included."""

    low: int
    high: int
    log: bool = False

    def problem(self, value: object) -> str | None:
        """Say what is wrong with `value`, or None."""
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            return f"must be a whole number, not {value!r}"
        if not self.low <= value <= self.high:
            return f"must lie between {self.low} and {self.high}, not {value!r}"
        return None


@dataclass(frozen=True)
class Real:
    """A range of real numbers, both ends included."""

    low: float
    high: float
    log: bool = False

    def problem(self, value: object) -> str | None:
        """Say what is wrong with `value`, or None."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            return f"must be a number, not {value!r}"
        if not self.low <= value <= self.high:
            return f"must lie between {self.low:g} and {self.high:g}, not {value!r}"
        return None


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Any, ...]

    def problem(self, value: object) -> str | None:
        """Say what is wrong with `value`, or None."""
        if value not in self.options:
            return f"must be one of {', '.join(map(repr, self.options))}, not {value!r}"
        return None


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter: its default, what is allowed, and where a search should look.

    `search` is the range that tuning samples from; None keeps the default while tuning.
    """

    default: Any
    allowed: Integer | Real | Choice
    meaning: str
    search: Integer | Real | Choice | None = None


class Graph(Protocol):
    """The ONNX graph under construction, as a form sees it (see adapters/onnx_graph.py)."""

    def node(self, operator: str, inputs: list[str], *, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its (first) output."""

    def constant(self, value: npt.NDArray[Any], name: str = "constant") -> str:
        """Add an initializer and return its name."""


class Form(ABC):
    """A fitted model as plain arrays: what is saved, loaded and compiled.

    A form is a frozen dataclass whose fields are NumPy arrays, numbers, strings or None.
    """

    @abstractmethod
    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the model into `graph`.

        `features` names a float32 tensor [rows, columns]. Returns the name of a float32 tensor:
        class probabilities [rows, classes] or predicted values [rows, 1].
        """


@dataclass(frozen=True)
class Fitted:
    """What `Algorithm.fit` returns.

    `predict` is the library's own prediction: probabilities [rows, classes], or values [rows].
    `hyperparameters` are complete: what early stopping found has replaced what was asked for, so that
    fitting again with them and without validation rows gives a model of the same size.
    """

    form: Form
    predict: Callable[[Features], Predictions]
    hyperparameters: Mapping[str, Any]


class Algorithm(ABC):
    """One learning algorithm, adapted to Headrace.

    The target is an int64 array of class codes 0…classes-1 (classification) or float64 (regression).
    Features are float32 and finite, but for NaN where `takes_missing`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tasks: ClassVar[frozenset[Task]]
    view: ClassVar[View]
    takes_missing: ClassVar[bool]
    interpretable: ClassVar[bool] = False
    module: ClassVar[str]
    """The library that does the fitting: an importable name, checked by `available`."""
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]]
    portfolio: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    """Good configurations, best first; the first is tried before any tuning."""
    largest: ClassVar[int | None] = None
    """The most rows it is fitted on in reasonable time; callers sample down to it and say so."""
    quick: ClassVar[Mapping[str, Any]] = {}
    """Hyperparameters that make it cheap enough for the conformance suite."""

    def __init__(
        self, task: Task, classes: int = 0, *, seed: int = 0, threads: int = 1, **hyperparameters: Any
    ) -> None:
        """Check and complete the hyperparameters; `classes` is 0 for regression."""
        if task not in self.tasks:
            raise HyperparameterError(f"{self.name} does not do {task}; it does {', '.join(sorted(self.tasks))}")
        for key, value in hyperparameters.items():
            if key not in self.hyperparameters:
                known = ", ".join(self.hyperparameters)
                raise HyperparameterError(f"{self.name} has no hyperparameter '{key}'; it has {known}")
            if problem := self.hyperparameters[key].allowed.problem(value):
                raise HyperparameterError(f"hyperparameter '{key}' of {self.name} {problem}")
        self.task, self.classes, self.seed, self.threads = task, classes, seed, threads
        self.values: dict[str, Any] = {k: h.default for k, h in self.hyperparameters.items()} | hyperparameters

    @classmethod
    def available(cls) -> bool:
        """Whether the library that does the fitting is installed."""
        return importlib.util.find_spec(cls.module) is not None

    @abstractmethod
    def fit(self, features: Features, target: Target, validation: tuple[Features, Target] | None = None) -> Fitted:
        """Fit on `features` [rows, columns]; `validation` rows, where given, decide when to stop."""
