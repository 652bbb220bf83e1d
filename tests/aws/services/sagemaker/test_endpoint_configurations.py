"""Endpoint configurations as boto3 sees them: created, described, listed, deleted, and refused."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def model(sagemaker: Any, role: str, upload: Make, unique: Make) -> str:
    name = unique("model")
    container = {"Image": XGBOOST, "ModelDataUrl": upload("model.tar.gz", b"model")}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    return name


@pytest.fixture
def variant(model: str) -> Make:
    def make(name: str = "AllTraffic", **members: Any) -> dict[str, Any]:
        given = {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        return {key: value for key, value in (given | members).items() if value is not None}

    return make


@pytest.fixture
def create(sagemaker: Any, unique: Make) -> Make:
    def make(*variants: dict[str, Any], **members: Any) -> str:
        name = unique("Config")
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **members)
        return name

    return make


def test_a_configuration_is_described_as_it_was_created(
    sagemaker: Any, create: Make, variant: Make, bucket: str
) -> None:
    members = {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": f"s3://{bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
            "OutputConfig": {"S3OutputPath": f"s3://{bucket}/results", "S3FailurePath": f"s3://{bucket}/failures"},
        },
        "KmsKeyId": "alias/mine",
    }
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 3}
    name = create(
        variant("one", InitialVariantWeight=3.0, ManagedInstanceScaling=scaling),
        variant("two"),
        Tags=[{"Key": "a", "Value": "b"}],
        **members,
    )
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert {key: found[key] for key in members} == members
    assert found["ProductionVariants"] == [
        variant("one", InitialVariantWeight=3.0, ManagedInstanceScaling=scaling),
        variant("two", InitialVariantWeight=1.0),
    ]
    assert found["EndpointConfigArn"].endswith(f":endpoint-config/{name.lower()}")
    assert "ShadowProductionVariants" not in found
    assert sagemaker.list_tags(ResourceArn=found["EndpointConfigArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    (listed,) = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert listed["EndpointConfigArn"] == found["EndpointConfigArn"]
    with pytest.raises(ClientError, match='Cannot create already existing endpoint configuration "arn:'):
        sagemaker.create_endpoint_config(EndpointConfigName=name.upper(), ProductionVariants=[variant()])
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for call in (sagemaker.describe_endpoint_config, sagemaker.delete_endpoint_config):
        with pytest.raises(ClientError, match='Could not find endpoint configuration "arn:') as raised:
            call(EndpointConfigName=name)
        assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_a_serverless_and_a_shadow_variant_are_taken(sagemaker: Any, create: Make, variant: Make) -> None:
    limits = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    serverless = variant(InstanceType=None, InitialInstanceCount=None, ServerlessConfig=limits)
    found = sagemaker.describe_endpoint_config(EndpointConfigName=create(serverless))
    assert found["ProductionVariants"][0]["ServerlessConfig"] == limits
    name = create(variant("one"), ShadowProductionVariants=[variant("shadow", InitialVariantWeight=0.5)])
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert found["ShadowProductionVariants"][0]["VariantName"] == "shadow"


def test_variants_that_do_not_go_together_are_refused(create: Make, variant: Make, bucket: str) -> None:
    limits = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}

    def serverless(**members: Any) -> dict[str, Any]:
        made: dict[str, Any] = variant(InstanceType=None, InitialInstanceCount=None, ServerlessConfig=limits | members)
        return made

    results = {"OutputConfig": {"S3OutputPath": f"s3://{bucket}/results"}}
    explainer = {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1"}}}}
    for variants, members, sentence in (
        ([variant(ModelName="none")], {}, 'Could not find model "arn:'),
        ([variant(), variant()], {}, "must be unique"),
        ([variant(InstanceType=None)], {}, "needs InstanceType, or a ServerlessConfig"),
        ([variant(ServerlessConfig=limits)], {}, "has a ServerlessConfig, and so no InstanceType"),
        ([serverless(MemorySizeInMB=1500)], {}, "must be a multiple of 1024"),
        ([serverless(ProvisionedConcurrency=6)], {}, "can't be larger than MaxConcurrency"),
        ([serverless(), variant("two")], {}, "must be the only one"),
        ([serverless()], {"AsyncInferenceConfig": results}, "without AsyncInferenceConfig"),
        ([variant("a"), variant("b")], {"ShadowProductionVariants": [variant("c")]}, "one production variant"),
        ([variant(InitialVariantWeight=0)], {}, "every production variant is 0"),
        ([variant()], {"ExplainerConfig": explainer}, "ExplainerConfig is not built in here"),
        ([variant(ModelName=None)], {}, "has no ModelName"),
        (
            [variant()],
            {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/nobody"},
            "Could not assume role|is not auth",
        ),
    ):
        with pytest.raises(ClientError, match=sentence) as raised:
            create(*variants, **members)
        assert raised.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="is 20 Instances, with current utilization of 0") as raised:
        create(variant("a", InitialInstanceCount=11), variant("b", InitialInstanceCount=10))
    assert raised.value.response["Error"]["Code"] == "ResourceLimitExceeded"
