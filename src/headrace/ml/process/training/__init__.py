"""Step 7, training: fitted candidates, tuned, and the ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.contract import Form, Predictions, View

if TYPE_CHECKING:  # worker processes import this package, and none of the tables
    from headrace.ml.process.business_problem import BusinessProblem
    from headrace.ml.process.feature_engineering import FeatureEngineering, FittedPlan
    from headrace.ml.process.preparation import Preparation, Rows
    from headrace.ml.process.problem_framing import ProblemFraming
    from headrace.ml.process.progress import Progress
    from headrace.ml.process.training.calibration import Calibration
    from headrace.ml.process.training.intervals import Intervals
    from headrace.ml.process.training.pool import Workers
    from headrace.ml.process.training.prediction_sets import PredictionSets


@dataclass(frozen=True)
class Candidate:
    """One configuration that was tried.

    `score` is the framing's metric on held-out rows (out-of-fold training rows and the validation part pooled),
    `fold_scores` the score of every fold, `train_score` the same metric on the rows that the first fold was fitted on.
    `rows` is the number of those; `reason` says where they are a sample. `hyperparameters` are complete, as early
    stopping left them. `status` is fitted, stopped (out of time), pruned or failed, with its `reason`. `held_out` are
    predictions for `Training.held_out_rows` (probabilities [rows, classes] or values [rows]); `in_sample` those for
    `Preparation.train`, of the final model's members only, NaN for rows that it was neither fitted nor scored on.
    """

    name: str
    algorithm: str
    hyperparameters: Mapping[str, Any]
    view: View
    status: str
    score: float | None
    fold_scores: tuple[float, ...]
    train_score: float | None
    fit_seconds: float
    predict_microseconds: float | None
    rows: int
    held_out: Predictions | None = None
    in_sample: Predictions | None = None
    reason: str = ""


@dataclass(frozen=True)
class Member:
    """A model of the final ensemble, refitted on training plus validation rows."""

    candidate: str
    weight: float
    view: View
    form: Form


@dataclass(frozen=True)
class Training:
    """The result: every candidate, the chosen members, and what was left undone.

    `held_out_rows` are the positions in the preparation's frame for which held-out predictions exist, in rising order:
    the rows that the folds are scored on, and the validation part (of a hold-out plan, that part alone). `held_out` are
    the ensemble's predictions for them, each by models that did not see the row; `in_sample` its predictions for
    `train` by models that did. `learning_curve`: [{rows, train_score, validation_score}]; `bias_variance`: {loss, bias,
    variance, error, …}. `ensemble_path`: [{members, score, microseconds}], what each number of members would reach and
    take a row. `plan` is fitted on the rows that the members were fitted on: training and validation part, or
    where not `refitted` the first fold's. `calibration` and `conformal` come after the fits: from then on `held_out`
    and `in_sample` are calibrated.
    """

    candidates: tuple[Candidate, ...]
    members: tuple[Member, ...]
    plan: FittedPlan
    held_out_rows: Rows
    held_out: Predictions
    in_sample: Predictions
    baseline_held_out: Predictions
    baseline_form: Form
    learning_curve: tuple[Mapping[str, Any], ...]
    bias_variance: Mapping[str, Any]
    refitted: bool
    notes: tuple[str, ...]
    ensemble_path: tuple[Mapping[str, Any], ...] = ()
    calibration: Calibration | None = None
    conformal: Intervals | PredictionSets | None = None


def train_models(
    preparation: Preparation,
    framing: ProblemFraming,
    business: BusinessProblem,
    engineering: FeatureEngineering,
    *,
    seed: int,
    trials: int | None,
    workspace: Path,
    progress: Progress,
    workers: Workers | None = None,
) -> Training:
    """Fit the portfolio, tune, choose the ensemble and refit it, all inside the budget.

    `workspace` keeps what resuming needs: fits found there are not done again. `workers` may be started early by
    `pool.start_workers(workspace)`; they are closed when training ends. With `trials` and no budget, exactly so many
    configurations are tried and the whole run repeats.
    """
    from headrace.ml.process.training.job import train
    from headrace.ml.process.training.pool import start_workers

    with workers or start_workers(workspace) as started:
        return train(
            preparation,
            framing,
            business,
            engineering,
            seed=seed,
            trials=trials,
            workspace=workspace,
            progress=progress,
            workers=started,
        )
