"""Step 8, evaluation: metrics with intervals, curves, bias and variance, explanations."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import MOST_ROWS, find_metric
from headrace.ml.metrics.calibration import calibration_error
from headrace.ml.process.evaluation.allowance import Allowance
from headrace.ml.process.evaluation.confusions import confused_pictures
from headrace.ml.process.evaluation.coverage import measure_coverage
from headrace.ml.process.evaluation.curves import classification_curves
from headrace.ml.process.evaluation.explanations import explain_predictions
from headrace.ml.process.evaluation.fairness import sensitive_groups
from headrace.ml.process.evaluation.fitting import judge_fitting, read_bias_variance
from headrace.ml.process.evaluation.groups import Measured, segments
from headrace.ml.process.evaluation.importance import permutation_importance
from headrace.ml.process.evaluation.learning_curve import read_learning_curve
from headrace.ml.process.evaluation.measures import constant_predictions, intervals_of, metrics_of, score_all
from headrace.ml.process.evaluation.residuals import residual_curves
from headrace.ml.process.evaluation.slices import segmented
from headrace.ml.process.evaluation.weak_segments import Judged, find_weak_segments
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training
from headrace.ml.tables.columns import CONTENT, Column, ColumnKind

_SEGMENTED_COLUMNS = 5
_ENOUGH_KNOWN = 0.2
_SECONDS_OF_SEGMENTS = 0.2
"""To find the weak segments and to measure them, on an idle core."""


@dataclass(frozen=True)
class Evaluation:
    """What the model reaches; everything but `test_predictions` is plain JSON data.

    `metrics`: part (train, validation, test) → metric → value. `intervals`: metric → [low, high] (95 %, bootstrap, test
    part). `baseline`: {name, metrics}, on the test part. `curves`: roc, precision_recall, calibration, gain ([{class,
    points}]) and confusion_matrix, or residuals (regression). `learning_curve`, `bias_variance`, `segments` and
    `sensitive_groups`: as drawn in the report. `fitting`: {verdict: good | overfitting | underfitting, evidence,
    learning_curve: {slope, reading}}. `importance`: [{column, importance, std}] by permutation, on the test part;
    `explanations`: [{row, why, prediction, base, contributions: [{column, value, contribution}]}]. `coverage`:
    {measured, low, high, meant, rows, …} of intervals or prediction sets; `calibration_error` of the probabilities.
    `notes`: what was left out, a sentence each. `weak_segments`: where the model fails worst, see `find_weak_segments`.
    `confusions`: [{title, rows, image}], pictures of the classes that are confused most.
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]]
    baseline: Mapping[str, Any]
    curves: Mapping[str, Any]
    learning_curve: tuple[Mapping[str, Any], ...]
    bias_variance: Mapping[str, Any]
    fitting: Mapping[str, Any]
    segments: tuple[Mapping[str, Any], ...]
    sensitive_groups: tuple[Mapping[str, Any], ...]
    importance: tuple[Mapping[str, Any], ...]
    explanations: tuple[Mapping[str, Any], ...]
    test_predictions: Predictions
    coverage: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weak_segments: tuple[Mapping[str, Any], ...] = ()
    calibration_error: float | None = None
    confusions: tuple[Mapping[str, Any], ...] = ()


def evaluate_model(
    preparation: Preparation,
    framing: ProblemFraming,
    training: Training,
    model: Any,
    *,
    sensitive: tuple[str, ...],
    private: frozenset[str],
    seed: int,
    seconds: float,
    slowdown: float = 1.0,
) -> Evaluation:
    """Measure the compiled `model` (prediction.Model) once on the untouched test part, in about `seconds`.

    `slowdown` is how much longer work takes at the moment than on an idle core. Where time is short there are fewer
    resamples, then parts are left out; `notes` says which. Values of `private` columns appear nowhere.
    """
    allowance = Allowance(seconds, slowdown)
    frame, target = preparation.frame[preparation.test], preparation.target[preparation.test]
    began = time.monotonic()
    predictions = model.predict_frame(frame)
    allowance.seconds_a_row = (time.monotonic() - began) / max(frame.height, 1)
    threshold = 0.5 if model.manifest.threshold is None else float(model.manifest.threshold)
    metric = find_metric(framing.metric, framing.task)
    figures = _figures(preparation, framing, training, model, predictions, threshold, seed, allowance)
    if framing.task is Task.REGRESSION:
        curves = residual_curves(target, predictions, seed=seed)
    else:
        curves = classification_curves(framing.classes, target, predictions, threshold)
    measured = Measured(framing.task, target, predictions, metric, threshold, seed)
    groups = _sensitive(preparation, frame, sensitive, private, measured, allowance)
    names = [column.name for column in training.plan.columns]
    importance = permutation_importance(model, frame, target, metric, threshold, names, seed=seed, allowance=allowance)
    worst = []
    if allowance.allows("Segments"):
        worst = segments(frame, _segmentable(preparation, importance, private), measured)
    weak = []
    if allowance.allows("Where the model fails worst", _SECONDS_OF_SEGMENTS * slowdown):
        held = training.held_out_rows
        weak = find_weak_segments(
            Judged(preparation.frame[held], preparation.target[held], training.held_out),
            Judged(frame, target, predictions), preparation.frame[preparation.train],
            segmented(preparation.columns, private), framing.task, metric, threshold, seed=seed,
        )  # fmt: skip
    explanations = explain_predictions(
        model, preparation, predictions, threshold, private, seed=seed, allowance=allowance
    )
    confusions = confused_pictures(preparation, predictions, framing.classes, threshold, private, allowance)
    return Evaluation(
        **figures,
        curves=curves,
        learning_curve=training.learning_curve,
        segments=tuple(worst),
        sensitive_groups=tuple(groups),
        importance=tuple(importance),
        explanations=tuple(explanations),
        test_predictions=predictions,
        coverage=measure_coverage(model, frame, target, predictions),
        calibration_error=None if framing.task is Task.REGRESSION else calibration_error(target, predictions),
        notes=tuple(allowance.notes),
        weak_segments=tuple(weak),
        confusions=confusions,
    )


