"""The resources of Amazon Forecast: their ARNs, their states, and who belongs to whom.

Dataset group > predictor > forecast > what-if analysis > what-if forecast; each also has its exports and explanations.
"""

from __future__ import annotations

from collections.abc import Mapping

from headrace.server.resources import Resource

PENDING, IN_PROGRESS, ACTIVE, FAILED = "CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE", "CREATE_FAILED"
STOPPING, STOPPED = "CREATE_STOPPING", "CREATE_STOPPED"
ENDED = (ACTIVE, FAILED, STOPPED)
UPDATE_PENDING, UPDATING = "UPDATE_PENDING", "UPDATE_IN_PROGRESS"
MONITOR_STOPPING, MONITOR_STOPPED = "ACTIVE_STOPPING", "ACTIVE_STOPPED"

Following = Mapping[str, tuple[str, ...]]

_MADE_BY_JOBS: Following = {
    PENDING: (IN_PROGRESS, STOPPING, *ENDED), IN_PROGRESS: (PENDING, STOPPING, *ENDED), STOPPING: ENDED,
    ACTIVE: (), FAILED: (), STOPPED: (),
}  # fmt: skip
_MADE_AT_ONCE: Following = {
    ACTIVE: (UPDATE_PENDING, UPDATING), UPDATE_PENDING: (UPDATING, ACTIVE), UPDATING: (UPDATE_PENDING, ACTIVE),
}  # fmt: skip
_MONITORING: Following = {
    ACTIVE: (MONITOR_STOPPING, MONITOR_STOPPED), MONITOR_STOPPING: (MONITOR_STOPPED,), MONITOR_STOPPED: (ACTIVE,),
}  # fmt: skip


def _kind(kind: str, title: str, states: Following = _MADE_BY_JOBS) -> Resource:
    return Resource(
        f"forecast/{kind}",
        title,
        f"arn:{{partition}}:forecast:{{region}}:{{account}}:{kind}/{{identifier}}",
        states=states,
        lasting=frozenset({PENDING, IN_PROGRESS, STOPPING, UPDATE_PENDING, UPDATING, MONITOR_STOPPING}),
    )


DATASET = _kind("dataset", "dataset", _MADE_AT_ONCE)
DATASET_GROUP = _kind("dataset-group", "dataset group", _MADE_AT_ONCE)
DATASET_IMPORT_JOB = _kind("dataset-import-job", "dataset import job")
PREDICTOR = _kind("predictor", "predictor")
PREDICTOR_BACKTEST_EXPORT_JOB = _kind("predictor-backtest-export-job", "predictor backtest export job")
FORECAST = _kind("forecast", "forecast")
FORECAST_EXPORT_JOB = _kind("forecast-export-job", "forecast export job")
EXPLAINABILITY = _kind("explainability", "explainability")
EXPLAINABILITY_EXPORT = _kind("explainability-export", "explainability export")
MONITOR = _kind("monitor", "monitor", _MONITORING)
MONITOR_EVALUATION = _kind("monitor-evaluation", "monitor evaluation")
WHAT_IF_ANALYSIS = _kind("what-if-analysis", "what-if analysis")
WHAT_IF_FORECAST = _kind("what-if-forecast", "what-if forecast")
WHAT_IF_FORECAST_EXPORT = _kind("what-if-forecast-export", "what-if forecast export")

KINDS: Mapping[str, Resource] = {
    each.kind: each
    for each in (
        DATASET,
        DATASET_GROUP,
        DATASET_IMPORT_JOB,
        PREDICTOR,
        PREDICTOR_BACKTEST_EXPORT_JOB,
        FORECAST,
        FORECAST_EXPORT_JOB,
        EXPLAINABILITY,
        EXPLAINABILITY_EXPORT,
        MONITOR,
        MONITOR_EVALUATION,
        WHAT_IF_ANALYSIS,
        WHAT_IF_FORECAST,
        WHAT_IF_FORECAST_EXPORT,
    )
}
"""All of them by kind. The record of each has `identifier`, what its ARN ends in: a name, or DATASET/NAME of a job.

The members of `INNER`, and those whose names begin with "_", are not shown.
"""

INNER = ("identifier",)
