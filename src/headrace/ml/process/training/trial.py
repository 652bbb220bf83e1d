"""One configuration under trial: the fits of its folds, and the candidate that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Algorithm, Predictions, Target
from headrace.ml.metrics import Metric
from headrace.ml.process.training import Candidate
from headrace.ml.process.training.fitting import Fit, read_predictions
from headrace.ml.process.training.matrices import Matrices

OPEN, FITTED, PRUNED, STOPPED, FAILED = "open", "fitted", "pruned", "stopped", "failed"


@dataclass
class Trial:
    """A configuration, its fits so far, and how it ended (`status`)."""

    index: int
    name: str
    algorithm: type[Algorithm]
    hyperparameters: Mapping[str, Any]
    rows: int | None = None
    fits: dict[int, Fit] = field(default_factory=dict)
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    running: dict[int, Future[dict[str, Any]]] = field(default_factory=dict)
    status: str = OPEN
    reason: str = ""
    score: float | None = None
    held_out: Predictions | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing more will be fitted for it."""
        return self.status != OPEN

    def fold_scores(self) -> tuple[float, ...]:
        """The score of each fold that was fitted."""
        return tuple(self.results[fold]["score"] for fold in sorted(self.results))

    def mean_seconds(self) -> float:
        """What a fold's fit took on average."""
        return float(np.mean([result["seconds"] for result in self.results.values()]))

    def refit_hyperparameters(self, growth: float) -> dict[str, Any]:
        """What to refit with: numbers that the folds found are averaged, and counts grow a little with the rows.

        `growth` is rows of the refit by rows of a fold; a count such as the number of trees grows with its fourth root.
        """
        found = [result["hyperparameters"] for result in self.results.values()]
        final = dict(found[0])
        for key, declared in self.algorithm.hyperparameters.items():
            values = [each[key] for each in found]
            asked = self.hyperparameters.get(key, declared.default)
            if all(value == asked for value in values) or not all(_is_number(value) for value in values):
                continue
            mean: Any = float(np.mean(values))
            if all(isinstance(value, int) for value in values):
                mean = max(1, round(mean * growth**0.25))
            final[key] = mean if declared.allowed.problem(mean) is None else values[0]
        return final


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def pool_predictions(
    workspace: Path, fits: Sequence[Fit], folds: Sequence[Matrices], rows: npt.NDArray[np.int64]
) -> Predictions:
    """Average the predictions of the folds' models for `rows`, none of which saw the row it predicts."""
    total: Predictions | None = None
    count = np.zeros(len(rows))
    for fit, fold in zip(fits, folds, strict=True):
        predictions = read_predictions(workspace, fit)
        if total is None:
            total = np.zeros((len(rows), *predictions.shape[1:]))
        places = np.searchsorted(rows, fold.held)
        total[places] += predictions
        count[places] += 1
    assert total is not None
    return total / count.reshape(-1, *[1] * (total.ndim - 1))


def score_trial(
    trial: Trial,
    workspace: Path,
    folds: Sequence[Matrices],
    rows: npt.NDArray[np.int64],
    target: Target,
    metric: Metric,
) -> None:
    """Pool the folds' predictions and set the trial's score; `target` belongs to `rows`."""
    trial.held_out = pool_predictions(workspace, [trial.fits[fold] for fold in range(len(folds))], folds, rows)
    trial.score = float(metric.score(target, trial.held_out, 0.5))
    trial.status = FITTED


def as_candidate(trial: Trial, in_sample: Predictions | None = None) -> Candidate:
    """The record of a closed trial."""
    results = [trial.results[fold] for fold in sorted(trial.results)]
    first = trial.results.get(0, {})
    found = first.get("hyperparameters", {**trial.hyperparameters})
    return Candidate(
        name=trial.name,
        algorithm=trial.algorithm.name,
        hyperparameters=found,
        view=trial.algorithm.view,
        status=trial.status,
        score=trial.score,
        fold_scores=trial.fold_scores(),
        train_score=first.get("train_score"),
        fit_seconds=sum(result["seconds"] for result in results),
        predict_microseconds=first.get("predict_microseconds"),
        rows=first.get("rows", 0),
        held_out=trial.held_out,
        in_sample=in_sample,
        reason=trial.reason,
    )
