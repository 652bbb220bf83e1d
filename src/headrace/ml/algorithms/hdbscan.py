"""HDBSCAN: clusters as crowds of any shape, and rows that belong to none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from headrace.ml.adapters.memberships import NearestMember
from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import Algorithm, Features, Fitted, Hyperparameter, Integer, Predictions, Target, Task, View
from headrace.ml.errors import DataError

MOST_MEMBERS = 1_000
"""Members kept to place new rows by."""


class Hdbscan(Algorithm):
    """Hierarchical density-based clusters (Campello, Moulavi and Sander 2013; scikit-learn); the last code is none.

    New rows are placed approximately: by the nearest of at most 1,000 members, none where that is further away than
    nearly all (99 %) members of its cluster are from their nearest.

    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> features = np.concatenate([random.normal(0, 1, (60, 2)), random.normal(20, 1, (60, 2))]).astype(np.float32)
    >>> fitted = Hdbscan(Task.CLUSTERING, smallest=10).fit(features)
    >>> fitted.predict(np.array([[0, 0], [20, 20], [99, 0]], np.float32)).shape
    (3, 3)
    """

    name = "hdbscan"
    title = "HDBSCAN"
    tasks = frozenset({Task.CLUSTERING})
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    largest = 5_000
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "smallest": Hyperparameter(10, Integer(2, 1_000_000), "rows that a crowd needs to be a cluster")
    }

    def fit(
        self,
        features: Features,
        target: Target | None = None,  # noqa: ARG002
        validation: tuple[Features, Target] | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Fit on `features` [rows, columns]; raises DataError where no crowd is dense enough."""
        cluster, neighbors = import_library("sklearn.cluster"), import_library("sklearn.neighbors")
        rows = np.asarray(features, np.float64)
        codes = cluster.HDBSCAN(min_cluster_size=self.values["smallest"], copy=True).fit_predict(rows)
        count = int(codes.max()) + 1
        if count < 1:
            raise DataError(f"no {self.values['smallest']} rows crowd together; ask for smaller clusters")
        held = np.flatnonzero(codes >= 0)
        kept = np.sort(np.random.default_rng(self.seed).permutation(held)[:MOST_MEMBERS])
        nearest = neighbors.NearestNeighbors(n_neighbors=2).fit(rows[kept])
        distances = nearest.kneighbors(rows[held], 2)[0]
        apart = np.where(distances[:, 0] < 1e-9, distances[:, 1], distances[:, 0])
        reaches = np.array([np.quantile(apart[codes[held] == code], 0.99) for code in range(count)]) ** 2 + 1e-9
        form = NearestMember(rows[kept], codes[kept].astype(np.int64), reaches[codes[kept]], count)

        def predict(new: Features) -> Predictions:
            distance, place = nearest.kneighbors(np.asarray(new, np.float64), 1)
            found = codes[kept][place[:, 0]]
            found = np.where(distance[:, 0] ** 2 <= reaches[found], found, count)
            return np.asarray(np.eye(count + 1)[found])

        return Fitted(form, predict, dict(self.values))
