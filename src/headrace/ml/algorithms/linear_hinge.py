"""Linear support vector machine: the widest margin between classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.linear import Linear
from headrace.ml.adapters.links import NORMALISED_SIGMOID, SIGMOID, apply_link
from headrace.ml.adapters.platt import held_out_platt
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


class LinearHinge(LibraryAlgorithm):
    """Hinge or squared hinge loss with an L2 penalty (L1 or elastic net by `sgd`), one class against the rest.

    Probabilities are Platt's, learnt on held-out decision values.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> fitted = LinearHinge(Task.BINARY, 2).fit(features, (features[:, 0] > 0).astype(int))
    >>> fitted.predict(np.array([[-1.0], [1.0]], np.float32)).argmax(axis=1).tolist()
    [0, 1]
    """

    name = "linear_hinge"
    title = "Linear support vector machine"
    tasks = CLASSIFICATION
    view = View.SCALED
    takes_missing = False
    interpretable = True
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "C": Hyperparameter(0.1, Real(1e-6, 1e6), "inverse strength of the penalty", Real(1e-3, 30.0, log=True)),
        "loss": Hyperparameter(
            "squared_hinge",
            Choice(("hinge", "squared_hinge")),
            "penalty of a row inside the margin",
            Choice(("hinge", "squared_hinge")),
        ),
        "solver": Hyperparameter("exact", Choice(("exact", "sgd")), "liblinear, or stochastic gradient descent"),
        "l1_ratio": Hyperparameter(0.0, Real(0.0, 1.0), "sgd: 0: L2, 1: L1, between: elastic net"),
        **SCHEDULE,
    }
    portfolio = ({}, {"C": 1.0, "loss": "hinge"}, {"solver": "sgd", "loss": "hinge", "C": 0.1})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Fit, and calibrate by fits that leave a third of the rows out."""
        slopes, offsets = held_out_platt(self._fit_decide, features, target, self.seed)
        model = self._fit_margin(features, target)
        link = SIGMOID if classes == 2 else NORMALISED_SIGMOID

        def predict(rows: Features) -> Predictions:
            return apply_link(link, _decisions(model, rows) * slopes + offsets)

        form = Linear(model.coef_.T * slopes, model.intercept_ * slopes + offsets, link)
        return Fitted(form, predict, dict(self.values))

    def _fit_decide(self, features: Features, target: Target, rows: Features) -> Predictions:
        return _decisions(self._fit_margin(features, target), rows)

    def _fit_margin(self, features: Features, target: Target) -> Any:
        if self.values["solver"] == "sgd":
            linear_model = import_library("sklearn.linear_model")
            options = stochastic_gradient_options(self.values, self.seed)
            alpha = 1 / (self.values["C"] * len(target))
            model = linear_model.SGDClassifier(
                loss=self.values["loss"], alpha=alpha, l1_ratio=self.values["l1_ratio"], **options
            )
        else:
            model = import_library("sklearn.svm").LinearSVC(
                C=self.values["C"],
                loss=self.values["loss"],
                dual=self.values["loss"] == "hinge" or features.shape[0] < features.shape[1],
                max_iter=2000,
                random_state=self.seed,
            )
        return model.fit(features.astype(np.float64), target)


def _decisions(model: Any, rows: Features) -> Predictions:
    """Return decision values [rows, 1] for two classes, else [rows, classes]."""
    return np.asarray(model.decision_function(rows.astype(np.float64))).reshape(len(rows), -1)
