"""K-nearest neighbours: the answer of the most similar rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.neighbors import BOUND, NEAR, Neighbors
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import (
    SUPERVISED,
    Choice,
    Features,
    Fitted,
    Hyperparameter,
    Integer,
    Predictions,
    Target,
    View,
)


class KNearestNeighbors(LibraryAlgorithm):
    """The mean of the nearest rows by Euclidean distance, equal or weighted by nearness.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.array([[0.0], [1.0], [2.0], [10.0]], np.float32)
    >>> algorithm = KNearestNeighbors(Task.REGRESSION, n_neighbors=2, weights="uniform")
    >>> algorithm.fit(features, np.array([0.0, 1.0, 2.0, 10.0])).predict(np.array([[0.4]], np.float32)).tolist()
    [0.5]
    """

    name = "k_nearest_neighbors"
    title = "K-nearest neighbours"
    tasks = SUPERVISED
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    largest = 20_000
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "n_neighbors": Hyperparameter(
            20, Integer(1, 1000), "neighbours that answer, at most all rows", Integer(3, 100, log=True)
        ),
        "weights": Hyperparameter(
            "distance", Choice(("uniform", "distance")), "equal, or by nearness", Choice(("uniform", "distance"))
        ),
    }
    portfolio = ({}, {"n_neighbors": 50}, {"n_neighbors": 8})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Keep the rows."""
        neighbors = import_library("sklearn.neighbors")
        count = min(self.values["n_neighbors"], len(target))
        by_distance = self.values["weights"] == "distance"
        kind = neighbors.KNeighborsClassifier if classes else neighbors.KNeighborsRegressor
        rows = _bounded(features)
        model = kind(count, weights=_nearness if by_distance else "uniform", n_jobs=self.threads, algorithm="brute")
        model.fit(rows, target)

        def predict(rows: Features) -> Predictions:
            wide = _bounded(rows)
            return np.asarray(model.predict_proba(wide) if classes else model.predict(wide), np.float64)

        answers = np.eye(classes)[target] if classes else target[:, None]
        form = Neighbors(rows.astype(np.float32), answers, count, by_distance)
        return Fitted(form, predict, dict(self.values))


def _nearness(distances: Predictions) -> Predictions:
    """Weigh by 1 / distance, bounded where a row meets itself."""
    return np.asarray(1 / np.sqrt(distances**2 + NEAR))


def _bounded(features: Features) -> Predictions:
    return np.clip(features, -BOUND, BOUND).astype(np.float64)
