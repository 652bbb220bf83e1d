"""Application Auto Scaling through boto3, on a server that looks at its endpoints every second."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

INSTANCES, CONCURRENCY = "sagemaker:variant:DesiredInstanceCount", "sagemaker:variant:DesiredProvisionedConcurrency"
INVOCATIONS = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Start a server that measures endpoints by the second."""
    flags: tuple[str, ...] = ()
    if os.environ.get("HEADRACE_TEST_DATABASE") == "postgresql":
        flags = ("--database", request.getfixturevalue("postgresql").create())
    environment = {"HEADRACE_SCALING_SECONDS": "1"}
    running = start(tmp_path_factory.mktemp("scaling") / "data", *flags, environment=environment)
    yield running
    running.process.terminate()
    running.process.communicate(timeout=40)
    assert running.process.returncode == 0, "the server stops cleanly"
    assert "Traceback" not in running.log


@pytest.fixture
def scaling(client: Callable[..., Any]) -> Any:
    return client("application-autoscaling")


@pytest.fixture
def served(configure: Callable[..., str], endpoint: Callable[[str], str]) -> str:
    """Return the name of an endpoint with one instance of one variant."""
    return endpoint(configure())


def named(name: str, dimension: str = INSTANCES) -> dict[str, str]:
    resource = f"endpoint/{name}/variant/AllTraffic"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": dimension}


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def track(scaling: Any, name: str, target: float, **more: Any) -> dict[str, Any]:
    given = {"TargetValue": target, **(more or INVOCATIONS)}
    answer: dict[str, Any] = scaling.put_scaling_policy(
        **named(name), PolicyName="track", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=given,
    )  # fmt: skip
    return answer


def activities(scaling: Any, name: str, **more: Any) -> list[dict[str, Any]]:
    found = scaling.get_paginator("describe_scaling_activities").paginate(**named(name), **more)
    return [each for page in found for each in page["ScalingActivities"]]


class Load:
    """Clients that ask an endpoint one request after another, until the end of the block."""

    def __init__(self, ask: Callable[..., float], name: str, clients: int) -> None:
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(ask, name)) for _ in range(clients)]

    def run(self, ask: Callable[..., float], name: str) -> None:
        while not self.stop.wait(0.02):
            ask(name)

    def __enter__(self) -> None:
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.slow
def test_invocations_start_instances_and_quiet_or_other_bounds_stop_them(
    scaling: Any, served: str, ask: Callable[..., float], settle: Callable[..., Any], wait: Callable[..., Any]
) -> None:
    def instances() -> dict[str, Any]:
        found: dict[str, Any] = settle(served)["ProductionVariants"][0]
        return found

    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=3)
    track(scaling, served, 5, **INVOCATIONS, ScaleInCooldown=0, ScaleOutCooldown=0)
    with Load(ask, served, 1):
        wait(instances, lambda found: found["CurrentInstanceCount"] == 3)
        (first, *_) = wait(
            lambda: activities(scaling, served)[::-1], lambda found: found and found[0]["StatusCode"] == "Successful"
        )
    assert "in state ALARM triggered policy track" in first["Cause"]
    assert first["Description"].startswith("Setting desired instance count to ")
    assert first["StatusMessage"].endswith("Change successfully fulfilled by sagemaker.")
    assert first["EndTime"] >= first["StartTime"]
    wait(instances, lambda found: found["CurrentInstanceCount"] == 1)
    (last, *_) = wait(lambda: activities(scaling, served), lambda found: found[0]["StatusCode"] == "Successful")
    assert "-AlarmLow-" in last["Cause"]
    scaling.register_scalable_target(**named(served), MinCapacity=3)
    assert instances()["CurrentInstanceCount"] == 3, "a higher minimum starts instances at once"
    soon = datetime.now(UTC) + timedelta(seconds=2)
    scaling.put_scheduled_action(
        **named(served), ScheduledActionName="night", Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1},
    )  # fmt: skip
    wait(instances, lambda found: found["CurrentInstanceCount"] == 1)
    causes = [each["Cause"] for each in activities(scaling, served)]
    assert causes[:2] == ["maximum capacity was set to 1", "scheduled action name night was triggered"]


