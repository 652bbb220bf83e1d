"""The trials of a tuning job: its training jobs, what each reached, and how they compare."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace.server.clock import moment
from headrace.server.operations.training.statuses import ENDED
from headrace.server.resources import Stored

IMPROVEMENT = 0.01
"""Share of the best objective by which a better one counts as an improvement (AWS: 1 % or less does not)."""


@dataclass(frozen=True)
class Trial:
    """A training job of a tuning job.

    `tuned` are the texts of the hyperparameters that were searched; `value` is the last one of the objective metric.
    Times are in milliseconds.
    """

    name: str
    arn: str
    tuned: Mapping[str, str]
    created: int
    state: str = "InProgress"
    start: int | None = None
    end: int | None = None
    value: float | None = None
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether its training job has ended."""
        return self.state in ENDED

    @property
    def succeeded(self) -> bool:
        """Whether its objective counts: the training job did not fail, and told the metric."""
        return self.is_over and self.state != "Failed" and self.value is not None

    @property
    def objective_status(self) -> str:
        """The ObjectiveStatus."""
        if not self.is_over:
            return "Pending"
        return "Succeeded" if self.succeeded else "Failed"


@dataclass(frozen=True)
class Objective:
    """The metric that is optimized."""

    metric: str
    maximize: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Objective:
        """Return that of a HyperParameterTuningJobConfig."""
        given = config["hyper_parameter_tuning_job_objective"]
        return cls(given["metric_name"], given["type"] == "Maximize")

    def better(self, value: float, than: float) -> bool:
        """Tell whether one value is better than another."""
        return value > than if self.maximize else value < than

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the trial with the best objective, the first of equal ones; None where none counts."""
        found: Trial | None = None
        for trial in trials:
            if trial.succeeded and (found is None or self.better(_value(trial), _value(found))):
                found = trial
        return found

    def reached(self, trials: Sequence[Trial], target: float) -> bool:
        """Tell whether the best objective is at least as good as a target."""
        best = self.best(trials)
        return best is not None and not self.better(target, _value(best))

    def not_improving(self, trials: Sequence[Trial]) -> int:
        """Return how many trials ended since the best objective last became better by more than 1 %."""
        best: float | None = None
        since = 0
        for trial in sorted((each for each in trials if each.succeeded), key=lambda each: (each.end or 0, each.name)):
            value = _value(trial)
            margin = 0.0 if best is None else IMPROVEMENT * abs(best)
            if best is None or self.better(value, best + margin if self.maximize else best - margin):
                best, since = value, 0
            else:
                since += 1
        return since


def trials_of(stored: Stored) -> list[Trial]:
    """Return the trials of a tuning job, in the order in which they were started."""
    return [Trial(**each) for each in stored.record["trials"]]


def trial_name(stored: Stored, number: int) -> str:
    """Return the name of a trial's training job, `number` counting from 1: NAME-001-0a1b2c3d."""
    digest = hashlib.sha256(f"{stored.arn} {stored.created} {number}".encode()).hexdigest()
    return f"{stored.name}-{number:03d}-{digest[:8]}"


def followed(trial: Trial, job: Stored | None, objective: Objective) -> Trial:
    """Return a trial as its training job stands now; one whose training job is gone has failed."""
    if trial.is_over:
        return trial
    if job is None:
        return replace(trial, state="Failed", reason="Its training job was deleted before its end was noticed.")
    record = job.record
    values = {each["metric_name"]: each["value"] for each in record.get("final_metric_data_list", ())}
    return replace(
        trial,
        state=job.state,
        start=record.get("training_start_time"),
        end=record.get("training_end_time"),
        value=values.get(objective.metric),
        reason=record.get("failure_reason", ""),
    )


def counters(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """Return TrainingJobStatusCounters and ObjectiveStatusCounters."""
    states = Counter(trial.state if trial.is_over else "InProgress" for trial in trials)
    internal = sum(trial.state == "Failed" and trial.reason.startswith("InternalServerError") for trial in trials)
    objectives = Counter(trial.objective_status for trial in trials)
    return {
        "training_job_status_counters": {
            "completed": states["Completed"],
            "in_progress": states["InProgress"],
            "retryable_error": internal,
            "non_retryable_error": states["Failed"] - internal,
            "stopped": states["Stopped"],
        },
        "objective_status_counters": {
            name.lower(): objectives[name] for name in ("Succeeded", "Pending", "Failed")
        },
    }  # fmt: skip


def shown_trial(trial: Trial, objective: Objective) -> dict[str, Any]:
    """Return the HyperParameterTrainingJobSummary of a trial."""
    shown: dict[str, Any] = {
        "training_job_name": trial.name,
        "training_job_arn": trial.arn,
        "creation_time": moment(trial.created),
        "training_job_status": trial.state,
        "tuned_hyper_parameters": dict(trial.tuned),
        "objective_status": trial.objective_status,
    }
    times = {"training_start_time": trial.start, "training_end_time": trial.end}
    shown |= {name: moment(time) for name, time in times.items() if time is not None}
    if trial.reason:
        shown["failure_reason"] = trial.reason
    if trial.value is not None:
        shown["final_hyper_parameter_tuning_job_objective_metric"] = {
            "type": "Maximize" if objective.maximize else "Minimize",
            "metric_name": objective.metric,
            "value": trial.value,
        }
    return shown


def _value(trial: Trial) -> float:
    return trial.value if trial.value is not None else float("nan")
