"""The form that gives every row the same answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.ml.contract import Form, Graph, Predictions


@dataclass(frozen=True, eq=False)
class Constant(Form):
    """Class probabilities [classes] or one value [1]."""

    values: Predictions

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Repeat the values for every row of `features`."""
        rows = graph.node("Shape", [features], start=0, end=1)
        shape = graph.node("Concat", [rows, graph.constant(np.array([len(self.values)], np.int64))], axis=0)
        return graph.node("Expand", [graph.constant(self.values.astype(np.float32)[None, :], "values"), shape])
