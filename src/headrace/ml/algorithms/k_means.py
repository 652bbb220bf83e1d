"""K-means: clusters about centres, each row to the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from headrace.ml.adapters.memberships import Densities
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import Algorithm, Features, Fitted, Hyperparameter, Integer, Predictions, Target, Task, View


class KMeans(Algorithm):
    """Lloyd's algorithm from k-means++ starts (scikit-learn); memberships are those of equal, round clusters.

    >>> import numpy as np
    >>> features = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], np.float32)
    >>> fitted = KMeans(Task.CLUSTERING, clusters=2).fit(features)
    >>> codes = fitted.predict(features).argmax(axis=1)
    >>> bool(codes[0] == codes[1] != codes[2] == codes[3])
    True
    """

    name = "k_means"
    title = "K-means"
    tasks = frozenset({Task.CLUSTERING})
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "clusters": Hyperparameter(2, Integer(1, 1000), "how many clusters"),
        "starts": Hyperparameter(3, Integer(1, 100), "random starts, of which the tightest result is kept"),
    }

    def fit(
        self,
        features: Features,
        target: Target | None = None,  # noqa: ARG002
        validation: tuple[Features, Target] | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Fit on `features` [rows, columns]; target and validation rows are not looked at."""
        cluster = import_library("sklearn.cluster")
        rows = np.asarray(features, np.float64)
        found = cluster.KMeans(self.values["clusters"], n_init=self.values["starts"], random_state=self.seed).fit(rows)
        centres, columns = found.cluster_centers_, rows.shape[1]
        deviation = max(float(np.sqrt(found.inertia_ / max(1, rows.size))), 1e-3)
        form = Densities(centres, np.tile(np.eye(columns) / deviation, (len(centres), 1, 1)), np.zeros(len(centres)))

        def predict(new: Features) -> Predictions:
            return softmax(-0.5 * found.transform(np.asarray(new, np.float64)) ** 2 / deviation**2)

        return Fitted(form, predict, dict(self.values))


def softmax(values: Predictions) -> Predictions:
    """Exponentiate and norm each row to 1."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
