"""Gradient boosting by LightGBM: trees grown leaf by leaf, each correcting the ones before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.ml.adapters.boosting import CATEGORIES, boosting_link, patience
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows, two_columns
from headrace.ml.adapters.lightgbm_trees import lightgbm_form
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import (
    SUPERVISED,
    Choice,
    Features,
    Fitted,
    Hyperparameter,
    Integer,
    Predictions,
    Real,
    Target,
    View,
)


class GradientBoostingLightGBM(LibraryAlgorithm):
    """LightGBM with early stopping on the validation rows' log loss or root mean squared error.

    Source: Ke et al., LightGBM (NeurIPS 2017). Portfolio: the configurations that complement each other
    best of 36 drawn at random (docs/decisions/0011), one of AutoGluon's zero-shot portfolio and pytabkit's tuned
    defaults (Holzmüller et al., NeurIPS 2024). Same seed, same trees, whatever the number of threads.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    >>> algorithm = GradientBoostingLightGBM(Task.REGRESSION, num_iterations=200, learning_rate=0.1)
    >>> fitted = algorithm.fit(features, 10.0 + (features[:, 0] > 0.5))
    >>> fitted.predict(np.array([[0.1], [0.9]], np.float32)).round(1).tolist()
    [10.0, 11.0]
    """

    name = "gradient_boosting_lightgbm"
    title = "Gradient boosting (LightGBM)"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    module = "lightgbm"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "num_iterations": Hyperparameter(1000, Integer(1, 20_000), "trees; early stopping may keep fewer"),
        "learning_rate": Hyperparameter(
            0.04, Real(1e-4, 1.0), "share of each tree's answer that is added", Real(0.005, 0.15, log=True)
        ),
        "num_leaves": Hyperparameter(50, Integer(2, 4096), "leaves a tree", Integer(4, 200, log=True)),
        "min_data_in_leaf": Hyperparameter(
            40, Integer(1, 100_000), "rows a leaf, at most a tenth of all", Integer(1, 100, log=True)
        ),
        "bagging_fraction": Hyperparameter(0.75, Real(0.1, 1.0), "share of rows a tree sees", Real(0.5, 1.0)),
        "feature_fraction": Hyperparameter(1.0, Real(0.05, 1.0), "share of columns a tree sees", Real(0.4, 1.0)),
        "lambda_l1": Hyperparameter(0.0, Real(0.0, 1e4), "L1 penalty of the leaves", Real(1e-4, 10.0, log=True)),
        "lambda_l2": Hyperparameter(0.0, Real(0.0, 1e4), "L2 penalty of the leaves", Real(1e-4, 10.0, log=True)),
        "categories": CATEGORIES,
        "extra_trees": Hyperparameter(False, Choice((False, True)), "draw thresholds at random", Choice((False, True))),
    }
    portfolio = (
        {
            "learning_rate": 0.08,
            "num_leaves": 31,
            "min_data_in_leaf": 10,
            "bagging_fraction": 1.0,
            "feature_fraction": 0.6,
            "lambda_l2": 10.0,
        },
        {
            "learning_rate": 0.03,
            "num_leaves": 6,
            "min_data_in_leaf": 1,
            "feature_fraction": 0.3,
            "lambda_l2": 1.0,
            "categories": "both",
        },
        {
            "learning_rate": 0.05,
            "num_leaves": 100,
            "min_data_in_leaf": 1,
            "bagging_fraction": 0.9,
            "feature_fraction": 0.6,
            "lambda_l2": 10.0,
        },
        {
            "learning_rate": 0.03,
            "num_leaves": 16,
            "min_data_in_leaf": 3,
            "bagging_fraction": 1.0,
            "feature_fraction": 0.3,
            "lambda_l1": 0.1,
            "lambda_l2": 10.0,
            "categories": "both",
        },
        {
            "learning_rate": 0.0178593900218,
            "num_leaves": 39,
            "min_data_in_leaf": 3,
            "extra_trees": True,
            "bagging_fraction": 0.8769107816033,
            "feature_fraction": 0.4622189821941,
            "lambda_l1": 0.2375070586896,
            "lambda_l2": 0.3551561351804,
        },
        {},
    )
    quick: ClassVar[Mapping[str, Any]] = {"num_iterations": 30, "num_leaves": 15, "min_data_in_leaf": 5}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Boost until the validation loss has not fallen for `patience` trees."""
        lightgbm = import_library("lightgbm")
        parameters = self._parameters(len(target), classes)
        training = lightgbm.Dataset(features, target, params=parameters, free_raw_data=True)
        valid_sets, callbacks = [], []
        if validation is not None:
            valid_sets = [lightgbm.Dataset(validation[0], validation[1], reference=training, params=parameters)]
            callbacks = [lightgbm.early_stopping(patience(self.values["learning_rate"]), verbose=False)]
        booster = lightgbm.train(
            parameters, training, self.values["num_iterations"], valid_sets=valid_sets, callbacks=callbacks
        )
        trees = booster.best_iteration if validation is not None else booster.current_iteration()
        if validation is not None:
            booster = booster.model_from_string(booster.model_to_string(num_iteration=trees))

        def predict(rows: Features) -> Predictions:
            predictions: Predictions = booster.predict(rows, num_threads=self.threads)
            return two_columns(predictions) if classes == 2 else predictions

        form = lightgbm_form(booster, boosting_link(classes))
        return Fitted(form, predict, self.values | {"num_iterations": max(trees, 1)})

    def _parameters(self, rows: int, classes: int) -> dict[str, Any]:
        """Return LightGBM's own parameters for this many rows."""
        objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
        metric = {0: "rmse", 2: "binary_logloss"}.get(classes, "multi_logloss")
        tuned = {key: value for key, value in self.values.items() if key not in ("num_iterations", "categories")}
        return tuned | {
            "objective": objective,
            "metric": metric,
            "num_class": classes if classes > 2 else 1,
            "min_data_in_leaf": min(self.values["min_data_in_leaf"], max(1, rows // 10)),
            "min_sum_hessian_in_leaf": 1e-7 if not classes else 1e-3,
            "min_data_in_bin": min(3, max(1, rows // 100)),
            "max_bin": min(255, max(63, rows // 10)),
            "bagging_freq": 1,
            "feature_pre_filter": False,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "seed": self.seed,
            "verbosity": -1,
        }
