"""Step 7, training: fitted candidates, tuned, and the ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.ml.contract import Form, Predictions, View
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.feature_engineering import FeatureEngineering, FittedPlan
from headrace.ml.process.preparation import Preparation, Rows
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress


@dataclass(frozen=True)
class Candidate:
    """One configuration that was tried.

    `score` is the framing's metric on held-out rows (out-of-fold training rows and the validation part pooled), `fold_scores` the score of every fold,
    `train_score` the same metric on rows it was fitted on. `status` is fitted, stopped (out of time), pruned or failed.
    `held_out` are predictions for `Training.held_out_rows` (probabilities [rows, classes] or values [rows]); `in_sample` for `Preparation.train`.
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

    `held_out_rows` are positions in the preparation's frame, all of train and validation; `held_out` the ensemble's predictions
    for them, none of which saw its own row; `in_sample` its predictions for `train` by models that did. `learning_curve`: [{rows, train_score, validation_score}];
    `bias_variance`: {bias, variance, noise…}. `plan` is fitted on the rows that the members were fitted on (`refitted` tells which).
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
) -> Training:
    """Fit the portfolio, tune, choose the ensemble and refit it, all inside the budget; `workspace` keeps what resuming needs."""
    raise NotImplementedError
