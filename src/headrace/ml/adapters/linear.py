"""The form of linear models: one matrix product and a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.links import apply_link, link_to_onnx
from headrace.ml.contract import Features, Form, Graph, Predictions


@dataclass(frozen=True, eq=False)
class Linear(Form):
    """Scores are features @ coefficients + intercepts: [rows, columns] @ [columns, outputs] + [outputs].

    `link` is one of adapters/links.py. A Platt scaling of the scores is already inside both arrays.
    """

    coefficients: npt.NDArray[np.float64]
    intercepts: npt.NDArray[np.float64]
    link: str

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write MatMul, Add and the link."""
        product = graph.node("MatMul", [features, graph.constant(self.coefficients.astype(np.float32), "coefficients")])
        scores = graph.node("Add", [product, graph.constant(self.intercepts.astype(np.float32), "intercepts")])
        return link_to_onnx(graph, self.link, scores)

    def predict(self, features: Features) -> Predictions:
        """Return what `to_onnx` computes, in double precision."""
        return apply_link(self.link, features.astype(np.float64) @ self.coefficients + self.intercepts)