@pytest.mark.slow
def test_requests_at_work_start_instances(
    scaling: Any,
    served: str,
    ask: Callable[..., float],
    settle: Callable[..., Any],
    wait: Callable[..., Any],
    client: Any,
) -> None:
    kind = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=2)
    track(scaling, served, 0.001, PredefinedMetricSpecification=kind)
    with Load(ask, served, 4):
        wait(lambda: settle(served)["ProductionVariants"][0], lambda found: found["CurrentInstanceCount"] == 2)
    assert "-AlarmHigh-" in activities(scaling, served)[0]["Cause"]
    dimensions = [{"Name": "EndpointName", "Value": served}, {"Name": "VariantName", "Value": "AllTraffic"}]
    found = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker", MetricName="ConcurrentRequestsPerModel", Dimensions=dimensions, Period=60,
        StartTime=datetime.now(UTC) - timedelta(minutes=5), EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Statistics=["Average", "Maximum"],
    )["Datapoints"]  # fmt: skip
    assert all(0 <= each["Average"] <= each["Maximum"] <= 4 for each in found)
    assert max(each["Maximum"] for each in found) > 0.001


def test_policies_are_kept_replaced_listed_and_deleted(scaling: Any, served: str) -> None:
    assert refused(lambda: track(scaling, served, 5))[0] == "ObjectNotFoundException"
    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=2)
    made = track(scaling, served, 5)
    assert [each["AlarmName"].split("-Alarm")[1][:4] for each in made["Alarms"]] == ["High", "Low-"]
    assert made["PolicyARN"].endswith(f":resource/sagemaker/endpoint/{served}/variant/AllTraffic:policyName/track")
    again = track(scaling, served, 7, **INVOCATIONS, DisableScaleIn=True, ScaleInCooldown=60)
    assert (again["PolicyARN"], again["Alarms"]) == (made["PolicyARN"], made["Alarms"])
    (found,) = scaling.describe_scaling_policies(**named(served))["ScalingPolicies"]
    assert found["PolicyARN"] == made["PolicyARN"]
    assert found["PolicyType"] == "TargetTrackingScaling"
    assert found["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 7.0, "DisableScaleIn": True, "ScaleInCooldown": 60, **INVOCATIONS,
    }  # fmt: skip
    assert found["Alarms"] == made["Alarms"]
    assert (
        scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["other"])["ScalingPolicies"] == []
    )
    scaling.delete_scaling_policy(**named(served), PolicyName="track")
    assert scaling.describe_scaling_policies(**named(served))["ScalingPolicies"] == []
    code, message = refused(scaling.delete_scaling_policy, **named(served), PolicyName="track")
    assert (code, message.split(":")[0]) == ("ObjectNotFoundException", "No scaling policy found for service namespace")


OTHER_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity"}},
     "alarms are not built in here; use TargetTrackingScaling"),
    ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0, **INVOCATIONS}}, "StepScaling acts when"),
    ({"PolicyType": "PredictiveScaling"}, "PredictiveScaling is for ECS services only"),
    ({"PolicyType": "TargetTrackingScaling"}, "needs TargetTrackingScalingPolicyConfiguration"),
]  # fmt: skip
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"TargetValue": 5.0}, "one of the two"),
    ({"TargetValue": 0.0, **INVOCATIONS}, "must be greater than 0"),
    ({"TargetValue": 5.0, **INVOCATIONS, "ScaleInCooldown": -1}, "Cooldowns must be 0 or more"),
    ({"TargetValue": 5.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}},
     "is not for sagemaker:variant:DesiredInstanceCount; send SageMakerVariantInvocationsPerInstance, "),
    ({"TargetValue": 5.0, "CustomizedMetricSpecification": {"MetricName": "m"}}, "needs Metrics or MetricName"),
    ({"TargetValue": 5.0, "CustomizedMetricSpecification": {"Metrics": [{"Id": "e1", "Expression": "m1 +"}]}},
     "The metric of the policy can't be computed: "),
    ({"TargetValue": 5.0, **INVOCATIONS}, "Only one TargetTrackingScaling policy for a metric specification"),
]  # fmt: skip


def test_policies_that_can_not_be_followed_are_refused(scaling: Any, served: str) -> None:
    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=2)
    track(scaling, served, 5)
    tracking = [
        ({"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": given}, words)
        for given, words in WRONG
    ]
    for given, words in (*OTHER_TYPES, *tracking):
        code, message = refused(scaling.put_scaling_policy, **named(served), PolicyName="p", **given)
        assert code == "ValidationException"
        assert words in message


