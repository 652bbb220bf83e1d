"""Gaussian naive Bayes: every feature a normal distribution a class, all independent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.bayes import Gaussian, bounded
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import CLASSIFICATION, Features, Fitted, Hyperparameter, Predictions, Real, Target, View


class NaiveBayes(LibraryAlgorithm):
    """Fitted in one pass over the rows; its ranking is often good, its probabilities too sure.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.array([[-1.2], [-1.0], [0.9], [1.1]], np.float32)
    >>> fitted = NaiveBayes(Task.BINARY, 2).fit(features, np.array([0, 0, 1, 1]))
    >>> fitted.predict(features).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    name = "naive_bayes"
    title = "Naive Bayes"
    tasks = CLASSIFICATION
    view = View.SCALED
    takes_missing = False
    interpretable = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "var_smoothing": Hyperparameter(
            1e-2, Real(1e-9, 10.0), "share of the largest variance added to all", Real(1e-6, 1.0, log=True)
        ),
    }
    portfolio = ({}, {"var_smoothing": 1e-4}, {"var_smoothing": 0.3})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Take means and variances a class."""
        bayes = import_library("sklearn.naive_bayes")
        model = bayes.GaussianNB(var_smoothing=self.values["var_smoothing"])
        model.fit(bounded(features).astype(np.float64), target)

        def predict(rows: Features) -> Predictions:
            return np.asarray(model.predict_proba(bounded(rows).astype(np.float64)))

        constants = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * model.var_).sum(axis=1)
        return Fitted(Gaussian(model.theta_, model.var_, constants), predict, dict(self.values))
