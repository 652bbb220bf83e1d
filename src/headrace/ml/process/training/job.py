"""The whole of training, in order: baseline, search, ensemble, final fits, diagnosis, record."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.algorithms import ALGORITHMS, find_algorithm
from headrace.ml.contract import Algorithm, Form, Predictions
from headrace.ml.errors import OptionError
from headrace.ml.metrics import find_metric
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.feature_engineering import FeatureEngineering
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.process.training import Candidate, Member, Training
from headrace.ml.process.training.diagnosis import diagnose
from headrace.ml.process.training.enlarging import enlarge
from headrace.ml.process.training.ensemble import mix, rank_trials, select_members
from headrace.ml.process.training.limits import choose_limits
from headrace.ml.process.training.money import choose_by_money
from headrace.ml.process.training.pool import Workers
from headrace.ml.process.training.refit import Final, refit_members
from headrace.ml.process.training.search import Race
from headrace.ml.process.training.setting import Setting, count_classes
from headrace.ml.process.training.timetable import Timetable
from headrace.ml.process.training.trial import Trial, as_candidate

BASELINE = "baseline"
SURELY = 0.7
"""Of the time left, what the members' final fits are planned to take."""
KEPT_BYTES = 256 * 2**20
"""Held-out predictions that the record keeps; those of the worst candidates are let go first."""


def train(
    preparation: Preparation,
    framing: ProblemFraming,
    business: BusinessProblem,
    engineering: FeatureEngineering,
    *,
    seed: int,
    trials: int | None,
    workspace: Path,
    progress: Progress,
    workers: Workers,
) -> Training:
    """See `train_models`; `workers` are running."""
    if trials is not None and trials < 1:
        raise OptionError(f"the number of trials must be at least 1, not {trials}; pass --trials 1 or more")
    _tidy(workspace)
    charter = business.charter
    classes = count_classes(preparation, framing.classes)
    algorithms, notes = _algorithms(framing, preparation, interpretable=charter.interpretability == "required")
    most = max(len(fit) for fit, _ in preparation.folds)
    names, columns, folds = [each.name for each in algorithms], len(preparation.columns), len(preparation.folds)
    limits = choose_limits(progress.affordable(), most, columns, classes, folds, names)
    setting = Setting(
        preparation,
        engineering,
        find_metric(framing.metric, preparation.task),
        classes,
        algorithms,
        limits,
        seed,
        workspace,
        workers,
        Timetable(progress, workers.count),
    )
    race = Race(setting, trials=trials if trials is not None or progress.budget is not None else 30, progress=progress)
    tried = race.run()
    notes += _limit_notes(setting, most)
    baseline = _Baseline(setting)
    progress.tell("choosing the ensemble")
    left = setting.timetable.left() - setting.timetable.diagnosis()
    selection = select_members(
        tried,
        setting.held_target,
        setting.metric,
        baseline.score,
        latency_limit_ms=charter.latency_limit_ms,
        single=charter.interpretability == "required",
        classes=classes,
        seed=seed,
        columns=len(preparation.columns),
        seconds=SURELY * left * workers.count / race.growth(),
    )
    if not (weights := dict(selection.weights)):
        return baseline.training(setting, tried, notes)
    weights, said = choose_by_money(charter, preparation.task, tried, weights, setting.held_target, setting.metric)
    notes += said
    members = [trial for trial in tried if trial.name in weights]
    progress.tell(f"fitting {', '.join(weights)} on training and validation part")
    matrices, note = enlarge(setting, race.final, members)
    notes += (note,) if note else ()
    final = refit_members(setting, members, weights, matrices)
    progress.tell("measuring how the best configuration learns")
    curve, bias_variance = diagnose(setting, rank_trials(tried, setting.metric)[0])
    record = _record(setting, tried, baseline, weights, final, curve, bias_variance, notes)
    return replace(record, ensemble_path=selection.path)


def _tidy(workspace: Path) -> None:
    """Remove what a run that was broken off left half-written."""
    for folder in (workspace / "fits", workspace / "data"):
        for left in folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)


def _algorithms(
    framing: ProblemFraming, preparation: Preparation, *, interpretable: bool
) -> tuple[tuple[type[Algorithm], ...], tuple[str, ...]]:
    """The shortlist as classes, without those that are not installed or not allowed."""
    names = [name for name, _ in framing.shortlist if name != BASELINE]
    listed = [find_algorithm(name) for name in names]
    fitting = [each for each in listed if preparation.task in each.tasks]
    if interpretable:
        fitting = [each for each in fitting if each.interpretable]
    installed = [each for each in fitting if each.available()]
    absent = [each.name for each in fitting if each not in installed]
    notes: tuple[str, ...] = ()
    if absent:
        notes = (f"not tried because their library is not installed: {', '.join(absent)}",)
    if not installed:
        installed = [
            each
            for each in map(find_algorithm, ALGORITHMS)
            if preparation.task in each.tasks and each.available() and (each.interpretable or not interpretable)
            if each.name != BASELINE
        ]
        notes += ("the shortlist has no algorithm that can be used here, so all that can are tried",)
    return tuple(installed), notes


