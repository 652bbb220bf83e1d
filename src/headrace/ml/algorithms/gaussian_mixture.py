"""Gaussian mixture: clusters as normal distributions of their own size and shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from headrace.ml.adapters.memberships import Densities
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import (
    Algorithm,
    Choice,
    Features,
    Fitted,
    Hyperparameter,
    Integer,
    Predictions,
    Target,
    Task,
    View,
)


class GaussianMixture(Algorithm):
    """Expectation maximisation (scikit-learn); memberships are the posterior probabilities of the components.

    `shape` is full (any ellipse) or diag (along the columns); 1e-3 is added to every variance.

    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> features = np.concatenate([random.normal(0, 1, (50, 2)), random.normal(9, 1, (50, 2))]).astype(np.float32)
    >>> fitted = GaussianMixture(Task.CLUSTERING, clusters=2).fit(features)
    >>> codes = fitted.predict(features).argmax(axis=1)
    >>> bool((codes[:50] == codes[0]).all() and (codes[50:] == 1 - codes[0]).all())
    True
    """

    name = "gaussian_mixture"
    title = "Gaussian mixture"
    tasks = frozenset({Task.CLUSTERING})
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "clusters": Hyperparameter(2, Integer(1, 1000), "how many clusters"),
        "shape": Hyperparameter("full", Choice(("full", "diag")), "full: any ellipse; diag: along the columns"),
        "starts": Hyperparameter(2, Integer(1, 100), "random starts, of which the likeliest result is kept"),
    }

    def fit(
        self,
        features: Features,
        target: Target | None = None,  # noqa: ARG002
        validation: tuple[Features, Target] | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Fit on `features` [rows, columns]; `hyperparameters` gain `bic`, the information criterion of the fit."""
        mixture = import_library("sklearn.mixture")
        rows = np.asarray(features, np.float64)
        found = mixture.GaussianMixture(
            self.values["clusters"], covariance_type=self.values["shape"], reg_covar=1e-3,
            n_init=self.values["starts"], random_state=self.seed,
        ).fit(rows)  # fmt: skip
        scales = found.precisions_cholesky_
        if scales.ndim == 2:
            scales = np.stack([np.diag(row) for row in scales])
        determinants = np.log(np.abs(np.diagonal(scales, axis1=1, axis2=2))).sum(axis=1)
        form = Densities(found.means_, scales, np.log(np.maximum(found.weights_, 1e-300)) + determinants)

        def predict(new: Features) -> Predictions:
            return np.asarray(found.predict_proba(np.asarray(new, np.float64)))

        return Fitted(form, predict, self.values | {"bic": float(found.bic(rows))})
