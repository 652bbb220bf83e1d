"""What all parts of training share: the data of each fold, the metric, the workers, the limits and the clock."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Algorithm, Target, View
from headrace.ml.metrics import Metric
from headrace.ml.process.training.fitting import Fit
from headrace.ml.process.training.limits import Limits
from headrace.ml.process.training.matrices import Matrices, sample_rows, write_matrices
from headrace.ml.process.training.pool import Workers
from headrace.ml.process.training.timetable import Timetable

if TYPE_CHECKING:
    from headrace.ml.process.feature_engineering import FeatureEngineering
    from headrace.ml.process.preparation import Preparation, Rows


@dataclass
class Setting:
    """The fixed surroundings of a search; folds are written when they are first needed."""

    preparation: Preparation
    engineering: FeatureEngineering
    metric: Metric
    classes: int
    algorithms: tuple[type[Algorithm], ...]
    limits: Limits
    seed: int
    workspace: Path
    workers: Workers
    timetable: Timetable
    folds: list[Matrices] = field(default_factory=list)
    seconds_a_row: float = 0.0
    """What writing the last matrices took, by their rows."""

    @property
    def fold_count(self) -> int:
        """How many of the planned folds are used."""
        return min(len(self.preparation.folds), self.limits.folds or len(self.preparation.folds))

    @property
    def views(self) -> tuple[View, ...]:
        """The views that the algorithms read."""
        return tuple(sorted({each.view for each in self.algorithms}))

    @property
    def held_rows(self) -> Rows:
        """The rows that held-out predictions exist for."""
        scored = [self.preparation.folds[fold][1] for fold in range(self.fold_count)]
        return np.unique(np.concatenate([*scored, self.preparation.validation])).astype(np.int64)

    @property
    def held_target(self) -> Target:
        """The target of `held_rows`."""
        return self.preparation.target[self.held_rows]

    @property
    def final_rows(self) -> Rows:
        """The rows that the final model is fitted on: training and validation part, sampled where a fold is."""
        rows = np.union1d(self.preparation.train, self.preparation.validation).astype(np.int64)
        most = None if self.limits.rows is None else int(self.limits.rows * 1.25)
        return sample_rows(rows, self.preparation.target, most, classes=self.classes, seed=self.seed)

    def prepare_fold(self) -> None:
        """Write the matrices of the next fold."""
        fit, scored = self.preparation.folds[len(self.folds)]
        rows = sample_rows(fit, self.preparation.target, self.limits.rows, classes=self.classes, seed=self.seed)
        self.folds.append(self._write(rows, scored, self.preparation.validation))

    def prepare_final(self) -> Matrices:
        """Write the matrices of the rows that the final model is fitted on."""
        nothing = np.empty(0, np.int64)
        return self._write(self.final_rows, nothing, nothing)

    def _write(self, fit: Rows, scored: Rows, validation: Rows) -> Matrices:
        began = time.monotonic()
        written = write_matrices(
            self.workspace,
            self.preparation,
            self.engineering,
            fit=fit,
            scored=scored,
            validation=validation,
            views=self.views,
            classes=self.classes,
            seed=self.seed,
        )
        self.seconds_a_row = (time.monotonic() - began) / max(1, len(written.fit) + len(written.held))
        return written

    def fit_of(self, algorithm: type[Algorithm], hyperparameters: Mapping[str, Any], data: Matrices, **how: Any) -> Fit:
        """Describe a fit; its seed follows from the run's seed and the configuration."""
        identity = json.dumps([self.seed, algorithm.name, dict(hyperparameters)], sort_keys=True)
        seed = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=4).digest()) >> 1
        return Fit(
            algorithm.name,
            self.preparation.task.value,
            self.classes,
            seed,
            dict(hyperparameters),
            data.name,
            algorithm.view.value,
            self.metric.name,
            **how,
        )


def count_classes(preparation: Preparation, labels: tuple[str, ...]) -> int:
    """The number of classes; 0 for regression."""
    return len(labels) if preparation.task in CLASSIFICATION else 0
