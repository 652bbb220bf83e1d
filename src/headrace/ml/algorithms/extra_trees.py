"""Extremely randomised trees: a forest whose thresholds are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from headrace.ml.adapters.forests import TREE, fit_trees, tree_options
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Integer, Real, Target, View


class ExtraTrees(LibraryAlgorithm):
    """The mean of many trees that see all rows and split at random thresholds.

    Source: Geurts, Ernst and Wehenkel, Extremely randomized trees (Machine Learning, 2006).

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    >>> fitted = ExtraTrees(Task.BINARY, 2, n_estimators=20).fit(features, (features[:, 0] > 0.5).astype(int))
    >>> fitted.predict(np.array([[0.1], [0.9]], np.float32)).argmax(axis=1).tolist()
    [0, 1]
    """

    name = "extra_trees"
    title = "Extremely randomised trees"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "n_estimators": Hyperparameter(200, Integer(1, 5000), "trees"),
        **TREE,
        "min_samples_leaf": replace(TREE["min_samples_leaf"], default=3),
        "max_features": replace(TREE["max_features"], default=0.6, search=Real(0.2, 1.0)),
    }
    portfolio = ({}, {"max_features": 0.0, "min_samples_leaf": 5}, {"max_features": 1.0, "criterion": "entropy"})
    largest = 15_000
    quick: ClassVar[Mapping[str, Any]] = {"n_estimators": 10}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Grow the trees on all rows."""
        ensemble = import_library("sklearn.ensemble")
        kind = ensemble.ExtraTreesClassifier if classes else ensemble.ExtraTreesRegressor
        forest = kind(
            n_estimators=self.values["n_estimators"],
            n_jobs=self.threads,
            random_state=self.seed,
            **tree_options(self.values, classes),
        )
        return fit_trees(forest, features, target, classes, self.values)
