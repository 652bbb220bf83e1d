"""A single decision tree: a model that can be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from headrace.ml.adapters.forests import TREE, fit_trees, tree_options
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Integer, Real, Target, View


class DecisionTree(LibraryAlgorithm):
    """One tree (CART), kept small by its depth, its leaves and cost-complexity pruning.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984).

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.array([[1.0], [2.0], [3.0], [4.0]], np.float32)
    >>> fitted = DecisionTree(Task.BINARY, 2, min_samples_leaf=1).fit(features, np.array([0, 0, 1, 1]))
    >>> fitted.predict(features)[:, 1].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    name = "decision_tree"
    title = "Decision tree"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    interpretable = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        **TREE,
        "max_depth": replace(TREE["max_depth"], default=6, search=Integer(2, 12)),
        "min_samples_leaf": replace(TREE["min_samples_leaf"], default=10, search=Integer(1, 200, log=True)),
        "ccp_alpha": Hyperparameter(0.0, Real(0.0, 1.0), "cost of a leaf in pruning", Real(1e-6, 1e-2, log=True)),
    }
    portfolio = ({}, {"max_depth": 4, "min_samples_leaf": 20}, {"max_depth": 10, "min_samples_leaf": 30})
    quick: ClassVar[Mapping[str, Any]] = {"max_depth": 4}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Grow and prune one tree."""
        tree = import_library("sklearn.tree")
        kind = tree.DecisionTreeClassifier if classes else tree.DecisionTreeRegressor
        # Pruning compares with the impurity: of values, that is their variance.
        pruning = self.values["ccp_alpha"] * (1 if classes else target.var())
        options = tree_options(self.values, classes) | {"ccp_alpha": pruning, "random_state": self.seed}
        return fit_trees(kind(**options), features, target, classes, self.values)
