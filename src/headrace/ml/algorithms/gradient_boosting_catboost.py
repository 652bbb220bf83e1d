"""Gradient boosting by CatBoost: symmetric trees, strong without tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.boosting import CATEGORIES, boosting_link, patience
from headrace.ml.adapters.catboost_trees import catboost_form
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.links import apply_link
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import SUPERVISED, Features, Fitted, Hyperparameter, Integer, Predictions, Real, Target, View

FEWEST_ROWS_A_BORDER = 16


class GradientBoostingCatBoost(LibraryAlgorithm):
    """CatBoost with early stopping on the validation rows' log loss or root mean squared error.

    Source: Prokhorenkova et al., CatBoost (NeurIPS 2018). Portfolio: its own defaults, AutoGluon's zero-shot choice and
    pytabkit's tuned defaults (Holzmüller et al., NeurIPS 2024). Same seed and same number of threads, same trees.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    >>> algorithm = GradientBoostingCatBoost(Task.REGRESSION, iterations=100, learning_rate=0.2)
    >>> fitted = algorithm.fit(features, 10.0 + (features[:, 0] > 0.5))
    >>> fitted.predict(np.array([[0.1], [0.9]], np.float32)).round(1).tolist()
    [10.0, 11.0]
    """

    name = "gradient_boosting_catboost"
    title = "Gradient boosting (CatBoost)"
    tasks = SUPERVISED
    view = View.TREES
    takes_missing = True
    module = "catboost"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "iterations": Hyperparameter(1000, Integer(1, 20_000), "trees; early stopping may keep fewer"),
        "learning_rate": Hyperparameter(
            0.0,
            Real(0.0, 1.0),
            "share of each tree's answer that is added; 0: by CatBoost, from rows and trees",
            Real(0.01, 0.3, log=True),
        ),
        "depth": Hyperparameter(6, Integer(1, 12), "levels a tree", Integer(4, 9)),
        "l2_leaf_reg": Hyperparameter(3.0, Real(0.0, 1e4), "L2 penalty of the leaves", Real(1e-4, 20.0, log=True)),
        "random_strength": Hyperparameter(1.0, Real(0.0, 100.0), "noise in the scores of splits", Real(0.0, 2.0)),
        "subsample": Hyperparameter(0.8, Real(0.05, 1.0), "share of rows a tree sees", Real(0.6, 1.0)),
        "categories": CATEGORIES,
        "rsm": Hyperparameter(1.0, Real(0.05, 1.0), "share of columns a split sees", Real(0.4, 1.0)),
    }
    portfolio = (
        {"learning_rate": 0.06864209415792857, "l2_leaf_reg": 2.1542798306067823, "categories": "one-hot"},
        {"categories": "both"},
        {"learning_rate": 0.08, "depth": 7, "l2_leaf_reg": 1e-5, "random_strength": 0.8, "subsample": 0.9},
        {"learning_rate": 0.09, "depth": 9, "l2_leaf_reg": 1e-5, "random_strength": 0.0, "subsample": 0.9},
    )
    quick: ClassVar[Mapping[str, Any]] = {"iterations": 30, "depth": 4, "learning_rate": 0.1}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:
        """Boost until the validation loss has not fallen for `patience` trees."""
        catboost = import_library("catboost")
        model = catboost.CatBoost(self._parameters(len(target), classes))
        training = catboost.Pool(features, target, thread_count=self.threads)
        options: dict[str, Any] = {}
        if validation is not None:
            stop = patience(self.values["learning_rate"] or 0.05)
            options = {
                "eval_set": catboost.Pool(*validation, thread_count=self.threads),
                "early_stopping_rounds": stop,
                "use_best_model": True,
            }
        model.fit(training, **options)
        link = boosting_link(classes)

        def predict(rows: Features) -> Predictions:
            scores = np.asarray(model.predict(rows, prediction_type="RawFormulaVal", thread_count=self.threads))
            return apply_link(link, scores.reshape(len(rows), -1))

        found = {"iterations": max(model.tree_count_, 1), "learning_rate": float(model.learning_rate_)}
        return Fitted(catboost_form(model, link), predict, self.values | found)

    def _parameters(self, rows: int, classes: int) -> dict[str, Any]:
        """Return CatBoost's own parameters; few rows need few borders, whose number is what trees of few rows cost."""
        tuned = {
            key: value
            for key, value in self.values.items()
            if key != "categories" and (value or key != "learning_rate")
        }
        return tuned | {
            "loss_function": {0: "RMSE", 2: "Logloss"}.get(classes, "MultiClass"),
            "bootstrap_type": "MVS" if self.values["subsample"] < 1 else "No",
            "boosting_type": "Plain",
            "border_count": int(min(max(rows // FEWEST_ROWS_A_BORDER, 32), 254)),
            "nan_mode": "Min",
            "thread_count": self.threads,
            "random_seed": self.seed,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }
