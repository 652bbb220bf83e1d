"""The form around a model that was fitted without rows of some classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Form, Graph, Predictions


@dataclass(frozen=True, eq=False)
class PresentClasses(Form):
    """Give the probabilities of `inner` to the classes `present` [inner classes], and 0 to the rest of `classes`."""

    inner: Form
    present: npt.NDArray[np.int64]
    classes: int

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Spread the inner probabilities with one matrix product."""
        spreading = spread(np.eye(len(self.present)), self.present, self.classes).astype(np.float32)
        return graph.node("MatMul", [self.inner.to_onnx(graph, features), graph.constant(spreading, "spreading")])


def spread(probabilities: Predictions, present: npt.NDArray[Any], classes: int) -> Predictions:
    """Place probabilities [rows, present classes] into columns [rows, classes] of zeros."""
    columns = np.zeros((len(probabilities), classes))
    columns[:, present] = probabilities
    return columns
