"""Endpoints as boto3 sees them: created, described, listed and deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


def test_an_endpoint_comes_into_service_answers_and_goes(
    sagemaker: Any, configure: Make, settle: Make, unique: Make, wait: Make, ask: Make
) -> None:
    configuration, name = configure(), unique("Endpoint")
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)["EndpointArn"]
    assert arn.endswith(f":endpoint/{name.lower()}")
    found = settle(name)
    assert found["EndpointStatus"] == "InService", found
    assert found["EndpointConfigName"] == configuration
    assert "PendingDeploymentSummary" not in found
    assert "FailureReason" not in found
    (variant,) = found["ProductionVariants"]
    assert variant["VariantName"] == "AllTraffic"
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
    assert variant["CurrentWeight"] == variant["DesiredWeight"] == 1.0
    (image,) = variant["DeployedImages"]
    assert image["ResolvedImage"].startswith(f"{image['SpecifiedImage'].partition(':')[0]}@sha256:")
    assert ask(name) == pytest.approx(0.5, abs=0.05)

    sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match=f'Could not find endpoint "{arn}"') as raised:
        wait(lambda: sagemaker.describe_endpoint(EndpointName=name), lambda _: False)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_an_endpoint_that_is_being_created_shows_what_is_pending_and_takes_no_change(
    sagemaker: Any, configure: Make, settle: Make, unique: Make
) -> None:
    configuration, name = configure(InitialInstanceCount=3), unique("endpoint")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
    found = sagemaker.describe_endpoint(EndpointName=name)
    assert found["EndpointStatus"] == "Creating"
    assert found["EndpointConfigName"] == configuration
    pending = found["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == configuration
    (variant,) = pending["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == 3
    assert variant["InstanceType"] == "ml.m5.large"
    assert variant["VariantStatus"][0]["Status"] == "Creating"
    for change in (
        lambda: sagemaker.delete_endpoint(EndpointName=name),
        lambda: sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configuration),
    ):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            change()
    assert settle(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 3
    sagemaker.delete_endpoint(EndpointName=name)


def test_it_goes_on_when_its_model_and_configuration_are_deleted(
    sagemaker: Any, configure: Make, endpoint: Make, ask: Make
) -> None:
    configuration = configure()
    name = endpoint(configuration)
    sagemaker.delete_endpoint_config(EndpointConfigName=configuration)
    sagemaker.delete_model(ModelName=configuration)
    assert ask(name) == pytest.approx(0.5, abs=0.05)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == configuration
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_name_is_taken_whatever_its_case(sagemaker: Any, configure: Make, endpoint: Make) -> None:
    configuration = configure()
    name = endpoint(configuration)
    for taken in (name, name.upper()):
        with pytest.raises(ClientError, match='Cannot create already existing endpoint "arn:') as raised:
            sagemaker.create_endpoint(EndpointName=taken, EndpointConfigName=configuration)
        assert raised.value.response["Error"]["Code"] == "ValidationException"
    sagemaker.delete_endpoint(EndpointName=name)


def test_what_does_not_exist_is_said(sagemaker: Any, configure: Make, unique: Make) -> None:
    name = unique("none")
    with pytest.raises(ClientError, match='Could not find endpoint configuration "arn:'):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for call in (sagemaker.describe_endpoint, sagemaker.delete_endpoint):
        with pytest.raises(ClientError, match='Could not find endpoint "arn:'):
            call(EndpointName=name)
    configuration = configure()
    sagemaker.delete_model(ModelName=configuration)
    with pytest.raises(ClientError, match='Could not find model "arn:'):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
    with pytest.raises(ClientError, match="regular expression pattern"):
        sagemaker.create_endpoint(EndpointName="a_b", EndpointConfigName=configuration)


def test_endpoints_are_listed_and_tagged(sagemaker: Any, configure: Make, unique: Make, settle: Make) -> None:
    configuration, prefix = configure(), unique("listed")
    for number in range(3):
        arn = sagemaker.create_endpoint(
            EndpointName=f"{prefix}-{number}",
            EndpointConfigName=configuration,
            Tags=[{"Key": "number", "Value": str(number)}],
        )["EndpointArn"]
    for number in range(3):
        settle(f"{prefix}-{number}")
    first = sagemaker.list_endpoints(NameContains=prefix, MaxResults=2, SortBy="Name", SortOrder="Ascending")
    rest = sagemaker.list_endpoints(
        NameContains=prefix, MaxResults=2, SortBy="Name", SortOrder="Ascending", NextToken=first["NextToken"]
    )
    names = [each["EndpointName"] for page in (first, rest) for each in page["Endpoints"]]
    assert names == [f"{prefix}-{number}" for number in range(3)]
    assert len(sagemaker.list_endpoints(NameContains=prefix, StatusEquals="InService")["Endpoints"]) == 3
    assert sagemaker.list_endpoints(NameContains=prefix, StatusEquals="Failed")["Endpoints"] == []
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "number", "Value": "2"}]
    for name in names:
        sagemaker.delete_endpoint(EndpointName=name)


def test_what_instances_print_is_in_their_log(
    sagemaker: Any, client: Make, configure: Make, unique: Make, settle: Make, wait: Make
) -> None:
    name, logs = unique("logged"), client("logs")
    configuration = configure(b"this is no archive", image="382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
    assert settle(name)["EndpointStatus"] == "Failed"
    sagemaker.delete_endpoint(EndpointName=name)
    configuration = configure()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
    settle(name)
    group = f"/aws/sagemaker/Endpoints/{name}"
    found = wait(
        lambda: logs.describe_log_groups(logGroupNamePrefix=group), lambda answer: bool(answer["logGroups"]), 20
    )
    assert found["logGroups"][0]["logGroupName"] == group
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert all(each["logStreamName"].startswith("AllTraffic/i-0") for each in streams)
    sagemaker.delete_endpoint(EndpointName=name)
