"""The model at work on new rows: its predictions, the true values, and what it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import CLASSIFICATION, SUPERVISED, Predictions, Target, Task
from headrace.ml.errors import InputError
from headrace.ml.metrics import METRICS, default_metric
from headrace.ml.monitoring.columns import compare_predictions
from headrace.ml.monitoring.findings import ColumnChange, Finding, Level
from headrace.ml.monitoring.performance import (
    Performance,
    drop_p_value,
    expected_performance,
    judging_metrics,
    measure_performance,
    worse_by,
)
from headrace.ml.monitoring.reference import describe_predictions, describe_target
from headrace.ml.prediction.baseline import PerformanceBaseline

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.prediction.model import Model
    from headrace.ml.tables.table import Table

FEWEST_LABELS = 30
_WIDTH = 2 * 1.96
_SUSPICIOUS = 0.001


@dataclass(frozen=True)
class Told:
    """What could be told of predictions and performance."""

    findings: tuple[Finding, ...] = ()
    predictions: ColumnChange | None = None
    target: ColumnChange | None = None
    measured: tuple[Performance, ...] = ()
    estimated: tuple[Performance, ...] = ()
    notes: tuple[str, ...] = ()


def judge_predictions(
    model: Model, table: Table, typed: Mapping[str, pl.Series], target: str | None, seed: int
) -> Told:
    """Predict the typed rows, and compare the predictions and what can be told of the performance with the run's."""
    import polars as pl

    manifest = model.manifest
    if manifest.task not in SUPERVISED:
        return Told(notes=(f"The performance of a {manifest.task} model is not monitored, only its columns.",))
    absent = [item.column.name for item in manifest.inputs if item.column.name not in typed]
    if required := [item.column.name for item in manifest.inputs if item.required and item.column.name in absent]:
        return Told(notes=(f"Nothing was predicted, since the column '{required[0]}' is absent.",))
    blank = {name: pl.Series(name, [None] * table.frame.height, dtype=pl.String) for name in absent}
    frame = pl.DataFrame({c.name: typed.get(c.name, blank.get(c.name)) for c in manifest.columns})
    frame = frame.with_columns(pl.col(name).fill_null("") for name in absent)
    predictions = model.predict_frame(frame)
    threshold = 0.5 if manifest.threshold is None else manifest.threshold
    test = model.baseline.test
    told = _predictions(model, predictions, test)
    if test is not None:
        told = _estimate(told, manifest.task, predictions, threshold, test, seed)
    if target is None:
        return told
    return _measure(told, model, table, target, predictions, threshold, seed)


def _predictions(model: Model, predictions: Predictions, test: PerformanceBaseline | None) -> Told:
    """Compare with the predictions for the test rows and with those for the training rows: the closer ones count."""
    now = describe_predictions(model, predictions)
    values = predictions if predictions.ndim == 1 else predictions[:, 1] if predictions.shape[1] == 2 else None
    references = [test.predictions, test.trained] if test is not None else [model.baseline.predictions]
    compared = [compare_predictions("predictions", each, now, values) for each in references if each.count]
    change, findings = max(compared, key=lambda pair: pair[1][0].p_value or 0.0 if pair[1] else 1.0)
    word = "the predictions moved"
    said = [
        replace(f, kind="predictions", column=None, sentence=f.sentence.replace("predictions moved", word, 1))
        for f in findings
    ]
    return Told(findings=tuple(said), predictions=change)


def _estimate(
    told: Told, task: Task, predictions: Predictions, threshold: float, test: PerformanceBaseline, seed: int
) -> Told:
    found = expected_performance(task, predictions, threshold, seed, calibration=test.calibration, errors=test.errors)
    measured = {name: (value, low, high) for name, value, low, high in test.metrics}
    performances = []
    for name, values in found:
        low, high = np.percentile(values, [2.5, 97.5])
        performances.append(Performance(name, float(values.mean()), float(low), float(high), *measured.get(name, ())))
    ordered = _judged_first(performances, test.metric)
    before = {name: (value, spread) for name, value, spread in test.expected}
    notes = list(told.notes)
    findings = list(told.findings)
    if ordered and (first := ordered[0]).metric in before:
        value, spread = before[first.metric]
        drop, matters = worse_by(first.metric, value, first.value)
        p_value = drop_p_value(drop, float(np.hypot(spread, (first.high - first.low) / _WIDTH)))
        title = METRICS[first.metric].title
        said = (
            f"the {title} estimated from the predictions is {first.value:.4g} (95 % interval {first.low:.4g} to "
            f"{first.high:.4g}), and was {value:.4g} by the same estimate on the test part"
        )
        if drop > 0:
            findings.append(Finding("estimate", None, Level.DRIFT if matters else Level.NOTE, said, p_value))
        ordered = (replace(first, p_value=p_value), *ordered[1:])
    if task not in CLASSIFICATION:
        notes.append(
            "The estimate takes errors to depend on the predicted value only, as they did on the test part; it sees no "
            "change of what the columns mean for the target."
        )
    else:
        notes.append(
            "The estimate trusts the probabilities; it sees no change of what the columns mean for the target."
        )
    return replace(told, estimated=ordered, findings=tuple(findings), notes=tuple(notes))