def _limit_notes(setting: Setting, most: int) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if setting.limits.rows is not None and setting.limits.rows < most:
        notes += (f"to keep the budget, models are fitted on a sample of {setting.limits.rows:,} of {most:,} rows",)
    planned = len(setting.preparation.folds)
    if setting.fold_count < planned:
        notes += (f"to keep the budget, {setting.fold_count} of the {planned} planned folds are used",)
    return notes


class _Baseline:
    """The simplest solution, fitted like every other candidate."""

    def __init__(self, setting: Setting) -> None:
        self.algorithm = find_algorithm(BASELINE)
        preparation, rows = setting.preparation, setting.held_rows
        target = preparation.target
        folds = preparation.folds[: setting.fold_count]
        total = np.zeros((len(rows), max(1, setting.classes)))
        count = np.zeros((len(rows), 1))
        scores = []
        for fit, scored in folds:
            _, value = self._fit(setting, fit)
            places = np.searchsorted(rows, np.union1d(scored, preparation.validation))
            total[places] += value
            count[places] += 1
            scores.append(self._score(setting, target[scored], np.repeat(value, len(scored), axis=0)))
        self.held_out = _shape(total / count, setting.classes)
        self.fold_scores = tuple(scores)
        self.score = self._score(setting, setting.held_target, self.held_out)
        self.form, value = self._fit(setting, setting.final_rows)
        self.in_sample = _shape(np.repeat(value, len(preparation.train), axis=0), setting.classes)

    def _fit(self, setting: Setting, rows: np.ndarray) -> tuple[Form, Predictions]:
        features = np.zeros((len(rows), 1), dtype=np.float32)
        algorithm = self.algorithm(setting.preparation.task, setting.classes, seed=setting.seed)
        fitted = algorithm.fit(features, setting.preparation.target[rows])
        return fitted.form, np.asarray(fitted.predict(features[:1]), dtype=np.float64).reshape(1, -1)

    def _score(self, setting: Setting, target: np.ndarray, predictions: Predictions) -> float:
        return float(setting.metric.score(target, _shape(predictions, setting.classes), 0.5))

    def candidate(self, setting: Setting) -> Candidate:
        """The baseline's record."""
        train = setting.preparation.target[setting.preparation.train]
        return Candidate(
            name=BASELINE,
            algorithm=BASELINE,
            hyperparameters={},
            view=setting.views[0],
            status="fitted",
            score=self.score,
            fold_scores=self.fold_scores,
            train_score=self._score(setting, train, self.in_sample),
            fit_seconds=0.0,
            predict_microseconds=None,
            rows=len(setting.folds[0].fit),
            held_out=self.held_out,
            in_sample=self.in_sample,
            reason="the simplest possible solution, for comparison",
        )

    def training(self, setting: Setting, tried: list[Trial], notes: tuple[str, ...]) -> Training:
        """The result where nothing else could be fitted."""
        reasons = {trial.reason for trial in tried if trial.reason}
        note = "no candidate could be fitted, so the baseline is the model"
        return Training(
            candidates=(self.candidate(setting), *(as_candidate(trial) for trial in tried)),
            members=(Member(BASELINE, 1.0, setting.views[0], self.form),),
            plan=setting.folds[0].plan,
            held_out_rows=setting.held_rows,
            held_out=self.held_out,
            in_sample=self.in_sample,
            baseline_held_out=self.held_out,
            baseline_form=self.form,
            learning_curve=(),
            bias_variance={},
            refitted=True,
            notes=(*notes, "; ".join([note, *sorted(reasons)])),
        )


def _shape(predictions: Predictions, classes: int) -> Predictions:
    return predictions if classes else predictions.reshape(-1)


def _record(
    setting: Setting,
    tried: list[Trial],
    baseline: _Baseline,
    weights: dict[str, float],
    final: Final,
    curve: tuple[Mapping[str, Any], ...],
    bias_variance: Mapping[str, Any],
    notes: tuple[str, ...],
) -> Training:
    kept = {name: weight for name, weight in weights.items() if name in final.forms}
    weights = {name: weight / sum(kept.values()) for name, weight in kept.items()}
    held_out = {trial.name: trial.held_out for trial in tried if trial.name in weights and trial.held_out is not None}
    views = {trial.name: trial.algorithm.view for trial in tried}
    _let_go(setting, tried, set(weights))
    return Training(
        candidates=(
            baseline.candidate(setting),
            *(as_candidate(trial, final.in_sample.get(trial.name)) for trial in tried),
        ),
        members=tuple(Member(name, weight, views[name], final.forms[name]) for name, weight in weights.items()),
        plan=final.plan,
        held_out_rows=setting.held_rows,
        held_out=mix(held_out, weights),
        in_sample=mix(final.in_sample, weights),
        baseline_held_out=baseline.held_out,
        baseline_form=baseline.form,
        learning_curve=curve,
        bias_variance=bias_variance,
        refitted=final.refitted,
        notes=(*notes, *final.notes),
    )


def _let_go(setting: Setting, tried: list[Trial], members: set[str]) -> None:
    """Drop the held-out predictions of the worst trials once all of them together need too much memory."""
    room = KEPT_BYTES
    ranked = rank_trials(tried, setting.metric)
    for trial in sorted(ranked, key=lambda trial: trial.name not in members):
        room -= 0 if trial.held_out is None else trial.held_out.nbytes
        if room < 0 and trial.name not in members:
            trial.held_out = None