def test_targets_that_are_none_are_refused(scaling: Any, served: str) -> None:
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    for given, words in (
        ({**named("nothing"), **bounds}, "Endpoint or variant doesn't exist"),
        ({**named(served), **bounds, "ResourceId": "endpoint/x"}, "not of the form endpoint/NAME/variant/NAME"),
        ({**named(served, CONCURRENCY), **bounds}, "is not serverless and has no DesiredProvisionedConcurrency"),
        ({**named(served), **bounds, "ScalableDimension": "ecs:service:DesiredCount"}, "this server scales"),
        ({**named(served), "MinCapacity": 1}, "needs MinCapacity and MaxCapacity"),
        ({**named(served), "MinCapacity": 3, "MaxCapacity": 2}, "cannot be less than minimum"),
        ({**named(served), "MinCapacity": -1, "MaxCapacity": 2}, "cannot be less than 0"),
    ):
        code, message = refused(scaling.register_scalable_target, **given)
        assert code == "ValidationException"
        assert words in message
    for call in (scaling.describe_scalable_targets, scaling.describe_scaling_activities):
        assert refused(call, ServiceNamespace="sagemaker", MaxResults=51)[0] == "ValidationException"
        assert refused(call, ServiceNamespace="sagemaker", NextToken="x")[0] == "InvalidNextTokenException"
        assert refused(call, ServiceNamespace="sagemaker", ScalableDimension=INSTANCES)[0] == "ValidationException"


def test_provisioned_concurrency_of_a_serverless_variant_is_scaled(
    scaling: Any, configure: Callable[..., str], endpoint: Callable[[str], str], settle: Callable[..., Any]
) -> None:
    limits = {"MemorySizeInMB": 1024, "MaxConcurrency": 5}
    plain = endpoint(configure(ServerlessConfig=limits))
    code, message = refused(
        scaling.register_scalable_target, **named(plain, CONCURRENCY), MinCapacity=1, MaxCapacity=2
    )  # fmt: skip
    assert (code, "has no ProvisionedConcurrency" in message) == ("ValidationException", True)
    name = endpoint(configure(ServerlessConfig={**limits, "ProvisionedConcurrency": 1}))
    scaling.register_scalable_target(**named(name, CONCURRENCY), MinCapacity=2, MaxCapacity=4)
    assert settle(name)["ProductionVariants"][0]["CurrentServerlessConfig"]["ProvisionedConcurrency"] == 2
    kind = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    scaling.put_scaling_policy(
        **named(name, CONCURRENCY), PolicyName="p", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 0.7, "PredefinedMetricSpecification": kind},
    )  # fmt: skip
    found = scaling.describe_scaling_activities(**named(name, CONCURRENCY))["ScalingActivities"]
    assert found[0]["Description"] == "Setting desired provisioned concurrency to 2."


def test_scheduled_actions_are_kept_listed_and_deleted(scaling: Any, served: str) -> None:
    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=2)
    for number in range(3):
        scaling.put_scheduled_action(
            **named(served), ScheduledActionName=f"a{number}", Schedule="cron(0 8 * * ? *)", Timezone="Europe/Paris",
            ScalableTargetAction={"MinCapacity": number},
        )  # fmt: skip
    pages = scaling.get_paginator("describe_scheduled_actions").paginate(
        **named(served), PaginationConfig={"PageSize": 2}
    )
    found = [each for page in pages for each in page["ScheduledActions"]]
    assert [each["ScheduledActionName"] for each in found] == ["a0", "a1", "a2"]
    assert (found[2]["Schedule"], found[2]["Timezone"]) == ("cron(0 8 * * ? *)", "Europe/Paris")
    assert found[2]["ScalableTargetAction"] == {"MinCapacity": 2}
    assert ":scheduledAction:" in found[0]["ScheduledActionARN"]
    scaling.delete_scheduled_action(**named(served), ScheduledActionName="a1")
    left = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker", ScheduledActionNames=["a1", "a2"])
    assert [each["ScheduledActionName"] for each in left["ScheduledActions"]] == ["a2"]
    assert refused(scaling.delete_scheduled_action, **named(served), ScheduledActionName="a1")[0] == (
        "ObjectNotFoundException"
    )
    code, message = refused(
        scaling.put_scheduled_action, **named(served), ScheduledActionName="b", Schedule="cron(0 8 * * * *)",
        ScalableTargetAction={"MinCapacity": 1},
    )  # fmt: skip
    assert (code, "needs ?" in message) == ("ValidationException", True)
    scaling.deregister_scalable_target(**named(served))
    assert scaling.describe_scheduled_actions(**named(served))["ScheduledActions"] == []


