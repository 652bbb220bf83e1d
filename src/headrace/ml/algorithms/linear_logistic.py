"""Logistic regression: a linear model of the log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.links import NORMALISED_SIGMOID, SIGMOID, SOFTMAX
from headrace.ml.adapters.stochastic_gradient import SCHEDULE, stochastic_gradient_options
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import (
    CLASSIFICATION,
    Choice,
    Features,
    Fitted,
    Hyperparameter,
    Predictions,
    Real,
    Target,
    View,
)


class LinearLogistic(LibraryAlgorithm):
    """Logistic loss with an L2, L1 or elastic-net penalty.

    L-BFGS where the penalty is smooth, SAGA where it is not, or stochastic gradient descent with a learning-rate
    schedule. Several classes are fitted jointly (softmax), by `sgd` one against the rest.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.array([[-1.0], [-0.5], [0.5], [1.0]], np.float32)
    >>> fitted = LinearLogistic(Task.BINARY, 2).fit(features, np.array([0, 0, 1, 1]))
    >>> fitted.predict(features).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    name = "linear_logistic"
    title = "Logistic regression"
    tasks = CLASSIFICATION
    view = View.SCALED
    takes_missing = False
    interpretable = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "C": Hyperparameter(1.0, Real(1e-6, 1e6), "inverse strength of the penalty", Real(1e-3, 100.0, log=True)),
        "l1_ratio": Hyperparameter(0.0, Real(0.0, 1.0), "0: L2, 1: L1, between: elastic net", Choice((0.0, 0.5, 1.0))),
        "solver": Hyperparameter("exact", Choice(("exact", "sgd")), "L-BFGS or SAGA, or stochastic gradient descent"),
        **SCHEDULE,
    }
    portfolio = ({}, {"C": 0.03}, {"C": 0.1, "l1_ratio": 1.0}, {"solver": "sgd", "C": 0.3})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Fit by the chosen solver."""
        linear_model = import_library("sklearn.linear_model")
        stochastic = self.values["solver"] == "sgd"
        l1_ratio = self.values["l1_ratio"]
        if stochastic:
            options = stochastic_gradient_options(self.values, self.seed)
            alpha = 1 / (self.values["C"] * len(target))
            model = linear_model.SGDClassifier(loss="log_loss", alpha=alpha, l1_ratio=l1_ratio, **options)
        else:
            model = linear_model.LogisticRegression(
                C=self.values["C"],
                l1_ratio=l1_ratio,
                solver="saga" if l1_ratio else "lbfgs",
                max_iter=300 if l1_ratio else 1000,
                tol=1e-3 if l1_ratio else 1e-4,
                random_state=self.seed,
            )
        model.fit(features.astype(np.float64), target)

        def predict(rows: Features) -> Predictions:
            return np.asarray(model.predict_proba(rows.astype(np.float64)))

        link = SIGMOID if classes == 2 else NORMALISED_SIGMOID if stochastic else SOFTMAX
        return Fitted(Linear(model.coef_.T, model.intercept_, link), predict, dict(self.values))