def _measure(
    told: Told, model: Model, table: Table, name: str, predictions: Predictions, threshold: float, seed: int
) -> Told:
    task, classes, test = model.manifest.task, model.manifest.classes, model.baseline.test
    known, codes, foreign = true_values(table, name, task, classes)
    findings = [*told.findings, *foreign]
    notes = list(told.notes)
    if len(codes) < FEWEST_LABELS:
        notes.append(f"{len(codes)} rows have a true value, too few to measure by ({FEWEST_LABELS} are needed).")
        return replace(told, findings=tuple(findings), notes=tuple(notes))
    metrics = judging_metrics(task, len(codes), max(1, len(classes)))
    found = measure_performance(metrics, codes, predictions[known], threshold, seed)
    before: dict[str, tuple[float, float | None, float | None]] = {
        each: (value, None, None) for each, value in model.manifest.metrics.get("test", {}).items()
    }
    before |= {each: (value, low, high) for each, value, low, high in (test.metrics if test else ())}
    found = [_beside(each, before.get(each.metric)) for each in found]
    ordered = _judged_first(found, test.metric if test else default_metric(task).name)
    if ordered:
        ordered, more = _judge_measured(ordered)
        findings += more
        first = ordered[0]
        if first.test is not None and first.p_value is not None and first.p_value > 1 - _SUSPICIOUS:
            notes.append(
                f"The {METRICS[first.metric].title} measured is far better than on the test part: are these rows that "
                "the model was trained on?"
            )
    change = None
    if test is not None:
        change, moved = compare_predictions(
            "the target", test.target, describe_target(classes, codes), codes if not classes else None
        )
        findings += [replace(each, kind="target", column=None) for each in moved]
    return replace(told, measured=ordered, target=change, findings=tuple(findings), notes=tuple(notes))


def _beside(now: Performance, before: tuple[float, float | None, float | None] | None) -> Performance:
    if before is None:
        return now
    value, low, high = before
    return replace(now, test=value, test_low=low, test_high=high)


def _judge_measured(ordered: tuple[Performance, ...]) -> tuple[tuple[Performance, ...], list[Finding]]:
    first = ordered[0]
    if first.test is None:
        return ordered, []
    spread = (first.high - first.low) / _WIDTH
    known = first.test_low is not None and first.test_high is not None
    former = ((first.test_high or 0.0) - (first.test_low or 0.0)) / _WIDTH if known else spread
    drop, matters = worse_by(first.metric, first.test, first.value)
    p_value = drop_p_value(drop, float(np.hypot(spread, former)))
    tested = f" ({first.test_low:.4g} to {first.test_high:.4g})" if known else ""
    said = (
        f"the {METRICS[first.metric].title} measured is {first.value:.4g} (95 % interval {first.low:.4g} to "
        f"{first.high:.4g}), and was {first.test:.4g}{tested} on the test part of the run"
    )
    findings = []
    if drop > 0:
        findings.append(Finding("performance", None, Level.DRIFT if matters else Level.NOTE, said, p_value))
    return (replace(first, p_value=p_value), *ordered[1:]), findings


def true_values(
    table: Table, name: str, task: Task, classes: Sequence[str]
) -> tuple[npt.NDArray[np.int64], Target, list[Finding]]:
    """Return the positions of the rows with a usable true value, and their class codes or values.

    Raises `InputError` where no row has one.
    """
    from headrace.ml.process.problem_framing import label_texts
    from headrace.ml.tables.columns import ColumnKind, parse_column
    from headrace.ml.tables.detection import detect_column

    raw = table.frame[name]
    findings: list[Finding] = []
    if task in CLASSIFICATION:
        texts = label_texts(raw)
        codes = np.array([{label: code for code, label in enumerate(classes)}.get(text, -1) for text in texts])
        foreign = ((codes < 0) & (texts != "").to_numpy()).nonzero()[0]
        if len(foreign) and (codes >= 0).any():
            first = int(foreign[0])
            said = (
                f"the target '{name}' has {len(foreign):,} rows of classes that the model does not know (first: "
                f"'{texts[first][:40]}' in row {table.rows[first]}); they are not measured"
            )
            findings.append(Finding("new class", name, Level.DRIFT, said))
        wanted = f"one of the classes {', '.join(repr(label) for label in classes[:5])}"
        values: Target = codes.astype(np.int64)
        known = (codes >= 0).nonzero()[0]
    else:
        column = replace(detect_column(raw)[0], kind=ColumnKind.NUMBER)
        values = parse_column(raw, column)[0].cast(float).fill_null(float("nan")).to_numpy()
        known, wanted = np.isfinite(values).nonzero()[0], "a number"
    if not len(known):
        first_value = str(raw.drop_nulls().head(1).to_list())[1:-1][:40] or "nothing"
        raise InputError(
            f"no row of the target column '{name}' holds {wanted} (first: {first_value}); name the column of the true "
            "values with --target"
        )
    return known, values[known], findings


def _judged_first(performances: Sequence[Performance], metric: str) -> tuple[Performance, ...]:
    return tuple(sorted(performances, key=lambda each: each.metric != metric))
