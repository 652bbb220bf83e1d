"""Monitors of predictors: created, described, listed and deleted, and what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.entities import shown
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.kinds import (
    ACTIVE,
    FAILED,
    MONITOR,
    MONITOR_EVALUATION,
    PREDICTOR,
)
from headrace.server.operations.forecasting.listing import STATUS, Listed, page
from headrace.server.operations.forecasting.monitors.starting import open_monitor
from headrace.server.resources import Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES

SUCCESS, FAILURE = "SUCCESS", "FAILURE"
_TIMES = ("evaluation_time", "window_start_datetime", "window_end_datetime")


def create_monitor(
    context: Context, *, monitor_name: str, resource_arn: str, tags: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Watch the errors of an auto predictor whenever data are imported (AWS page: CreateMonitor)."""
    predictor = finding.get_active(context, resource_arn, PREDICTOR)
    if not predictor.record["_auto"]:
        raise InvalidInput("Monitors are only for predictors of CreateAutoPredictor; retrain this one as such")
    return {"monitor_arn": open_monitor(context, monitor_name, predictor, tags).arn}


def describe_monitor(context: Context, *, monitor_arn: str) -> dict[str, Any]:
    """Return a monitor, its baseline and where its last evaluation stands (AWS page: DescribeMonitor)."""
    stored = finding.get(context, monitor_arn, MONITOR)
    answer = {**states.shown(context, stored), "monitor_arn": stored.arn}
    last = resources.listing(
        context.connection,
        MONITOR_EVALUATION,
        context.place,
        where=[RESOURCES.c.parent == stored.arn, member("predictor_event").is_(None)],
        order="created",
        descending=True,
        limit=1,
    ).items
    if last and last[0].state in (ACTIVE, FAILED):
        answer["last_evaluation_time"] = moment(last[0].record["evaluation_time"])
        answer["last_evaluation_state"] = last[0].record.get("evaluation_state", FAILURE)
    elif last:
        answer["estimated_evaluation_time_remaining_in_minutes"] = 1
    predictor = resources.by_arn(context.connection, stored.record["resource_arn"])
    if predictor is not None and predictor.state == ACTIVE:
        answer["baseline"] = {"predictor_baseline": {"baseline_metrics": _baseline(predictor)}}
    return answer


def list_monitors(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of monitors (AWS page: Amazon Forecast API, ListMonitors)."""

    def summary(stored: Stored) -> dict[str, Any]:
        return {**states.shown(context, stored), "monitor_arn": stored.arn}

    return page(
        context, MONITOR, "monitors", summary, **listed,
        by=STATUS,
    )  # fmt: skip


def delete_monitor(context: Context, *, monitor_arn: str) -> None:
    """Delete a monitor with all that it found (AWS page: DeleteMonitor); raises InUse during an evaluation."""
    stored = finding.get(context, monitor_arn, MONITOR)
    while found := resources.listing(context.connection, MONITOR_EVALUATION, context.place, parent=stored.arn).items:
        for each in found:
            states.remove(context, each)
    states.remove(context, stored)


def list_monitor_evaluations(context: Context, *, monitor_arn: str, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return what a monitor found, the newest first (AWS page: Amazon Forecast API, ListMonitorEvaluations)."""
    stored = finding.get(context, monitor_arn, MONITOR)
    return page(
        context,
        MONITOR_EVALUATION,
        "predictor_monitor_evaluations",
        _evaluation,
        **listed,
        by={"EvaluationState": member("evaluation_state")},
        where=[RESOURCES.c.parent == stored.arn, RESOURCES.c.state.in_((ACTIVE, FAILED))],
    )


def _evaluation(stored: Stored) -> dict[str, Any]:
    record = {name: value for name, value in stored.record.items() if name != "identifier" and not name.startswith("_")}
    for name in _TIMES:
        if name in record:
            record[name] = moment(record[name])
    if event := record.get("predictor_event"):
        record["predictor_event"] = {**event, "datetime": moment(event["datetime"])}
    return {"evaluation_state": FAILURE, **shown(record)}


def _baseline(predictor: Stored) -> list[dict[str, Any]]:
    """Return the averages of a predictor's backtests under the names of monitors' metrics."""
    metrics = predictor.record["_results"][0]["windows"][-1]["metrics"]
    found = {"AverageWeightedQuantileLoss": metrics["average_weighted_quantile_loss"], "RMSE": metrics["rmse"]}
    types = {each["forecast_type"]: each for each in metrics["error_metrics"]}
    middle = next((types[name] for name in ("0.5", ".5", "0.50", ".50", "mean") if name in types), None)
    if middle is not None:
        found |= {name: middle[name.lower()] for name in ("WAPE", "MAPE", "MASE")}
    return [{"name": name, "value": value} for name, value in found.items() if value is not None]