def test_a_scaled_variant_is_neither_removed_nor_changed_and_goes_with_its_endpoint(
    scaling: Any, served: str, configure: Callable[..., str], client: Callable[..., Any]
) -> None:
    sagemaker = client("sagemaker")
    scaling.register_scalable_target(**named(served), MinCapacity=1, MaxCapacity=2)
    track(scaling, served, 5)
    for change in ({"InstanceType": "ml.m5.xlarge"}, {"VariantName": "Other"}):
        other = configure(**change)
        code, message = refused(sagemaker.update_endpoint, EndpointName=served, EndpointConfigName=other)
        assert (code, "is a scalable target" in message) == ("ValidationException", True)
    sagemaker.delete_endpoint(EndpointName=served)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[named(served)["ResourceId"]])[
        "ScalableTargets"
    ] == []  # fmt: skip
    assert scaling.describe_scaling_policies(**named(served))["ScalingPolicies"] == []


@pytest.fixture
def user(client: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., Callable[[str], Any]]:
    """Return what makes a user who may do some actions (on resources), and gives what makes that user's clients."""

    def make(*actions: str, resources: str | list[str] = "*") -> Callable[[str], Any]:
        iam, name = client("iam"), unique("user")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return lambda service: client(service, **keys)

    return make


def test_callers_need_the_documented_permissions(
    scaling: Any, served: str, user: Callable[..., Any], client: Callable[..., Any]
) -> None:
    bounds = {**named(served), "MinCapacity": 1, "MaxCapacity": 2}
    own = "application-autoscaling:*"
    needed = ("sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities")
    for lacking in needed:
        register = user(own, *(each for each in needed if each != lacking))(scaling.meta.service_model.service_name)
        code, message = refused(register.register_scalable_target, **bounds)
        assert (code, lacking in message) == ("AccessDeniedException", True)
    iam, role_name = client("iam"), "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    scaling.register_scalable_target(**bounds)
    scaling.deregister_scalable_target(**named(served))
    iam.delete_service_linked_role(RoleName=role_name)
    code, message = refused(user(own, *needed)("application-autoscaling").register_scalable_target, **bounds)
    assert (code, "iam:CreateServiceLinkedRole" in message) == ("AccessDeniedException", True)
    user(own, *needed, "iam:CreateServiceLinkedRole")("application-autoscaling").register_scalable_target(**bounds)
    role = iam.get_role(RoleName=role_name)["Role"]
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[bounds["ResourceId"]]
    )["ScalableTargets"]  # fmt: skip
    assert target["RoleARN"] == role["Arn"]
    untagged = user("application-autoscaling:RegisterScalableTarget", *needed)("application-autoscaling")
    scaling.deregister_scalable_target(**named(served))
    code, message = refused(untagged.register_scalable_target, **bounds, Tags={"team": "red"})
    assert (code, "application-autoscaling:TagResource" in message) == ("AccessDeniedException", True)
    scaling.register_scalable_target(**bounds, Tags={"team": "red"})
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[bounds["ResourceId"]])[
        "ScalableTargets"
    ]
    assert scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"] == {"team": "red"}
    code, message = refused(lambda: track(user(own)("application-autoscaling"), served, 5))
    assert (code, "cloudwatch:PutMetricAlarm" in message) == ("AccessDeniedException", True)
    limited = user(own, resources=target["ScalableTargetARN"])("application-autoscaling")
    limited.put_scheduled_action(
        **named(served), ScheduledActionName="a", Schedule="rate(1 day)", ScalableTargetAction={"MaxCapacity": 2}
    )
    delete = user("sagemaker:DeleteEndpoint")("sagemaker").delete_endpoint
    code, message = refused(delete, EndpointName=served)
    assert (code, "application-autoscaling:DeregisterScalableTarget" in message) == ("AccessDeniedException", True)
    user("sagemaker:DeleteEndpoint", own)("sagemaker").delete_endpoint(EndpointName=served)
