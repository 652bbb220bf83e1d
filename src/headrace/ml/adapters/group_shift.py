"""Odds multiplied by a factor that goes with a row's group: in NumPy while choosing, and as nodes of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.contract import Graph, Predictions

_FLOAT, _ML = 1, "ai.onnx.ml"


@dataclass(frozen=True)
class GroupShift:
    """For each group of `column` (a category's text, or a number) the factor of the positive class's odds.

    Groups that are not named have the factor 1. Applying `inverse()` afterwards gives the probabilities back.
    """

    column: str
    factors: Mapping[Any, float]

    @property
    def numeric(self) -> bool:
        """Whether the groups are numbers."""
        return any(isinstance(group, float) for group in self.factors)

    def inverse(self) -> GroupShift:
        """Return the shift that undoes this one."""
        return GroupShift(self.column, {group: 1 / factor for group, factor in self.factors.items()})

    def apply(self, frame: pl.DataFrame, probabilities: Predictions) -> Predictions:
        """Shift probabilities [rows, 2] of the typed rows of `frame`."""
        values = frame[self.column]
        factors = np.ones(frame.height)
        for group, factor in self.factors.items():
            factors[(values == group).fill_null(False).to_numpy()] = factor
        positive = probabilities[:, 1] * factors
        shifted = positive / (probabilities[:, 0] + positive)
        return np.column_stack([1 - shifted, shifted])

    def to_onnx(self, graph: Graph, column: str, probabilities: str) -> str:
        """Write it behind `probabilities` [rows, 2]; `column` is the raw input [rows, 1] that holds the groups."""
        named: dict[str, Any] = {"keys_strings": [str(group) for group in self.factors]}
        if self.numeric:
            column = graph.node("Cast", [column], to=_FLOAT)
            named = {"keys_floats": [float(group) for group in self.factors]}
        named |= {"values_floats": [float(np.float32(f)) for f in self.factors.values()], "default_float": 1.0}
        factor = graph.node("LabelEncoder", [column], domain=_ML, **named)
        ones = graph.constant(np.array([[1.0, 0.0]], np.float32), "negative")
        mask = graph.constant(np.array([[0.0, 1.0]], np.float32), "positive")
        scale = graph.node("Add", [graph.node("Mul", [factor, mask]), ones])
        odds = graph.node("Mul", [probabilities, scale])
        axes = graph.constant(np.array([1], np.int64), "axes")
        return graph.node("Div", [odds, graph.node("ReduceSum", [odds, axes], keepdims=1)])
