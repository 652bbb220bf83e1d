"""What the compiler is given: a fitted plan and the models that read its matrices, as far as it needs to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from headrace.ml.contract import Features, Form, Graph, View
from headrace.ml.tables.columns import Column

if TYPE_CHECKING:
    import polars as pl


class Plan(Protocol):
    """A fitted feature plan: executes on frames, and writes itself into a graph."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The raw columns it reads."""

    def transform(self, frame: pl.DataFrame, view: View) -> Features:
        """Turn typed columns into a float32 matrix [rows, features]."""

    def names(self, view: View) -> list[str]:
        """Names of the matrix's columns."""

    def to_onnx(self, graph: Graph, inputs: Mapping[str, str], view: View) -> str:
        """Write the plan; `inputs` maps a column to its tensor [rows, 1]. Returns the matrix's name."""


class Member(Protocol):
    """A fitted model with its weight in the average."""

    @property
    def weight(self) -> float:
        """Its share; shares need not sum to 1."""

    @property
    def view(self) -> View:
        """The rendering of the plan that it reads."""

    @property
    def form(self) -> Form:
        """The fitted model as plain arrays."""


@dataclass(frozen=True)
class Band:
    """How far `lower` and `upper` lie from a regression's prediction: `factor` times the error expected of the row.

    `difficulty` is the form that expects it, of the matrix of `view`, or of the prediction [rows, 1] where `view` is
    None; without a form it is 1 for every row.
    """

    factor: float
    difficulty: Form | None = None
    view: View | None = None
