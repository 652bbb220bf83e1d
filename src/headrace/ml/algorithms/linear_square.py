"""Linear regression on squared errors: ridge, lasso, elastic net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.links import IDENTITY
from headrace.ml.adapters.stochastic_gradient import SCHEDULE, stochastic_gradient_options
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import Choice, Features, Fitted, Hyperparameter, Predictions, Real, Target, Task, View


class LinearSquare(LibraryAlgorithm):
    """Square loss with an L2 (ridge), L1 (lasso) or elastic-net penalty on the standardised target.

    Solved exactly, by coordinate descent, or by stochastic gradient descent with a learning-rate schedule. The mean
    squared error is penalised by `alpha` times the squared length of the coefficients, whatever the number of rows.

    >>> import numpy as np
    >>> features = np.array([[-1.0], [0.0], [1.0]], np.float32)
    >>> fitted = LinearSquare(Task.REGRESSION, alpha=0.0).fit(features, np.array([1.0, 3.0, 5.0]))
    >>> fitted.predict(np.array([[2.0]], np.float32)).round(6).tolist()
    [7.0]
    """

    name = "linear_square"
    title = "Linear regression"
    tasks = frozenset({Task.REGRESSION})
    view = View.SCALED
    takes_missing = False
    interpretable = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "alpha": Hyperparameter(1e-3, Real(0.0, 1e4), "strength of the penalty", Real(1e-6, 1.0, log=True)),
        "l1_ratio": Hyperparameter(
            0.0, Real(0.0, 1.0), "0: ridge, 1: lasso, between: elastic net", Choice((0.0, 0.5, 1.0))
        ),
        "solver": Hyperparameter(
            "exact", Choice(("exact", "sgd")), "Cholesky or coordinate descent, or stochastic gradient descent"
        ),
        **SCHEDULE,
        "schedule": replace(SCHEDULE["schedule"], default="invscaling"),
    }
    portfolio = ({}, {"alpha": 0.03}, {"alpha": 1e-3, "l1_ratio": 1.0}, {"solver": "sgd", "schedule": "adaptive"})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Fit the standardised target by the chosen solver."""
        linear_model = import_library("sklearn.linear_model")
        alpha, l1_ratio = self.values["alpha"], self.values["l1_ratio"]
        centre, scale = target.mean(), target.std()
        if self.values["solver"] == "sgd":
            options = stochastic_gradient_options(self.values, self.seed)
            model = linear_model.SGDRegressor(alpha=alpha, l1_ratio=l1_ratio, **options)
        elif l1_ratio == 0 or alpha == 0:
            # At alpha 0 a trace of the penalty keeps collinear columns solvable.
            model = linear_model.Ridge(alpha=max(alpha, 1e-12) * len(target))
        else:
            model = linear_model.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, max_iter=2000)
        model.fit(features.astype(np.float64), (target - centre) / scale)

        def predict(rows: Features) -> Predictions:
            return np.asarray(model.predict(rows.astype(np.float64)) * scale + centre)

        form = Linear(model.coef_[:, None] * scale, np.reshape(model.intercept_ * scale + centre, 1), IDENTITY)
        return Fitted(form, predict, dict(self.values))
