"""Random cut forest: how soon random cuts part a row from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from headrace.ml.algorithms.random_cut_forest.forest import LIMITS, Forest
from headrace.ml.contract import Algorithm, Features, Fitted, Hyperparameter, Integer, Target, Task, View
from headrace.ml.errors import DataError

__all__ = ["Forest", "RandomCutForest"]


class RandomCutForest(Algorithm):
    """Scores rows by how strange they are, learnt without a target; `Forest` does the same over a stream.

    >>> import numpy as np
    >>> features = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    >>> fitted = RandomCutForest(Task.ANOMALY_DETECTION).fit(features)
    >>> usual, strange = fitted.predict(np.array([[0, 0], [9, 9]], np.float32))
    >>> bool(strange > 3 * usual)
    True
    """

    name = "random_cut_forest"
    title = "Random cut forest"
    tasks = frozenset({Task.ANOMALY_DETECTION})
    view = View.SCALED
    takes_missing = False
    module = "numba"
    hyperparameters: ClassVar[Mapping[str, Hyperparameter]] = {
        "num_trees": Hyperparameter(
            50, LIMITS["num_trees"], "trees; more make scores steadier", Integer(50, 1000, log=True)
        ),
        "num_samples_per_tree": Hyperparameter(
            256,
            LIMITS["num_samples_per_tree"],
            "rows a tree keeps; its inverse should be about the share of anomalies",
            Integer(16, 2048, log=True),
        ),
    }
    quick: ClassVar[Mapping[str, Any]] = {"num_trees": 10, "num_samples_per_tree": 64}

    def fit(
        self,
        features: Features,
        target: Target | None = None,  # noqa: ARG002
        validation: tuple[Features, Target] | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Let each tree take a uniform sample of the rows; target and validation rows are not looked at."""
        if np.ndim(features) != 2 or not np.size(features):
            raise DataError(f"{self.name} was given features of shape {np.shape(features)}; give [rows, columns]")
        forest = Forest(
            np.shape(features)[1],
            **self.values,
            time_decay=0,
            output_after=1,
            initial_accept_fraction=1,
            seed=self.seed,
        )
        forest.update(features)
        return Fitted(forest.form(), forest.score, dict(self.values))
