"""Models as boto3 sees them: created, described, listed, deleted, and refused."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:1.7-1"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def data(upload: Make, unique: Make) -> str:
    """Return the URI of an object that stands for a model."""
    return upload(f"{unique('model')}/model.tar.gz", b"not looked into before it is deployed")


@pytest.fixture
def create(sagemaker: Any, role: str, unique: Make) -> Make:
    def make(**members: Any) -> str:
        name = members.pop("ModelName", None) or unique("Model")
        sagemaker.create_model(**{"ModelName": name, "ExecutionRoleArn": role} | members)
        return name

    return make


def test_a_model_is_described_as_it_was_created(sagemaker: Any, create: Make, role: str, data: str) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": data, "Environment": {"MMS_JOB_QUEUE_SIZE": "4"}}
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    name = create(
        PrimaryContainer=container, VpcConfig=vpc, EnableNetworkIsolation=True, Tags=[{"Key": "a", "Value": "b"}]
    )
    found = sagemaker.describe_model(ModelName=name)
    assert found["ModelArn"].endswith(f":model/{name.lower()}")
    assert found["PrimaryContainer"] == container | {"Mode": "SingleModel"}
    assert found["VpcConfig"] == vpc
    assert found["EnableNetworkIsolation"] is True
    assert found["ExecutionRoleArn"] == role
    assert "Containers" not in found
    assert found["CreationTime"].tzinfo is not None
    assert sagemaker.list_tags(ResourceArn=found["ModelArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    (listed,) = sagemaker.list_models(NameContains=name)["Models"]
    assert listed["ModelArn"] == found["ModelArn"]
    sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError, match=f'Could not find model "{found["ModelArn"]}"') as raised:
        sagemaker.describe_model(ModelName=name)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_pipelines_direct_mode_and_many_models(sagemaker: Any, create: Make, data: str, bucket: str) -> None:
    containers = [
        {"ContainerHostname": "first", "Image": XGBOOST, "ModelDataUrl": data, "Mode": "SingleModel"},
        {"ContainerHostname": "second", "Image": XGBOOST, "ModelDataUrl": data, "Mode": "SingleModel"},
    ]
    name = create(Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    found = sagemaker.describe_model(ModelName=name)
    assert found["Containers"] == containers
    assert found["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert "PrimaryContainer" not in found
    many = {"Image": XGBOOST, "ModelDataUrl": f"s3://{bucket}/nothing-yet/", "Mode": "MultiModel"}
    assert sagemaker.describe_model(ModelName=create(PrimaryContainer=many))["PrimaryContainer"] == many


def test_data_may_lie_unpacked_under_a_prefix(create: Make, bucket: str, upload: Make) -> None:
    upload("unpacked/xgboost-model", b"model")

    def source(uri: str) -> dict[str, Any]:
        where = {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}
        return {"PrimaryContainer": {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": where}}}

    assert create(**source(f"s3://{bucket}/unpacked/"))
    with pytest.raises(ClientError, match=f"Could not find model data at s3://{bucket}/elsewhere/."):
        create(**source(f"s3://{bucket}/elsewhere/"))
    with pytest.raises(ClientError, match="must end with a slash"):
        create(**source(f"s3://{bucket}/unpacked"))


def test_a_taken_name_is_refused(create: Make, data: str) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": data}
    name = create(PrimaryContainer=container)
    for taken in (name, name.upper()):
        with pytest.raises(ClientError, match='Cannot create already existing model "arn:aws:sagemaker:') as raised:
            create(ModelName=taken, PrimaryContainer=container)
        assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_data_that_is_not_there_or_forbidden_is_refused(create: Make, bucket: str, data: str, make_role: Make) -> None:
    for uri in (f"s3://{bucket}/none.tar.gz", "s3://no-such-bucket-anywhere/model.tar.gz"):
        with pytest.raises(ClientError, match=f"Could not find model data at {uri}.") as raised:
            create(PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": uri})
        assert raised.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match=f'Could not access model data at {data}.*the role has "s3:GetObject"'):
        create(PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": data}, ExecutionRoleArn=make_role(None))
    with pytest.raises(ClientError, match=r"regular expression pattern|is no S3 URI"):
        create(PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": "file:///etc/passwd"})


def test_a_role_that_is_none_is_refused(create: Make, data: str, make_role: Make) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": data}
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
    other = make_role(trust=trust)
    for arn in (other, other.rpartition("/")[0] + "/nobody"):
        with pytest.raises(ClientError, match="Could not assume role") as raised:
            create(PrimaryContainer=container, ExecutionRoleArn=arn)
        assert raised.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:1", "needs a container engine"),
        ("nginx", "needs a container engine"),
        (f"{REGISTRY}/blazingtext:1", "not built in here yet"),
    ],
)
def test_an_image_that_can_not_serve_is_refused(create: Make, data: str, image: str, sentence: str) -> None:
    with pytest.raises(ClientError, match=f"Requested image {image} not found.*{sentence}"):
        create(PrimaryContainer={"Image": image, "ModelDataUrl": data})


def test_containers_that_do_not_go_together_are_refused(create: Make, data: str, bucket: str) -> None:
    one = {"Image": XGBOOST, "ModelDataUrl": data}
    many = {"Image": XGBOOST, "ModelDataUrl": f"s3://{bucket}/", "Mode": "MultiModel"}
    source = {"S3DataSource": {"S3Uri": data, "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    for members, sentence in (
        ({}, "Neither Containers nor PrimaryContainer"),
        ({"PrimaryContainer": one, "Containers": [one]}, "Both Containers and PrimaryContainer"),
        ({"PrimaryContainer": {"ModelDataUrl": data}}, "either an Image or a ModelPackageName"),
        ({"PrimaryContainer": one | {"ModelDataSource": source}}, "both ModelDataUrl and ModelDataSource"),
        ({"PrimaryContainer": {"Image": XGBOOST, "Mode": "MultiModel"}}, "needs ModelDataUrl"),
        ({"Containers": [one | {"ContainerHostname": "a"}, one]}, "for all of several containers"),
        ({"Containers": [one | {"ContainerHostname": "a"}] * 2}, "must be unique"),
        ({"Containers": [many, many]}, "Only one container"),
        ({"Containers": [one, one], "InferenceExecutionConfig": {"Mode": "Direct"}}, "Mode Direct needs"),
        (
            {"PrimaryContainer": {"ModelPackageName": "nobody/1"}},
            "Model Package .*model-package/nobody/1 does not exist",
        ),
    ):
        with pytest.raises(ClientError, match=sentence) as raised:
            create(**members)
        assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_a_registered_version_can_be_deployed(sagemaker: Any, create: Make, data: str, unique: Make) -> None:
    group = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": data, "Environment": {"A": "1"}}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    name = create(Containers=[{"ModelPackageName": package}])
    assert sagemaker.describe_model(ModelName=name)["Containers"] == [{"ModelPackageName": package}]
    with pytest.raises(ClientError, match="Environment variable map cannot be specified both at Model Package"):
        create(PrimaryContainer={"ModelPackageName": package, "Environment": {"A": "2"}})
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )


@pytest.mark.parametrize("name", ["a_b", "-a", "a-", "a.b", "ä", "a" * 64, "a b"])
def test_a_name_against_the_pattern_is_refused(sagemaker: Any, create: Make, data: str, name: str) -> None:
    variant = {"VariantName": "a", "ModelName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    for call in (
        lambda: create(ModelName=name, PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": data}),
        lambda: sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant]),
        lambda: sagemaker.create_endpoint_config(
            EndpointConfigName="a", ProductionVariants=[variant | {"VariantName": name}]
        ),
        lambda: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="a"),
        lambda: sagemaker.describe_model(ModelName=name),
    ):
        with pytest.raises(ClientError, match=r"regular expression pattern|length less than or equal to 63") as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "ValidationException"
