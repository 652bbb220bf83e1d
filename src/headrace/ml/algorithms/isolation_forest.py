"""Isolation forest: rows that few random splits part from the rest are strange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.adapters.isolation import Isolation, average_depth
from headrace.ml.adapters.links import IDENTITY
from headrace.ml.adapters.sklearn_trees import sklearn_tree
from headrace.ml.adapters.threads import import_library
from headrace.ml.adapters.trees import join_trees
from headrace.ml.contract import Algorithm, Features, Fitted, Hyperparameter, Integer, Predictions, Target, Task, View


class IsolationForest(Algorithm):
    """Scores rows from 0 to 1 by how soon random splits isolate them (Liu, Ting and Zhou 2008; scikit-learn).

    >>> import numpy as np
    >>> features = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    >>> fitted = IsolationForest(Task.ANOMALY_DETECTION, trees=50).fit(features)
    >>> usual, strange = fitted.predict(np.array([[0, 0], [9, 9]], np.float32))
    >>> bool(usual < 0.5 < 0.7 < strange)
    True
    """

    name = "isolation_forest"
    title = "Isolation forest"
    tasks = frozenset({Task.ANOMALY_DETECTION})
    view = View.SCALED
    takes_missing = False
    module = "sklearn"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "trees": Hyperparameter(100, Integer(1, 10_000), "trees; more make scores steadier"),
        "samples": Hyperparameter(256, Integer(2, 100_000), "rows a tree is grown on"),
    }

    def fit(
        self,
        features: Features,
        target: Target | None = None,  # noqa: ARG002
        validation: tuple[Features, Target] | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Fit on `features` [rows, columns]; target and validation rows are not looked at."""
        ensemble = import_library("sklearn.ensemble")
        samples = min(self.values["samples"], len(features))
        found = ensemble.IsolationForest(
            n_estimators=self.values["trees"], max_samples=samples, random_state=self.seed, n_jobs=1
        ).fit(features)
        share = len(found.estimators_)
        trees = [sklearn_tree(one.tree_, _leaf_depths(one.tree_)[:, None] / share) for one in found.estimators_]
        form = Isolation(join_trees(trees, np.zeros(1), IDENTITY, centred=False), average_depth(samples))

        def predict(rows: Features) -> Predictions:
            return np.asarray(-found.score_samples(rows))

        return Fitted(form, predict, dict(self.values))


def _leaf_depths(tree: Any) -> np.ndarray[Any, Any]:
    """Return for each leaf its depth plus the depth expected below it of the rows that it holds."""
    depths = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # parents come before their children
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depths[child] = depths[node] + 1
    leaves = tree.children_left < 0
    below = np.array([average_depth(int(rows)) for rows in tree.n_node_samples[leaves]])
    return np.asarray(depths[leaves] + below)
