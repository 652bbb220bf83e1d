"""Autopilot's metrics and problem types in the library's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.contract import Task
from headrace.server.errors import InvalidInput

TASKS = {
    "BinaryClassification": Task.BINARY,
    "MulticlassClassification": Task.MULTICLASS,
    "Regression": Task.REGRESSION,
}
PROBLEM_TYPES = {task: name for name, task in TASKS.items()}

OBJECTIVES: Mapping[Task, Mapping[str, str]] = {
    Task.BINARY: {
        "F1": "f1",
        "AUC": "roc_auc",
        "Accuracy": "accuracy",
        "BalancedAccuracy": "balanced_accuracy",
        "Precision": "precision",
        "Recall": "recall",
    },
    Task.MULTICLASS: {
        "Accuracy": "accuracy",
        "BalancedAccuracy": "balanced_accuracy",
        "F1macro": "f1_macro",
        "RecallMacro": "balanced_accuracy",
    },
    Task.REGRESSION: {"MSE": "rmse", "RMSE": "rmse", "MAE": "mae", "R2": "r2"},
}
"""Objectives by task, the default of AWS first. The recall averaged over classes is the balanced accuracy, and what has
the least mean squared error has the least root of it.
"""
MINIMIZED = frozenset({"MSE", "RMSE", "MAE"})
REPORTED = {"log_loss": "LogLoss", "mape": "MAPE"}
"""What is reported beside the objectives."""
SETS = {"train": "Train", "validation": "Validation", "test": "Test"}


def objective_of(problem_type: str, asked: str | None) -> tuple[str, str]:
    """Return an objective by AWS's name and by the library's; raises InvalidInput on one that does not judge the task.

    AWS page: SageMaker API, AutoMLJobObjective.
    """
    known = OBJECTIVES[TASKS[problem_type]]
    name = asked or next(iter(known))
    if name not in known:
        raise InvalidInput(
            f"The objective metric {name} is not available for the problem type {problem_type}; choose from "
            f"{', '.join(known)}"
        )
    return name, known[name]


def value_of(objective: str, value: float) -> float:
    """Return the value of an objective from that of the library's metric."""
    return value**2 if objective == "MSE" else value


def candidate_metrics(task: Task, metrics: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return `metrics` (train, validation, test → the library's name → value) as CandidateMetrics."""
    names = {
        **REPORTED,
        **{ours: name for name, ours in OBJECTIVES[task].items() if name not in ("MSE", "RecallMacro")},
    }
    found = []
    for part, shown in SETS.items():
        values = metrics.get(part, {})
        named = {names[ours]: value for ours, value in values.items() if ours in names and value is not None}
        if "rmse" in values:
            named["MSE"] = values["rmse"] ** 2
        if task == Task.MULTICLASS and "balanced_accuracy" in values:
            named["RecallMacro"] = values["balanced_accuracy"]
        found += [_datum(name, value, shown) for name, value in named.items()]
    return found


def _datum(name: str, value: float, part: str) -> dict[str, Any]:
    metric = {"standard_metric_name": name, "value": value, "set": part}
    return metric if name == "LogLoss" else {"metric_name": name, **metric}
