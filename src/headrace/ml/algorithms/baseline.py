"""The simplest answer: the shares of the classes, or the mean."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Target, View


class Baseline(LibraryAlgorithm):
    """Predicts the same for every row: what any model has to beat.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> fitted = Baseline(Task.BINARY, 2).fit(np.zeros((4, 1), np.float32), np.array([0, 0, 0, 1]))
    >>> fitted.predict(np.zeros((1, 1), np.float32)).tolist()
    [[0.75, 0.25]]
    """

    name = "baseline"
    title = "Baseline"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    interpretable = True
    module = "numpy"
    hyperparameters: ClassVar[dict[str, Hyperparameter]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Count the classes, or take the mean."""
        return self.constant(np.bincount(target) / len(target) if classes else np.array([target.mean()]))
