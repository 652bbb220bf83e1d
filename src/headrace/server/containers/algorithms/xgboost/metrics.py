"""The metrics of AWS's container that the library does not have, computed on what the booster predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

OF_CLASSES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "precision": ("precision_score", {"zero_division": 0.0}),
    "precision_macro": ("precision_score", {"average": "macro", "zero_division": 0.0}),
    "precision_micro": ("precision_score", {"average": "micro", "zero_division": 0.0}),
    "recall": ("recall_score", {"zero_division": 0.0}),
    "recall_macro": ("recall_score", {"average": "macro", "zero_division": 0.0}),
    "recall_micro": ("recall_score", {"average": "micro", "zero_division": 0.0}),
}
"""Names of scikit-learn's functions and their arguments, by the metric's name."""
OF_VALUES: Mapping[str, str] = {"mse": "mean_squared_error", "r2": "r2_score"}
NOT_IN_LIBRARY = frozenset(OF_CLASSES) | frozenset(OF_VALUES)


def custom_metric(names: Sequence[str], objective: str) -> Callable[[Any, Any], list[tuple[str, float]]] | None:
    """Return the library's `custom_metric` for those of `names` that it lacks, or None where it has them all."""
    if NOT_IN_LIBRARY.isdisjoint(names):
        return None
    import sklearn.metrics

    functions: dict[str, Callable[[Any, Any], float]] = {}
    for name in names:
        if name in OF_CLASSES:
            function, arguments = OF_CLASSES[name]
            functions[name] = partial(getattr(sklearn.metrics, function), **arguments)
        elif name in OF_VALUES:
            functions[name] = getattr(sklearn.metrics, OF_VALUES[name])

    def measure(predictions: npt.NDArray[Any], matrix: Any) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        classes = predicted_classes(predictions, objective)
        return [
            (name, float(function(labels, classes if name in OF_CLASSES else predictions)))
            for name, function in functions.items()
        ]

    return measure


def predicted_classes(predictions: npt.NDArray[Any], objective: str) -> npt.NDArray[Any]:
    """Return the class of each prediction [rows] or [rows, classes] of an objective."""
    if predictions.ndim == 2:
        return np.asarray(np.argmax(predictions, axis=1))
    if objective == "multi:softmax":
        return predictions.astype(np.int64)
    return np.asarray(predictions > (0.0 if objective == "binary:logitraw" else 0.5), np.int64)
