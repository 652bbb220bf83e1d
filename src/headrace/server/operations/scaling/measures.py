"""The metrics that target tracking follows, read period by period from CloudWatch's store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.measuring import NAMESPACE
from headrace.server.operations.metrics.data import get_metric_data
from headrace.server.operations.scaling.kinds import CONCURRENCY, INSTANCES, variant_of

MINUTE_SECONDS, HIGH_RESOLUTION_SECONDS = 60, 10
PERIODS_IN = 15
"""Periods of a minute; a metric of high resolution scales in after as long a time."""

CONCURRENT, INVOCATIONS, UTILIZATION = (
    "ConcurrentRequestsPerModel", "InvocationsPerInstance", "ServerlessProvisionedConcurrencyUtilization",
)  # fmt: skip


@dataclass(frozen=True)
class Predefined:
    """A metric of AWS/SageMaker by its name and statistic, the dimension that it is for, and AWS's period of it."""

    metric: str
    statistic: str
    dimension: str
    seconds: int = MINUTE_SECONDS


PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": Predefined(INVOCATIONS, "Sum", INSTANCES),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": Predefined(
        CONCURRENT, "Average", INSTANCES, HIGH_RESOLUTION_SECONDS
    ),
    "SageMakerVariantProvisionedConcurrencyUtilization": Predefined(UTILIZATION, "Maximum", CONCURRENCY),
}


@dataclass(frozen=True)
class Pace:
    """Into periods of how many seconds a policy's metric is split, and how many of them below its target scale in."""

    seconds: int
    periods_in: int


def pace_of(context: Context, configuration: Mapping[str, Any]) -> Pace:
    """Return the pace of a policy: AWS's, or where the metric is the server's own that of `scaling_seconds`."""
    predefined = configuration.get("predefined_metric_specification")
    if not predefined:
        return Pace(MINUTE_SECONDS, PERIODS_IN)
    usual = context.platform.settings.scaling_seconds
    seconds = min(PREDEFINED[predefined["predefined_metric_type"]].seconds, usual)
    return Pace(seconds, PERIODS_IN * usual // seconds)


def values(
    context: Context, resource_id: str, configuration: Mapping[str, Any], *, start: int, end: int
) -> dict[int, float]:
    """Return what a policy's metric was in each period that has data and begins in `start` to `end` (ms).

    Raises InvalidInput where it can't be computed as it is specified.
    """
    period = pace_of(context, configuration).seconds
    queries = [
        {**query, "metric_stat": {**query["metric_stat"], "period": period}} if query.get("metric_stat") else query
        for query in _queries(resource_id, configuration)
    ]
    try:
        found = get_metric_data(
            context, metric_data_queries=queries, start_time=moment(start), end_time=moment(end)
        )["metric_data_results"]  # fmt: skip
    except InvalidInput as error:
        raise InvalidInput(f"The metric of the policy can't be computed: {error.message}") from None
    if len(found) != 1:
        raise InvalidInput(f"Metrics of a policy must return one series, and {len(found)} have ReturnData; mend that")
    return {stamp(time): value for time, value in zip(found[0]["timestamps"], found[0]["values"], strict=True)}


def _queries(resource_id: str, configuration: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    predefined = configuration.get("predefined_metric_specification")
    if predefined:
        variant, measure = variant_of(resource_id), PREDEFINED[predefined["predefined_metric_type"]]
        dimensions = [
            {"name": "EndpointName", "value": variant.endpoint},
            {"name": "VariantName", "value": variant.name},
        ]
        metric = {"namespace": NAMESPACE, "metric_name": measure.metric, "dimensions": dimensions}
        return [{"id": "m1", "metric_stat": {"metric": metric, "stat": measure.statistic}}]
    custom = configuration["customized_metric_specification"]
    if custom.get("metrics"):
        given: Sequence[Mapping[str, Any]] = custom["metrics"]
        return given
    metric = {name: custom[name] for name in ("namespace", "metric_name")}
    metric["dimensions"] = custom.get("dimensions") or []
    return [{"id": "m1", "metric_stat": {"metric": metric, "stat": custom["statistic"], "unit": custom.get("unit")}}]
