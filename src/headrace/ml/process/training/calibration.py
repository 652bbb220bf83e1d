"""Whether probabilities are corrected, and by which curve: chosen on rows that the curve was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headrace.ml.adapters.calibrators import Calibrator
from headrace.ml.contract import CLASSIFICATION, Predictions, Target
from headrace.ml.metrics import Metric, find_metric
from headrace.ml.metrics.calibration import calibration_error, reliability
from headrace.ml.metrics.metric import Values
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training
from headrace.ml.process.training.calibration_curves import (
    fit_beta,
    fit_isotonic,
    fit_one_versus_rest,
    fit_temperature,
)

FOLDS = 10
FEWER_FOLDS = 5
"""Of more than 5,000 rows, a fifth is enough to tell what the others taught."""
FEWEST_ROWS = 200
FEWEST_OF_CLASS = 20
"""With fewer held-out rows, or fewer of a class, a curve would follow chance, and nothing is corrected."""
FEWEST_FOR_STEPS = 1_000
"""Isotonic regression follows every bend of the data, and needs so many rows to tell them from chance."""
MOST_ROWS = 30_000
"""Curves are fitted and compared on at most so many held-out rows."""
FEWEST_ON_BUSY_MACHINE, SECONDS_A_CELL = 2_000, 7e-6
"""On a machine that has no time for more; and what a probability takes, on an idle core."""
MOST_DRAWN = 10
NONE = "none"

Fitter = Callable[[Target, Predictions], Calibrator]


@dataclass(frozen=True)
class Calibration:
    """What was chosen, with its evidence; `calibrator` is None where probabilities stay as they are.

    `methods`: [{name, log_loss, brier, calibration_error}], each by cross-fitting on `rows` held-out rows. `before` and
    `after`: [{class, points: [{predicted, observed, count}]}], the reliability on those rows.
    """

    method: str
    reason: str
    rows: int
    calibrator: Calibrator | None = None
    methods: tuple[Mapping[str, Any], ...] = ()
    before: tuple[Mapping[str, Any], ...] = ()
    after: tuple[Mapping[str, Any], ...] = ()


def calibrate(
    training: Training,
    preparation: Preparation,
    framing: ProblemFraming,
    *,
    seed: int,
    spares: Callable[[float], bool] = lambda _: True,
) -> Training:
    """Choose a calibrator and return the record with it, and with held-out predictions calibrated by cross-fitting.

    Each held-out row is corrected by a curve that was fitted without it, so that whatever is measured or chosen on
    these rows later is not flattered; the model gets the curve of all of them. Regression comes back as it is. `spares`
    tells whether there is time for so many seconds; where not, fewer rows are taken.
    """
    if framing.task not in CLASSIFICATION:
        return training
    target, given = preparation.target[training.held_out_rows], training.held_out
    most = MOST_ROWS
    while most > FEWEST_ON_BUSY_MACHINE and not spares(min(most, len(target)) * len(framing.classes) * SECONDS_A_CELL):
        most //= 2
    rows = _sampled(target, most, seed)
    found, cross_fitted = choose_calibration(
        framing.classes, target[rows], given[rows], find_metric(framing.metric, framing.task), seed=seed
    )
    if found.calibrator is None:
        return replace(training, calibration=found)
    held_out = found.calibrator.apply(given)
    held_out[rows] = cross_fitted
    in_sample = found.calibrator.apply(training.in_sample)
    return replace(training, calibration=found, held_out=held_out, in_sample=in_sample)


def choose_calibration(
    classes: tuple[str, ...], target: Target, given: Predictions, metric: Metric, *, seed: int
) -> tuple[Calibration, Predictions]:
    """Return the choice, and the probabilities [rows, classes] as it makes them, cross-fitted.

    The simplest curve is taken whose log loss is within one standard error (of the paired differences) of the best, and
    none where the best is not better by two. A way that makes the metric of the search worse is not taken.
    """
    if reason := _too_little(target, given, classes):
        return Calibration(NONE, reason, len(target)), given
    answers = {NONE: given}
    fitters = _fitters(target, len(classes))
    folds = _folds(target, seed)
    for name, fitter in fitters.items():
        answers[name] = _cross_fit(fitter, target, given, folds)
    losses = {name: _losses(target, answer) for name, answer in answers.items()}
    before = metric.score(target, given)
    allowed = [name for name, answer in answers.items() if name == NONE or _no_worse(metric, target, answer, before)]
    best = min(allowed, key=lambda name: losses[name].mean())
    chosen = next(name for name in allowed if _as_good(losses[name], losses[best], 2.0 if name == NONE else 1.0))
    figures = tuple(_figures(name, target, answer) for name, answer in answers.items())
    calibrator = None if chosen == NONE else fitters[chosen](target, given)
    record = Calibration(
        method=chosen,
        reason=_reason(chosen, best, figures, len(target)),
        rows=len(target),
        calibrator=calibrator,
        methods=figures,
        before=_reliability(classes, target, given),
        after=_reliability(classes, target, answers[chosen]) if calibrator else (),
    )
    return record, answers[chosen]


def _too_little(target: Target, given: Predictions, classes: tuple[str, ...]) -> str:
    rarest = int(np.bincount(target, minlength=len(classes)).min())
    if len(target) < FEWEST_ROWS:
        return f"not calibrated: {len(target):,} held-out rows are too few, {FEWEST_ROWS} are needed"
    if len(classes) == 2 and rarest < FEWEST_OF_CLASS:
        return (
            f"not calibrated: the rarer class has {rarest} of the held-out rows, and {FEWEST_OF_CLASS} are needed to "
            "tell a curve from chance"
        )
    if np.ptp(given, axis=0).max() < 1e-6:
        return "not calibrated: the model gives every row the same probabilities"
    return ""


def _fitters(target: Target, classes: int) -> dict[str, Fitter]:
    """Return the ways that these rows are enough for, the simplest first."""
    counts = np.bincount(target, minlength=classes)
    if classes == 2:
        found: dict[str, Fitter] = {"beta": fit_beta}
        if len(target) >= FEWEST_FOR_STEPS and counts.min() >= 5 * FEWEST_OF_CLASS:
            found["isotonic"] = fit_isotonic
        return found
    found = {"temperature": fit_temperature}
    if counts.min() >= FEWEST_OF_CLASS:
        found["one_versus_rest"] = fit_one_versus_rest
    return found


def _sampled(target: Target, most: int, seed: int) -> np.ndarray:
    if len(target) <= most:
        return np.arange(len(target))
    return np.sort(np.random.default_rng(seed).choice(len(target), most, replace=False))


def _folds(target: Target, seed: int) -> np.ndarray:
    """Deal the rows of each class out evenly."""
    order = np.random.default_rng(seed).permutation(len(target))
    order = order[np.argsort(target[order], kind="stable")]
    folds = np.empty(len(target), np.int64)
    folds[order] = np.arange(len(target)) % (FOLDS if len(target) <= 1_000 * FEWER_FOLDS else FEWER_FOLDS)
    return folds


def _cross_fit(fitter: Fitter, target: Target, given: Predictions, folds: np.ndarray) -> Predictions:
    answer = np.empty(given.shape)
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        answer[out] = fitter(target[~out], given[~out]).apply(given[out])
    return answer


def _losses(target: Target, answer: Predictions) -> Values:
    return np.asarray(-np.log(np.maximum(answer[np.arange(len(target)), target], 1e-15)))


def _as_good(losses: Values, best: Values, errors: float) -> bool:
    difference = losses - best
    return bool(difference.mean() <= errors * difference.std() / np.sqrt(len(losses)))


def _no_worse(metric: Metric, target: Target, answer: Predictions, before: float) -> bool:
    """Whether a way leaves the metric alone: two classes keep the order of the rows, more may lose one part in 500."""
    if answer.shape[1] == 2 or not metric.greater_is_better or not np.isfinite(before):
        return True
    return metric.score(target, answer) >= before - 0.002 * abs(before)


def _figures(name: str, target: Target, answer: Predictions) -> dict[str, Any]:
    hits = np.eye(answer.shape[1])[target]
    distance = ((answer - hits) ** 2).sum(axis=1).mean() / (2 if answer.shape[1] == 2 else 1)
    return {
        "name": name,
        "log_loss": float(_losses(target, answer).mean()),
        "brier": float(distance),
        "calibration_error": calibration_error(target, answer),
    }


def _reason(chosen: str, best: str, figures: tuple[dict[str, Any], ...], rows: int) -> str:
    by_name = {figure["name"]: figure for figure in figures}
    none, found = by_name[NONE], by_name[chosen]
    if chosen == NONE:
        return (
            f"left as they are: on {rows:,} held-out rows no curve lowers the log loss ({none['log_loss']:.4f}) beyond "
            "chance"
        )
    simpler = "" if chosen == best else f"; {best} is no better beyond chance"
    return (
        f"{chosen.replace('_', ' ')}: log loss {none['log_loss']:.4f} before and {found['log_loss']:.4f} after, "
        f"calibration error {none['calibration_error']:.3f} and {found['calibration_error']:.3f}, on {rows:,} held-out "
        f"rows, each corrected by a curve fitted without it{simpler}"
    )


def _reliability(classes: tuple[str, ...], target: Target, answer: Predictions) -> tuple[dict[str, Any], ...]:
    if answer.shape[1] == 2:
        codes = [1]
    else:
        codes = sorted(np.argsort(-np.bincount(target, minlength=len(classes)), kind="stable")[:MOST_DRAWN].tolist())
    return tuple(
        {"class": classes[code], "points": reliability(target == code, np.asarray(answer[:, code], np.float64))}
        for code in codes
    )
