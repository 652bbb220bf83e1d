"""What scikit-learn's single trees and forests share: hyperparameters, fitting and the choice of outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.adapters.sklearn_trees import sklearn_trees_form
from headrace.ml.contract import Choice, Features, Fitted, Hyperparameter, Integer, Predictions, Real, Target

TREE: Mapping[str, Hyperparameter] = {
    "max_depth": Hyperparameter(0, Integer(0, 100), "levels a tree, 0 for no bound"),
    "min_samples_leaf": Hyperparameter(1, Integer(1, 1_000_000), "rows a leaf", Integer(1, 50, log=True)),
    "max_features": Hyperparameter(1.0, Real(0.0, 1.0), "share of columns a split sees, 0 for their square root"),
    "criterion": Hyperparameter(
        "gini",
        Choice(("gini", "entropy")),
        "impurity of classes; values use the squared error",
        Choice(("gini", "entropy")),
    ),
}
"""Hyperparameters of every tree; forests change the defaults."""


def tree_options(values: Mapping[str, Any], classes: int) -> dict[str, Any]:
    """Return what scikit-learn calls the hyperparameters of `TREE`."""
    return {
        "max_depth": values["max_depth"] or None,
        "min_samples_leaf": values["min_samples_leaf"],
        "max_features": float(values["max_features"]) or "sqrt",
        "criterion": values["criterion"] if classes else "squared_error",
    }


def fit_trees(estimator: Any, features: Features, target: Target, classes: int, values: Mapping[str, Any]) -> Fitted:
    """Fit a tree or forest of scikit-learn and take its trees out."""
    estimator.fit(features, target)

    def predict(rows: Features) -> Predictions:
        return np.asarray(estimator.predict_proba(rows) if classes else estimator.predict(rows), np.float64)

    trees = list(getattr(estimator, "estimators_", [estimator]))
    return Fitted(sklearn_trees_form(trees, classes), predict, dict(values))
