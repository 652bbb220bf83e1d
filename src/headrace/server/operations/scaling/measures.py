"""The metrics that target tracking follows, read minute by minute from CloudWatch's store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.operations.metrics.data import get_metric_data
from headrace.server.operations.scaling.kinds import CONCURRENCY, INSTANCES, variant_of

MINUTE = 60_000


@dataclass(frozen=True)
class Predefined:
    """A metric of AWS/SageMaker by its name and statistic, and the dimension that it is for."""

    metric: str
    statistic: str
    dimension: str


PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": Predefined("InvocationsPerInstance", "Sum", INSTANCES),
    "SageMakerVariantProvisionedConcurrencyUtilization": Predefined(
        "ServerlessProvisionedConcurrencyUtilization", "Maximum", CONCURRENCY
    ),
}


def minutes(
    context: Context, resource_id: str, configuration: Mapping[str, Any], *, start: int, end: int
) -> dict[int, float]:
    """Return what the metric of a target tracking policy was in each minute that has data, `start` to `end` (ms)."""
    queries = [{**query, "metric_stat": {**query["metric_stat"], "period": 60}} if query.get("metric_stat") else query
               for query in _queries(resource_id, configuration)]  # fmt: skip
    found = get_metric_data(
        context, metric_data_queries=queries, start_time=moment(start), end_time=moment(end)
    )["metric_data_results"]  # fmt: skip
    if not found:
        return {}
    return {stamp(time): value for time, value in zip(found[0]["timestamps"], found[0]["values"], strict=True)}


def _queries(resource_id: str, configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    predefined = configuration.get("predefined_metric_specification")
    if predefined:
        variant, measure = variant_of(resource_id), PREDEFINED[predefined["predefined_metric_type"]]
        dimensions = [
            {"name": "EndpointName", "value": variant.endpoint},
            {"name": "VariantName", "value": variant.name},
        ]
        metric = {"namespace": "AWS/SageMaker", "metric_name": measure.metric, "dimensions": dimensions}
        return [{"id": "m1", "metric_stat": {"metric": metric, "stat": measure.statistic}}]
    custom = configuration["customized_metric_specification"]
    if custom.get("metrics"):
        return [dict(each) for each in custom["metrics"]]
    metric = {name: custom[name] for name in ("namespace", "metric_name")}
    metric["dimensions"] = custom.get("dimensions") or []
    return [{"id": "m1", "metric_stat": {"metric": metric, "stat": custom["statistic"], "unit": custom.get("unit")}}]