def _figures(
    preparation: Preparation,
    framing: ProblemFraming,
    training: Training,
    model: Any,
    predictions: Predictions,
    threshold: float,
    seed: int,
    allowance: Allowance,
) -> dict[str, Any]:
    """Return those fields of `Evaluation` that say how good the model is, and how well it generalises."""
    metric = find_metric(framing.metric, framing.task)
    metrics = metrics_of(framing.task, len(preparation.target), len(framing.classes))
    parts = {
        "train": _training_part(preparation, training, model),
        "validation": (preparation.target[training.held_out_rows], training.held_out),
        "test": (preparation.target[preparation.test], predictions),
    }
    target = parts["test"][0]
    baseline = constant_predictions(training.baseline_held_out, len(target))
    intervals = intervals_of(metrics, target, predictions, threshold, seed=seed, allowance=allowance)
    replicates = allowance.replicates(min(len(training.held_out_rows), MOST_ROWS), 1.0, most=200)
    fitting = judge_fitting(
        metric, parts["train"], parts["validation"], training.baseline_held_out, threshold,
        seed=seed, replicates=replicates,
    )  # fmt: skip
    learning = read_learning_curve(training.learning_curve, metric)
    reading = read_bias_variance(training.bias_variance)
    return {
        "metrics": {part: score_all(metrics, *rows, threshold) for part, rows in parts.items()},
        "intervals": intervals,
        "baseline": {"name": framing.baseline, "metrics": score_all(metrics, target, baseline, threshold)},
        "bias_variance": {**training.bias_variance, **({"reading": reading} if reading else {})},
        "fitting": {**fitting, **({"learning_curve": learning} if learning else {})},
    }


def _training_part(preparation: Preparation, training: Training, model: Any) -> tuple[Target, Predictions]:
    """Return target and predictions of the training rows that every member was fitted on, or of a sample of them."""
    known = np.isfinite(training.in_sample).reshape(len(training.in_sample), -1).all(axis=1)
    if known.mean() >= _ENOUGH_KNOWN:
        return preparation.target[preparation.train[known]], training.in_sample[known]
    rows = preparation.train[:: -(-len(preparation.train) // MOST_ROWS)]
    return preparation.target[rows], model.predict_frame(preparation.frame[rows])


def _segmentable(preparation: Preparation, importance: list[dict[str, Any]], private: frozenset[str]) -> list[Column]:
    """Return the most important columns whose groups may be shown."""
    columns = {column.name: column for column in preparation.columns}
    ranked = [columns[row["column"]] for row in importance if row["importance"] > 0 and row["column"] not in private]
    return [column for column in ranked if column.kind not in CONTENT][:_SEGMENTED_COLUMNS]


def _sensitive(
    preparation: Preparation,
    frame: pl.DataFrame,
    sensitive: tuple[str, ...],
    private: frozenset[str],
    measured: Measured,
    allowance: Allowance,
) -> list[dict[str, Any]]:
    """Compare the groups of the sensitive columns, whether the model reads them or not."""
    aside = preparation.aside[preparation.test] if preparation.aside.width else preparation.aside
    kinds = {column.name: column.kind for column in preparation.columns}
    columns, values = [], []
    for name in sensitive:
        if name in private:
            allowance.notes.append(f"Groups of '{name}' are not shown: its values are personal.")
            continue
        series = frame[name] if name in frame.columns else aside[name] if name in aside.columns else None
        if series is None:
            allowance.notes.append(f"Groups of '{name}' cannot be compared: the column was dropped.")
            continue
        kind = kinds.get(name, ColumnKind.CATEGORY if series.dtype == pl.String else ColumnKind.NUMBER)
        columns.append(Column(name, kind))
        values.append(series)
    return sensitive_groups(pl.DataFrame(values), columns, measured)
