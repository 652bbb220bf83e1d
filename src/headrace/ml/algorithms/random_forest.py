"""Random forest: many trees, each grown on a bootstrap sample and random columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from headrace.ml.adapters.forests import TREE, fit_trees, tree_options
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Integer, Real, Target, View


class RandomForest(LibraryAlgorithm):
    """The mean of many trees.

    Source: Breiman, Random Forests (Machine Learning, 2001). Leaves of a few rows give better probabilities and far
    smaller models than leaves of one.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    >>> fitted = RandomForest(Task.BINARY, 2, n_estimators=20).fit(features, (features[:, 0] > 0.5).astype(int))
    >>> fitted.predict(np.array([[0.1], [0.9]], np.float32)).argmax(axis=1).tolist()
    [0, 1]
    """

    name = "random_forest"
    title = "Random forest"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "n_estimators": Hyperparameter(200, Integer(1, 5000), "trees"),
        **TREE,
        "min_samples_leaf": replace(TREE["min_samples_leaf"], default=3),
        "max_features": replace(TREE["max_features"], default=0.4, search=Real(0.1, 1.0)),
        "max_samples": Hyperparameter(1.0, Real(0.01, 1.0), "rows drawn for a tree, as a share", Real(0.4, 1.0)),
    }
    portfolio = ({}, {"max_features": 0.0, "min_samples_leaf": 5}, {"max_features": 0.75, "criterion": "entropy"})
    largest = 15_000
    quick: ClassVar[Mapping[str, Any]] = {"n_estimators": 10}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Grow the trees on bootstrap samples."""
        ensemble = import_library("sklearn.ensemble")
        kind = ensemble.RandomForestClassifier if classes else ensemble.RandomForestRegressor
        forest = kind(
            n_estimators=self.values["n_estimators"],
            max_samples=float(self.values["max_samples"]),
            n_jobs=self.threads,
            random_state=self.seed,
            **tree_options(self.values, classes),
        )
        return fit_trees(forest, features, target, classes, self.values)
