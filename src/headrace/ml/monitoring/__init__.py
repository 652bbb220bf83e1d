"""Monitoring a model in use: what drifted, what that did to its performance, and whether to retrain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.contract import Task
from headrace.ml.errors import InputError
from headrace.ml.monitoring.distances import adjusted
from headrace.ml.monitoring.findings import ALARM, ColumnChange, Finding, Level
from headrace.ml.monitoring.performance import Performance
from headrace.ml.monitoring.verdict import FEW_ROWS, Judgement, Verdict, judge
from headrace.ml.tables.names import suggest

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model
    from headrace.ml.tables.table import Table

__all__ = ["ColumnChange", "Finding", "Judgement", "Level", "Monitoring", "Performance", "Verdict", "monitor_model"]


@dataclass(frozen=True)
class Monitoring:
    """What was found of a model on new rows; plain data but for its records.

    `predictions` and `target` are None where they could not be had. `measured` needs true values, `estimated` does
    without; both have the run's metric first. `notes` say what could not be told, a sentence each.
    """

    task: Task
    rows: int
    reference_rows: int
    columns: tuple[ColumnChange, ...]
    predictions: ColumnChange | None
    target: ColumnChange | None
    measured: tuple[Performance, ...]
    estimated: tuple[Performance, ...]
    findings: tuple[Finding, ...]
    judgement: Judgement
    notes: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether there is anything to act on."""
        return self.judgement.verdict not in (Verdict.KEEP, Verdict.UNKNOWN)


def monitor_model(model: Model, table: Table, *, target: str | None = None, seed: int = 0) -> Monitoring:
    """Compare a raw table with the model's baseline; with the column `target` the performance is measured too.

    Of all that is tested (columns, missing values, predictions, performance), about one monitoring in a hundred finds
    something to act on where nothing changed. Raises `InputError` for a target that is absent or holds no true value.
    """
    from headrace.ml.monitoring.columns import compare_column
    from headrace.ml.monitoring.judging import judge_predictions

    baseline = model.baseline
    if target is not None and target not in table.frame.columns:
        hint = suggest(target, table.frame.columns) or "; leave --target out to monitor without them"
        raise InputError(f"the table has no column '{target}' with the true values{hint}")
    before = {column.name: column for column in baseline.columns}
    rows = table.rows.tolist()
    findings, changes, typed = list(_absent_and_new(model, table, target)), [], {}
    for item in model.manifest.inputs:
        if item.column.name not in table.frame.columns:
            continue
        name = item.column.name
        values, change, found = compare_column(table.frame[name], item.column, before.get(name), rows)
        typed[name] = values
        changes.append(change)
        findings += found
    told = judge_predictions(model, table, typed, target, seed)
    findings = _corrected([*findings, *told.findings])
    drifted = {finding.column for finding in findings if finding.level is not Level.NOTE}
    worse = {finding.kind for finding in findings if finding.level is Level.DRIFT}
    notes = list(told.notes)
    if FEW_ROWS <= len(rows) < 300:
        notes.append(
            f"With {len(rows)} rows only changes of {_smallest(len(rows), baseline.rows):.0%} of them and more can be "
            "told from chance."
        )
    return Monitoring(
        task=model.manifest.task,
        rows=len(rows),
        reference_rows=baseline.rows,
        columns=tuple(replace(change, drifted=change.name in drifted) for change in changes),
        predictions=told.predictions and replace(told.predictions, drifted="predictions" in worse),
        target=told.target and replace(told.target, drifted="target" in worse),
        measured=_marked(told.measured, "performance" in worse),
        estimated=_marked(told.estimated, "estimate" in worse),
        findings=tuple(sorted(findings, key=lambda finding: list(Level).index(finding.level))),
        judgement=judge(findings, len(rows), labelled=bool(told.measured), estimated=bool(told.estimated)),
        notes=tuple(notes),
    )


def _absent_and_new(model: Model, table: Table, target: str | None) -> list[Finding]:
    manifest, there = model.manifest, table.frame.columns
    findings = []
    for item in manifest.inputs:
        if item.column.name not in there:
            level = Level.BROKEN if item.required else Level.NOTE
            hint = suggest(
                item.column.name, [name for name in there if name not in manifest.provenance.get("columns", ())]
            )
            said = f"column '{item.column.name}' is absent, and the model reads it{hint}"
            findings.append(Finding("absent column", item.column.name, level, said))
    trained = {
        *manifest.provenance.get("columns", ()),
        *(column.name for column in manifest.columns),
        manifest.target,
        target,
    }
    for name in there:
        if name not in trained:
            said = f"column '{name}' is new: the training table had none of that name, and the model does not read it"
            findings.append(Finding("new column", name, Level.NOTE, said))
    return findings


def _corrected(findings: Sequence[Finding]) -> list[Finding]:
    """Keep the findings that chance does not explain, after the correction for the number of tests."""
    tested = [finding for finding in findings if finding.p_value is not None]
    corrected = dict(zip(map(id, tested), adjusted([f.p_value for f in tested if f.p_value is not None]), strict=True))
    kept = []
    for finding in findings:
        if finding.p_value is None:
            kept.append(finding)
        elif corrected[id(finding)] < ALARM:
            kept.append(replace(finding, p_value=corrected[id(finding)]))
        elif finding.otherwise is not None:
            kept.append(replace(finding, level=finding.otherwise))
    return kept


def _marked(performances: Sequence[Performance], worse: bool) -> tuple[Performance, ...]:
    return tuple(replace(each, worse=worse and place == 0) for place, each in enumerate(performances))


def _smallest(rows: int, reference: int) -> float:
    """Return the Kolmogorov-Smirnov distance that a single test at 1 % tells from chance."""
    return float(1.628 * np.sqrt((rows + reference) / (rows * reference)))
