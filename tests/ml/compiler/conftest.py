"""A small plan and two small models for the compiler's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Form, View
from headrace.ml.prediction.manifest import Manifest
from headrace.ml.tables.columns import Column, ColumnKind

LEVELS = ["basic", "plus", "pro"]


class SmallPlan:
    """Reads a number (centred in double), a date (in days) and a label; a fourth column is not read."""

    columns = (
        Column("age", ColumnKind.NUMBER),
        Column("joined", ColumnKind.DATE, date_formats=("%Y-%m-%d",)),
        Column("plan", ColumnKind.CATEGORY),
        Column("unread", ColumnKind.TEXT),
    )

    def __init__(self, off: float = 0.0) -> None:
        """`off` is added to the label's code in serving only: a plan whose executions disagree."""
        self.off = off

    def names(self, view: View) -> list[str]:
        return ["age", "joined", "plan"]

    def transform(self, frame: pl.DataFrame, view: View) -> np.ndarray:
        age = frame["age"].to_numpy() - 40.0
        joined = (frame["joined"].to_numpy() - 1.6e9) / 86400
        codes = np.array([LEVELS.index(v) if v in LEVELS else -1.0 for v in frame["plan"]])
        matrix = np.column_stack([age, joined, codes]).astype(np.float32)
        return np.nan_to_num(matrix) if view is View.SCALED else matrix

    def to_onnx(self, graph, inputs, view: View) -> str:
        age = graph.node("Sub", [inputs["age"], graph.constant(np.array(40.0))])
        joined = graph.node("Sub", [inputs["joined"], graph.constant(np.array(1.6e9))])
        joined = graph.node("Div", [joined, graph.constant(np.array(86400.0))])
        numbers = graph.node("Cast", [graph.node("Concat", [age, joined], axis=1)], to=1)
        codes = graph.node(
            "LabelEncoder",
            [inputs["plan"]],
            domain="ai.onnx.ml",
            keys_strings=LEVELS,
            values_floats=[i + self.off for i in range(len(LEVELS))],
            default_float=-1.0,
        )
        matrix = graph.node("Concat", [numbers, codes], axis=1)
        if view is View.TREES:
            return matrix
        zero = graph.constant(np.array(0, np.float32))
        return graph.node("Where", [graph.node("IsNaN", [matrix]), zero, matrix])


@dataclass(frozen=True)
class Linear(Form):
    """Softmax of a matrix product, or the product itself."""

    weights: np.ndarray
    softmax: bool

    def to_onnx(self, graph, features: str) -> str:
        scores = graph.node("MatMul", [features, graph.constant(self.weights.astype(np.float32))])
        return graph.node("Softmax", [scores], axis=1) if self.softmax else scores


@dataclass(frozen=True)
class WeightedModel:
    """A member of an ensemble."""

    weight: float
    view: View
    form: Form


@pytest.fixture
def small_plan():
    return SmallPlan


@pytest.fixture
def members():
    """Make two models of `classes` classes, or of values (0)."""

    def make(classes: int) -> list[WeightedModel]:
        generator = np.random.default_rng(0)
        width = max(1, classes)
        scale = np.array([[0.02], [0.001], [0.5]])
        return [
            WeightedModel(weight, view, Linear(scale * generator.normal(size=(3, width)), classes > 0))
            for weight, view in ((3.0, View.SCALED), (1.0, View.SCALED))
        ]

    return make


@pytest.fixture
def frame():
    """Typed rows, with missing values of every kind and an unseen label."""
    return pl.DataFrame(
        {
            "age": [20.0, None, 61.5, 33.0, 1e9],
            "joined": [1.6e9, 1.65e9, None, 1.7e9 + 0.25, 0.0],
            "plan": ["basic", "pro", "", "unheard of", "plus"],
            "unread": ["", "a", "b", "c", "d"],
        }
    )


@pytest.fixture
def manifest():
    """Make the manifest of a compiled model."""
    from headrace.ml.compiler import describe_inputs, describe_outputs

    def make(proto, plan, task, classes, **details) -> Manifest:
        return Manifest(
            task, "target", describe_inputs(proto, plan.columns), describe_outputs(proto), classes, **details
        )

    return make
