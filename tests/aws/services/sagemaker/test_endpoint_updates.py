"""Endpoints that change while they are asked: other models, weights and numbers of instances."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
PCA = "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def load(ask: Make) -> Any:
    """Return a context manager that asks an endpoint from four threads all the time, and yields what it answers."""

    @contextmanager
    def asking(name: str) -> Iterator[list[Any]]:
        answers: list[Any] = []
        done = threading.Event()

        def repeat() -> None:
            while not done.wait(0.01):
                try:
                    answers.append(ask(name))
                except ClientError as error:
                    answers.append(error)

        threads = [threading.Thread(target=repeat) for _ in range(4)]
        for each in threads:
            each.start()
        try:
            yield answers
        finally:
            done.set()
            for each in threads:
                each.join()

    return asking


@pytest.mark.parametrize("variant", ["AllTraffic", "Other"])
def test_an_update_drops_no_request(
    sagemaker: Any, configure: Make, endpoint: Make, settle: Make, ask: Make, load: Any, variant: str
) -> None:
    name, other = endpoint(configure(slope=1.0)), configure(slope=3.0, InitialInstanceCount=2, VariantName=variant)
    with load(name) as answers:
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
        found = settle(name)
        after = [ask(name) for _ in range(5)]
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == other
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert after == pytest.approx([1.5] * 5, abs=0.15)
    assert [each for each in answers if isinstance(each, ClientError)] == []
    assert {round(each) for each in answers} <= {0, 1, 2}
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_update_to_a_model_that_does_not_load_is_rolled_back(
    sagemaker: Any, configure: Make, endpoint: Make, settle: Make, ask: Make, archive: Make
) -> None:
    first = configure()
    name = endpoint(first)
    broken = configure(archive({"xgboost-model": b"no model"}))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    found = settle(name)
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == first
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "PendingDeploymentSummary" not in found
    assert ask(name) == pytest.approx(0.5, abs=0.05)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configure(slope=2.0))
    assert "FailureReason" not in settle(name)
    assert ask(name) == pytest.approx(1.0, abs=0.1)
    sagemaker.delete_endpoint(EndpointName=name)


def test_weights_and_counts_change(
    sagemaker: Any, configure: Make, endpoint: Make, settle: Make, unique: Make, ask: Make, load: Any
) -> None:
    one, two, both = configure(slope=1.0), configure(slope=3.0), unique("both")
    given = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=both,
        ProductionVariants=[
            {"VariantName": "one", "ModelName": one, "InitialVariantWeight": 9, **given},
            {"VariantName": "two", "ModelName": two, "InitialVariantWeight": 1, **given},
        ],
    )
    name = endpoint(both)
    with load(name) as answers:
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": "one", "DesiredWeight": 0},
                {"VariantName": "two", "DesiredInstanceCount": 3},
            ],
        )
        found = settle(name)
    variants = {each["VariantName"]: each for each in found["ProductionVariants"]}
    assert found["EndpointStatus"] == "InService"
    assert (variants["one"]["CurrentWeight"], variants["one"]["CurrentInstanceCount"]) == (0, 1)
    assert (variants["two"]["CurrentWeight"], variants["two"]["CurrentInstanceCount"]) == (1, 3)
    assert [ask(name) for _ in range(4)] == pytest.approx([1.5] * 4, abs=0.15)
    assert ask(name, TargetVariant="one") == pytest.approx(0.5, abs=0.05)
    assert [each for each in answers if isinstance(each, ClientError)] == []

    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=both, RetainAllVariantProperties=True)
    found = settle(name)
    kept = {
        each["VariantName"]: (each["CurrentWeight"], each["CurrentInstanceCount"])
        for each in found["ProductionVariants"]
    }
    assert kept == {"one": (0, 1), "two": (1, 3)}
    sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=both,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    found = settle(name)
    kept = {
        each["VariantName"]: (each["CurrentWeight"], each["CurrentInstanceCount"])
        for each in found["ProductionVariants"]
    }
    assert kept == {"one": (9, 1), "two": (1, 3)}
    sagemaker.delete_endpoint(EndpointName=name)


def test_changes_that_can_not_be_made_are_refused(sagemaker: Any, configure: Make, endpoint: Make) -> None:
    name = endpoint(configure())

    def change(**wanted: Any) -> Any:
        return sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", **wanted}]
        )

    for wanted, code, sentence in (
        ({"VariantName": "none"}, "ValidationException", "not present"),
        ({"DesiredInstanceCount": 0}, "ValidationException", "must be 1 or more"),
        ({"DesiredWeight": 0}, "ValidationException", "would be 0"),
        ({"DesiredInstanceCount": 21}, "ResourceLimitExceeded", "is 20 Instances, with current utilization of 1"),
        ({"ServerlessUpdateConfig": {"MaxConcurrency": 3}}, "ValidationException", "not serverless"),
    ):
        with pytest.raises(ClientError, match=sentence) as raised:
            change(**wanted)
        assert raised.value.response["Error"]["Code"] == code
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    sagemaker.delete_endpoint(EndpointName=name)


SIZE = {"Type": "INSTANCE_COUNT", "Value": 1}
ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": SIZE, "WaitIntervalInSeconds": 1}}


def blue_green(**routing: Any) -> dict[str, Any]:
    """Return a DeploymentConfig of steps a second long."""
    shown = {"TrafficRoutingConfiguration": routing | {"WaitIntervalInSeconds": 1}, "TerminationWaitInSeconds": 0}
    return {"BlueGreenUpdatePolicy": shown}


@pytest.mark.parametrize(
    "policy",
    [blue_green(Type="CANARY", CanarySize=SIZE), blue_green(Type="LINEAR", LinearStepSize=SIZE), ROLLING],
    ids=["canary", "linear", "rolling"],
)
def test_traffic_moves_in_steps(
    sagemaker: Any, configure: Make, endpoint: Make, settle: Make, load: Any, policy: dict[str, Any]
) -> None:
    name, other = endpoint(configure(InitialInstanceCount=2)), configure(slope=3.0, InitialInstanceCount=2)
    with load(name) as answers:
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other, DeploymentConfig=policy)
        found = settle(name)
    assert found["LastDeploymentConfig"] == policy
    assert found["EndpointConfigName"] == other
    assert [each for each in answers if isinstance(each, ClientError)] == []
    firsts = [round(each) for each in answers]
    change = firsts.index(max(firsts))
    assert min(firsts) in firsts[change:], "old instances answer beside the new one for a while"
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_policy_whose_parts_do_not_go_together_is_refused(
    sagemaker: Any, configure: Make, endpoint: Make, unique: Make
) -> None:
    configuration = configure()
    name, canary = endpoint(configuration), blue_green(Type="CANARY", CanarySize=SIZE)
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    for policy, said in (
        (canary | ROLLING, "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy"),
        (blue_green(Type="LINEAR"), "Type LINEAR needs LinearStepSize"),
        (canary | alarms, "alarms of CloudWatch are not built in here"),
    ):
        for call in (
            lambda policy=policy: sagemaker.update_endpoint(
                EndpointName=name, EndpointConfigName=configuration, DeploymentConfig=policy
            ),
            lambda policy=policy: sagemaker.create_endpoint(
                EndpointName=unique("never"), EndpointConfigName=configuration, DeploymentConfig=policy
            ),
        ):
            with pytest.raises(ClientError, match=said) as raised:
                call()
            assert raised.value.response["Error"]["Code"] == "ValidationException"
    sagemaker.delete_endpoint(EndpointName=name)


def test_instances_that_die_are_replaced(
    server: Any, sagemaker: Any, configure: Make, endpoint: Make, ask: Make, wait: Make
) -> None:
    before = {each.pid for each in psutil.Process(server.process.pid).children()}
    name = endpoint(configure(InitialInstanceCount=2))

    def hosts() -> list[psutil.Process]:
        children = psutil.Process(server.process.pid).children()
        return [each for each in children if each.pid not in before and each.status() != psutil.STATUS_ZOMBIE]

    first = hosts()
    assert len(first) == 2
    for each in first:
        each.kill()
    wait(lambda: {"new": [each for each in hosts() if each not in first]}, lambda answer: len(answer["new"]) == 2, 20)

    def answers() -> dict[str, Any]:
        try:
            return {"answer": ask(name)}
        except ClientError as error:
            return {"error": str(error)}

    assert wait(answers, lambda answer: "answer" in answer, 20)["answer"] == pytest.approx(0.5, abs=0.05)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    sagemaker.delete_endpoint(EndpointName=name)
