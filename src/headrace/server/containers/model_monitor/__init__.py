"""AWS's model monitor image: baselines of datasets, and violations of them in captured data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from headrace.ml.monitoring.sketches import Measured, measure
from headrace.server.containers.model_monitor.captured import read_captured
from headrace.server.containers.model_monitor.constraints import read_constraints, suggest_constraints
from headrace.server.containers.model_monitor.datasets import position_name, read_dataset
from headrace.server.containers.model_monitor.request import AnalysisFailed, Request, inside, read_request
from headrace.server.containers.model_monitor.statistics import read_statistics, render_statistics
from headrace.server.containers.model_monitor.violations import (
    Drift,
    Violation,
    check_columns,
    check_feature,
    drift_of,
)

__all__ = ["Analysis", "AnalysisFailed", "MetricSet", "analyze", "inside"]

LARGEST_BASELINE = 256 << 20


@dataclass(frozen=True)
class MetricSet:
    """The values of one metric of the analysed data."""

    name: str
    count: float
    sum: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Analysis:
    """What came of a job: its ExitMessage, and metrics where they are to be published."""

    exit_message: str
    metrics: tuple[MetricSet, ...] = ()


def analyze(environment: Mapping[str, str], root: Path) -> Analysis:
    """Analyse what a job's variables say and write the results; `root` is the job's /opt/ml. Raises AnalysisFailed."""
    request = read_request(environment, root)
    columns, rows = _measured(request)
    constraints, options = read_constraints(_document(request.constraints)) if request.constraints else ([], {})
    unnamed = all(column.name == position_name(number) for number, column in enumerate(columns))
    if unnamed and len(constraints) == len(columns):
        columns = [replace(column, name=each.name) for column, each in zip(columns, constraints, strict=True)]
    request.output.mkdir(parents=True, exist_ok=True)
    _write(request.output / "statistics.json", render_statistics(columns, rows))
    _write(request.output / "constraints.json", suggest_constraints(columns, request.drift_method))
    drifts: dict[str, Drift] = {}
    violations: list[Violation] = []
    if request.constraints:
        sketches, categories = read_statistics(_document(request.statistics)) if request.statistics else ({}, {})
        by_name = {column.name: column for column in columns}
        violations = list(check_columns(constraints, columns))
        for each in constraints:
            column = by_name.get(each.name)
            drift = drift_of(each, column, sketches, categories) if column else None
            if column and drift:
                drifts[each.name] = drift
            if column:
                violations += check_feature(each, column, drift)
        if options["evaluate_constraints"] != "Enabled":
            violations = []
        _write(request.output / "constraint_violations.json", {"violations": [asdict(each) for each in violations]})
    publish = request.publish and options.get("emit_metrics", "Enabled") == "Enabled"
    return Analysis(_exit_message(len(violations)), tuple(_metrics(columns, drifts)) if publish else ())


def _measured(request: Request) -> tuple[list[Measured], int]:
    if request.format.kind == "capture":
        frame = read_captured(request.dataset, request.shown, request.format.sides)
    else:
        frame = read_dataset(request.dataset, request.shown, request.format)
    return [measure(column) for column in frame.iter_columns()], frame.height


def _document(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_BASELINE:
            raise AnalysisFailed(
                f"the baseline file {path.name} is larger than {LARGEST_BASELINE} bytes; make it again"
            )
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise AnalysisFailed(
            f"the baseline file {path.name} is not there, or no JSON; name that of a baseline job"
        ) from None


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _exit_message(violations: int) -> str:
    if violations:
        return f"CompletedWithViolations: Job completed successfully with {violations} violations."
    return "Completed: Job completed successfully with no violations."


def _metrics(columns: Sequence[Measured], drifts: Mapping[str, Drift]) -> list[MetricSet]:
    """Return the metrics of all features (AWS page: CloudWatch metrics of model monitor)."""
    found = []
    for column in columns:
        if (numbers := column.numbers) is not None:
            found.append(
                MetricSet(f"feature_data_{column.name}", numbers.sketch.count, numbers.sum, numbers.min, numbers.max)
            )
        share = column.completeness
        found.append(MetricSet(f"feature_non_null_{column.name}", 1.0, share, share, share))
        if column.name in drifts:
            distance = drifts[column.name].distance
            found.append(MetricSet(f"feature_baseline_drift_{column.name}", 1.0, distance, distance, distance))
    return found
