"""A platform in this process that serves an endpoint with real workers, and whose clock the tests set."""

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from headrace.cli.chores import scale_endpoints
from headrace.cli.opening import open_platform
from headrace.server.clock import system_clock
from headrace.server.context import Platform
from headrace.server.model_server import ModelServer
from headrace.server.operations.acting import Actor
from headrace.server.operations.endpoints.configurations import create_endpoint_config
from headrace.server.operations.endpoints.deployment import Deployments
from headrace.server.operations.endpoints.endpoints import create_endpoint, describe_endpoint
from headrace.server.operations.endpoints.variants import set_capacity
from headrace.server.operations.identity.inline_policies import put_role_policy
from headrace.server.operations.identity.roles import create_role
from headrace.server.operations.metrics.storing import put_metric
from headrace.server.operations.models.models import create_model
from headrace.server.operations.scaling.activities import describe_scaling_activities
from headrace.server.operations.scaling.policies import put_scaling_policy
from headrace.server.operations.scaling.targets import deregister_scalable_target, register_scalable_target
from headrace.server.operations.storage.buckets import create_bucket
from headrace.server.operations.storage.transfer import upload
from headrace.server.resources import Place
from headrace.server.security.credentials import root
from headrace.server.settings import load_settings

MINUTE = 60_000
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAMED = {
    "service_namespace": "sagemaker",
    "resource_id": "endpoint/scaled/variant/all",
    "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
}
INVOCATIONS = {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"}


@dataclass
class Stage:
    """The platform; `ahead` is how many milliseconds its clock is ahead of the machine's."""

    platform: Platform
    ahead: int = 0

    @property
    def now(self) -> int:
        return self.platform.clock()

    @property
    def actor(self) -> Actor:
        return Actor(self.platform, root(self.platform.account), Place(self.platform.account, "us-east-1"))

    def call(self, operation: Callable[..., Any], **parameters: Any) -> Any:
        """Call an operation as the root user, in a transaction of its own."""
        with self.actor.writing() as context:
            return operation(context, **parameters)

    def register(self, low: int = 1, high: int = 4, **more: Any) -> None:
        self.call(register_scalable_target, **NAMED, min_capacity=low, max_capacity=high, **more)

    def track(self, target: float = 10, name: str = "track", **configuration: Any) -> None:
        """Put a policy that tracks invocations, or another metric that is given."""
        if "customized_metric_specification" not in configuration:
            configuration["predefined_metric_specification"] = INVOCATIONS
        given = {"target_value": target, **configuration}
        self.call(
            put_scaling_policy, **NAMED, policy_name=name, policy_type="TargetTrackingScaling",
            target_tracking_scaling_policy_configuration=given,
        )  # fmt: skip

    def invoked(self, *values: float, metric: str = "InvocationsPerInstance", attend: bool = True) -> None:
        """Let minutes pass in which each instance was invoked so often, and see to what is due after each."""
        for value in values:
            begin = self.now // MINUTE * MINUTE
            with self.platform.metadata.writing() as connection:
                dimensions = {"EndpointName": "scaled", "VariantName": "all"}
                put_metric(
                    connection, self.actor.place, "AWS/SageMaker", metric, value, dimensions, self.now, time=begin
                )
            self.ahead += MINUTE
            if attend:
                self.attend()

    def attend(self) -> None:
        """See to what is due, wait until the endpoint has changed, and see to it again."""
        scale_endpoints(self.platform, self.now)
        self.settle()
        scale_endpoints(self.platform, self.now)

    def settle(self) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while (found := self.call(describe_endpoint, endpoint_name="scaled"))["endpoint_status"] != "InService":
            assert time.monotonic() < deadline and found["endpoint_status"] != "Failed", found
            time.sleep(0.02)
        return dict(found)

    @property
    def count(self) -> int:
        """The number of workers that serve now, which is what the endpoint says as well."""
        found = self.settle()
        said = int(found["production_variants"][0]["current_instance_count"])
        assert self.platform.models is not None
        assert len(self.platform.models.instances(f"{found['endpoint_arn']}/all")) == said
        return said

    def activities(self, *, every: bool = False, since: int = 0) -> list[dict[str, Any]]:
        """Return what was done since a time, the oldest first; with `every` also what was not scaled."""
        found = self.call(
            describe_scaling_activities, **NAMED, include_not_scaled_activities=every
        )["scaling_activities"]  # fmt: skip
        return [each for each in reversed(found) if each["start_time"].timestamp() * 1000 >= since]


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found: list[Stage] = []
    settings = load_settings(data=tmp_path_factory.mktemp("scaling") / "data")
    with open_platform(settings, lambda: system_clock() + (found[0].ahead if found else 0)) as opened:
        platform = replace(opened.platform, models=ModelServer())
        found.append(Stage(platform))
        with Deployments(platform):
            _serve(found[0])
            yield found[0]


@pytest.fixture
def stage(staged: Stage) -> Iterator[Stage]:
    """Give the endpoint `scaled` with one instance, an hour after the test before, at the beginning of a minute."""
    staged.ahead += 3_600_000
    staged.ahead -= staged.now % MINUTE
    yield staged
    staged.settle()
    staged.call(deregister_scalable_target, **NAMED)
    if staged.count != 1:
        staged.call(set_capacity, endpoint_name="scaled", variant_name="all", count=1)
        staged.settle()


def _serve(stage: Stage) -> None:
    import xgboost

    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    rights = {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}
    role = stage.call(create_role, role_name="r", assume_role_policy_document=_document(trust))["role"]["arn"]
    stage.call(put_role_policy, role_name="r", policy_name="p", policy_document=_document(rights))
    stage.call(create_bucket, bucket="models")
    x = np.arange(8, dtype=np.float32).reshape(-1, 1)
    trained = xgboost.train({"max_depth": 1, "nthread": 1}, xgboost.DMatrix(x, label=x[:, 0]), 1)
    content = bytes(trained.save_raw("json"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    upload(stage.actor, "models", "model.tar.gz", buffer.getvalue())
    container = {"image": IMAGE, "model_data_url": "s3://models/model.tar.gz"}
    stage.call(create_model, model_name="m", primary_container=container, execution_role_arn=role)
    variant = {"variant_name": "all", "model_name": "m", "instance_type": "ml.m5.large", "initial_instance_count": 1}
    stage.call(create_endpoint_config, endpoint_config_name="c", production_variants=[variant])
    stage.call(create_endpoint, endpoint_name="scaled", endpoint_config_name="c")
    stage.settle()


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})
