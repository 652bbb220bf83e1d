"""Support vector machine: the widest margin in the space of a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.kernel import BOUND, Kernel
from headrace.ml.adapters.library_algorithm import LibraryAlgorithm, Rows
from headrace.ml.adapters.links import IDENTITY, NORMALISED_SIGMOID, SIGMOID, apply_link
from headrace.ml.adapters.platt import held_out_platt
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


class SupportVectorMachine(LibraryAlgorithm):
    """Classes one against the rest with Platt's probabilities, learnt on held-out rows; values by epsilon regression.

    Source: Chang and Lin, LIBSVM (2011). The time grows with the square of the rows.

    >>> import numpy as np
    >>> from headrace.ml.contract import Task
    >>> features = np.linspace(-2, 2, 60, dtype=np.float32)[:, None]
    >>> fitted = SupportVectorMachine(Task.BINARY, 2).fit(features, (np.abs(features[:, 0]) > 1).astype(int))
    >>> fitted.predict(np.array([[0.0], [1.8]], np.float32)).argmax(axis=1).tolist()
    [0, 1]
    """

    name = "support_vector_machine"
    title = "Support vector machine"
    tasks = SUPERVISED
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    largest = 8000
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "C": Hyperparameter(1.0, Real(1e-6, 1e6), "inverse strength of the penalty", Real(0.03, 100.0, log=True)),
        "kernel": Hyperparameter("rbf", Choice(("rbf", "poly", "linear")), "similarity", Choice(("rbf", "poly"))),
        "gamma": Hyperparameter(
            1.0, Real(1e-6, 1e3), "reach of a row, in units of 1 / (columns · variance)", Real(0.03, 10.0, log=True)
        ),
        "degree": Hyperparameter(2, Integer(1, 4), "poly: power"),
        "coef0": Hyperparameter(1.0, Real(0.0, 100.0), "poly: shift"),
        "epsilon": Hyperparameter(
            0.05,
            Real(0.0, 10.0),
            "values: errors below cost nothing, in standard deviations",
            Real(0.01, 0.5, log=True),
        ),
    }
    portfolio = ({}, {"C": 10.0, "gamma": 0.3}, {"kernel": "poly", "C": 0.1})
    quick: ClassVar[Mapping[str, Any]] = {}

    def fit_library(self, features: Features, target: Target, classes: int, validation: Rows | None) -> Fitted:  # noqa: ARG002
        """Fit LIBSVM for each output and gather the support vectors."""
        gamma = self.values["gamma"] / (features.shape[1] * max(float(features.var(dtype=np.float64)), 1e-12))
        link = IDENTITY if not classes else SIGMOID if classes == 2 else NORMALISED_SIGMOID
        if classes:
            scale, centre = held_out_platt(
                lambda x, y, rows: _decisions(self._fit_machines(x, y, gamma, classes), rows),
                features,
                target,
                self.seed,
            )
            machines = self._fit_machines(features, target, gamma, classes)
        else:
            centre, scale = np.array([target.mean()]), np.array([target.std()])
            machines = self._fit_machines(features, (target - centre) / scale, gamma, classes)

        def predict(rows: Features) -> Predictions:
            return apply_link(link, _decisions(machines, rows) * scale + centre)

        used = np.unique(np.concatenate([machine.support_ for machine in machines]))
        coefficients = np.zeros((len(used), len(machines)))
        for output, machine in enumerate(machines):
            coefficients[np.searchsorted(used, machine.support_), output] = machine.dual_coef_[0] * scale[output]
        intercepts = np.array([machine.intercept_[0] for machine in machines]) * scale + centre
        form = Kernel(
            vectors=_bounded(features)[used],
            coefficients=coefficients,
            intercepts=intercepts,
            kernel=self.values["kernel"],
            gamma=gamma,
            shift=float(self.values["coef0"]),
            degree=self.values["degree"],
            link=link,
        )
        return Fitted(form, predict, dict(self.values))

    def _fit_machines(self, features: Features, target: Target, gamma: float, classes: int) -> list[Any]:
        """Fit one machine, or one a class against the rest where there are three or more."""
        svm = import_library("sklearn.svm")
        options = {key: self.values[key] for key in ("C", "kernel", "degree", "coef0")}
        options |= {"gamma": gamma, "cache_size": 500}
        rows = _bounded(features)
        if not classes:
            return [svm.SVR(epsilon=self.values["epsilon"], **options).fit(rows, target)]
        if classes == 2:
            return [svm.SVC(**options).fit(rows, target)]
        return [svm.SVC(**options).fit(rows, target == code) for code in range(classes)]


def _decisions(machines: list[Any], rows: Features) -> Predictions:
    """Return decision values [rows, machines]."""
    bounded = _bounded(rows)
    decide = [getattr(machine, "decision_function", machine.predict) for machine in machines]
    return np.column_stack([decision(bounded) for decision in decide])


def _bounded(features: Features) -> Predictions:
    return np.clip(features, -BOUND, BOUND).astype(np.float64)
