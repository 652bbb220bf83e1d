"""Gradient boosting by XGBoost: trees grown level by level, each correcting the ones before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.boosting import CATEGORIES, boosting_link, patience
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.links import apply_link
from headrace.ml.adapters.threads import import_library
from headrace.ml.adapters.xgboost_trees import xgboost_form
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Integer, Predictions, Real, Target, View


class GradientBoostingXGBoost(LibraryAlgorithm):
    """XGBoost's histogram trees with early stopping on the validation rows' log loss or root mean squared error.

    Source: Chen and Guestrin, XGBoost (KDD 2016). Portfolio: the configurations that complement each other
    best of 22 drawn at random (docs/decisions/0011), and pytabkit's tuned defaults (Holzmüller et al., NeurIPS 2024).

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    >>> algorithm = GradientBoostingXGBoost(Task.REGRESSION, num_iterations=100)
    >>> fitted = algorithm.fit(features, 10.0 + (features[:, 0] > 0.5))
    >>> fitted.predict(np.array([[0.1], [0.9]], np.float32)).round(1).tolist()
    [10.0, 11.0]
    """

    name = "gradient_boosting_xgboost"
    title = "Gradient boosting (XGBoost)"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    module = "xgboost"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "num_iterations": Hyperparameter(1000, Integer(1, 20_000), "trees; early stopping may keep fewer"),
        "learning_rate": Hyperparameter(
            0.08, Real(1e-4, 1.0), "share of each tree's answer that is added", Real(0.01, 0.3, log=True)
        ),
        "max_depth": Hyperparameter(6, Integer(1, 20), "levels a tree", Integer(3, 10)),
        "min_child_weight": Hyperparameter(
            5e-6, Real(0.0, 1e6), "sum of second derivatives a leaf needs", Real(1e-5, 30.0, log=True)
        ),
        "subsample": Hyperparameter(0.65, Real(0.05, 1.0), "share of rows a tree sees", Real(0.5, 1.0)),
        "colsample_bytree": Hyperparameter(1.0, Real(0.05, 1.0), "share of columns a tree sees", Real(0.4, 1.0)),
        "colsample_bylevel": Hyperparameter(0.9, Real(0.05, 1.0), "share of those a level sees", Real(0.5, 1.0)),
        "reg_lambda": Hyperparameter(0.0, Real(0.0, 1e4), "L2 penalty of the leaves", Real(1e-4, 10.0, log=True)),
        "categories": CATEGORIES,
        "reg_alpha": Hyperparameter(0.0, Real(0.0, 1e4), "L1 penalty of the leaves", Real(1e-4, 10.0, log=True)),
    }
    portfolio = (
        {
            "learning_rate": 0.06,
            "min_child_weight": 1.0,
            "subsample": 0.75,
            "colsample_bytree": 0.8,
            "colsample_bylevel": 1.0,
            "reg_lambda": 5.0,
            "categories": "both",
        },
        {"learning_rate": 0.06, "max_depth": 4, "min_child_weight": 3.0, "subsample": 0.9, "colsample_bytree": 0.4},
        {
            "learning_rate": 0.04,
            "max_depth": 3,
            "min_child_weight": 3.0,
            "subsample": 0.75,
            "colsample_bytree": 0.8,
            "colsample_bylevel": 0.6,
        },
        {"learning_rate": 0.04, "max_depth": 8, "subsample": 0.75, "colsample_bylevel": 0.6, "reg_lambda": 0.1},
        {},
    )
    quick: ClassVar[Mapping[str, Any]] = {"num_iterations": 30, "max_depth": 4}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Boost until the validation loss has not fallen for `patience` trees."""
        xgboost = import_library("xgboost")
        training = xgboost.QuantileDMatrix(features, target, nthread=self.threads)
        options: dict[str, Any] = {}
        if validation is not None:
            rows = xgboost.QuantileDMatrix(*validation, ref=training, nthread=self.threads)
            stop = patience(self.values["learning_rate"])
            options = {"evals": [(rows, "validation")], "early_stopping_rounds": stop, "verbose_eval": False}
        trees = self.values["num_iterations"]
        booster = xgboost.train(self._parameters(classes), training, trees, **options)
        if validation is not None:
            trees = booster.best_iteration + 1
            booster = booster[:trees]
        link = boosting_link(classes)

        def predict(rows: Features) -> Predictions:
            booster.set_param({"nthread": self.threads})
            scores = booster.inplace_predict(rows, predict_type="margin", missing=np.nan).astype(np.float64)
            return apply_link(link, scores.reshape(len(rows), -1))

        return Fitted(xgboost_form(booster, link), predict, self.values | {"num_iterations": trees})

    def _parameters(self, classes: int) -> dict[str, Any]:
        """Return XGBoost's own parameters."""
        objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")
        metric = {0: "rmse", 2: "logloss"}.get(classes, "mlogloss")
        tuned = {key: value for key, value in self.values.items() if key not in ("num_iterations", "categories")}
        several = {"num_class": classes} if classes > 2 else {}
        return (
            tuned
            | several
            | {
                "objective": objective,
                "eval_metric": metric,
                "tree_method": "hist",
                "max_bin": 256,
                "nthread": self.threads,
                "seed": self.seed,
                "verbosity": 0,
            }
        )
