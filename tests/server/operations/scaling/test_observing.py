"""What is measured of scaled variants: that nobody asks them, how busy they are, and how many requests wait."""

import time
from collections.abc import Callable
from typing import Any

from headrace.cli.chores import scale_endpoints
from headrace.server.clock import moment
from headrace.server.errors import NotFound
from headrace.server.operations.endpoints.asynchronous import invoke_endpoint_async
from headrace.server.operations.endpoints.configurations import create_endpoint_config
from headrace.server.operations.endpoints.endpoints import create_endpoint, delete_endpoint, describe_endpoint
from headrace.server.operations.metrics.data import get_metric_data
from headrace.server.operations.scaling.observing import observe
from headrace.server.operations.scaling.policies import put_scaling_policy
from headrace.server.operations.scaling.targets import register_scalable_target
from headrace.server.operations.storage.transfer import read_key

MINUTE = 60_000


def measured(
    stage: Any, metric: str, *, period: int, stat: str, endpoint: str = "scaled", variant: str = "all"
) -> list[float]:
    """Return the values of a metric in the last minutes, the oldest first."""
    dimensions = [{"name": "EndpointName", "value": endpoint}]
    dimensions += [{"name": "VariantName", "value": variant}] if variant else []
    asked = {"namespace": "AWS/SageMaker", "metric_name": metric, "dimensions": dimensions}
    query = {"id": "m", "metric_stat": {"metric": asked, "stat": stat, "period": period}}
    found = stage.call(
        get_metric_data, metric_data_queries=[query], start_time=moment(stage.now - 5 * MINUTE),
        end_time=moment(stage.now + MINUTE), scan_by="TimestampAscending",
    )  # fmt: skip
    values: list[float] = found["metric_data_results"][0]["values"]
    return values


def pass_seconds(stage: Any, seconds: int) -> None:
    for _ in range(seconds):
        observe(stage.platform, stage.now)
        stage.ahead += 1000


def test_a_variant_that_nobody_asks_scales_in(stage: Any) -> None:
    stage.register(low=2)
    stage.attend()
    stage.register(low=1)
    stage.track(10)
    for _ in range(13):
        pass_seconds(stage, 60)
        stage.attend()
        assert stage.count == 2
    minutes = measured(stage, "InvocationsPerInstance", period=60, stat="Sum")
    assert set(minutes) == {0.0}
    assert 4 <= len(minutes) <= 6, "it depends on where in a minute the test began"
    pass_seconds(stage, 240)
    stage.attend()
    assert stage.count == 1


def test_how_busy_instances_are_is_measured_in_ten_seconds_each(stage: Any) -> None:
    pass_seconds(stage, 30)
    assert measured(stage, "ConcurrentRequestsPerModel", period=10, stat="Average") == [], "it is not scaled"
    stage.register()
    pass_seconds(stage, 61)
    tens = measured(stage, "ConcurrentRequestsPerModel", period=10, stat="Average")
    assert set(tens) == {0.0}
    assert len(tens) >= 5, "it depends on where in ten seconds the test began"
    assert measured(stage, "ApproximateBacklogSize", period=60, stat="Average", variant="") == []


def test_an_asynchronous_endpoint_scales_to_nothing_and_back_when_requests_wait(stage: Any) -> None:
    named = {
        "service_namespace": "sagemaker", "resource_id": "endpoint/later/variant/all",
        "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
    }  # fmt: skip

    def instances() -> int:
        return int(settled()["production_variants"][0]["current_instance_count"])

    def settled() -> dict[str, Any]:
        return until(
            lambda: stage.call(describe_endpoint, endpoint_name="later"),
            lambda it: it["endpoint_status"] == "InService",
        )

    def minutes(number: int) -> None:
        for _ in range(number):
            pass_seconds(stage, 60)
            scale_endpoints(stage.platform, stage.now)
            settled()

    variant = {"variant_name": "all", "model_name": "m", "instance_type": "ml.m5.large", "initial_instance_count": 1}
    output = {"output_config": {"s3_output_path": "s3://models/later"}}
    stage.call(
        create_endpoint_config,
        endpoint_config_name="later",
        production_variants=[variant],
        async_inference_config=output,
    )
    stage.call(create_endpoint, endpoint_name="later", endpoint_config_name="later")
    settled()
    stage.register()
    stage.call(register_scalable_target, **named, min_capacity=0, max_capacity=2)
    metric = {
        "namespace": "AWS/SageMaker", "metric_name": "ApproximateBacklogSizePerInstance", "statistic": "Average",
        "dimensions": [{"name": "EndpointName", "value": "later"}],
    }  # fmt: skip
    tracking = {"target_value": 0.5, "customized_metric_specification": metric, "scale_out_cooldown": 0}
    stage.call(
        put_scaling_policy, **named, policy_name="backlog", policy_type="TargetTrackingScaling",
        target_tracking_scaling_policy_configuration=tracking,
    )  # fmt: skip
    minutes(17)
    assert instances() == 0
    answer = stage.call(invoke_endpoint_async, endpoint_name="later", body=b"1", content_type="text/csv").answer()
    minutes(3)
    assert (
        measured(stage, "HasBacklogWithoutCapacity", period=60, stat="Maximum", endpoint="later", variant="")[-1] == 1
    )
    minutes(2)
    assert instances() == 2, "one request over a target of a half"
    bucket, _, key = answer["output_location"].removeprefix("s3://").partition("/")
    found = until(lambda: content(stage, bucket, key), lambda it: it is not None)
    assert float(found) >= 0
    stage.call(delete_endpoint, endpoint_name="later")


def content(stage: Any, bucket: str, key: str) -> bytes | None:
    try:
        return bytes(read_key(stage.actor, bucket, key, most=1000))
    except NotFound:
        return None


def until(ask: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while not done(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer
