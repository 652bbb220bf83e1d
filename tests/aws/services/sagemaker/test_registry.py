"""The model registry, through boto3."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

INFERENCE = {
    "Containers": [
        {
            "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "ModelDataUrl": "s3://bucket/model.tar.gz",
            "Environment": {"end_time": "7"},
        }
    ],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
WHOLE = INFERENCE | {
    "SupportedTransformInstanceTypes": ["ml.m5.large"],
    "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
}


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")


@pytest.fixture
def group(sagemaker: Any, unique: Callable[[str], str]) -> str:
    """Return the name of a new group."""
    name = unique("Group")
    sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="d")
    return name


def refusal(code: str, **options: Any) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{options.get('match', '')}")


def test_a_group_is_described_listed_and_deleted(sagemaker: Any, group: str) -> None:
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    arn = described["ModelPackageGroupArn"]
    assert arn.endswith(f":model-package-group/{group.lower()}")
    assert (described["ModelPackageGroupName"], described["ModelPackageGroupStatus"]) == (group, "Completed")
    assert described["ModelPackageGroupDescription"] == "d"
    assert described["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root")
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=arn)["ModelPackageGroupName"] == group
    listed = sagemaker.list_model_package_groups(NameContains=group[6:])["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupArn"] for each in listed] == [arn]
    assert not sagemaker.list_model_package_groups(CrossAccountFilterOption="CrossAccount")[
        "ModelPackageGroupSummaryList"
    ]
    with refusal("ValidationException", match="already exists"):
        sagemaker.create_model_package_group(ModelPackageGroupName=group.upper())
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with refusal("ValidationException", match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_groups_are_listed_in_pages(sagemaker: Any, unique: Callable[[str], str]) -> None:
    prefix = unique("paged")
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in names:
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(
        NameContains=prefix, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    found = [each["ModelPackageGroupName"] for page in pages for each in page["ModelPackageGroupSummaryList"]]
    assert found == names[::-1]


def test_a_group_has_a_policy(sagemaker: Any, group: str) -> None:
    named = {"ModelPackageGroupName": group}
    with refusal("ValidationException", match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(**named)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sagemaker:DescribeModelPackageGroup", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    sagemaker.put_model_package_group_policy(**named, ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(**named)["ResourcePolicy"] == policy
    with refusal("ValidationException", match="Invalid resource policy"):
        sagemaker.put_model_package_group_policy(**named, ResourcePolicy="{}")
    sagemaker.delete_model_package_group_policy(**named)
    with refusal("ValidationException"):
        sagemaker.delete_model_package_group_policy(**named)


def test_versions_count_from_one_and_are_never_used_again(sagemaker: Any, group: str) -> None:
    def register(**options: Any) -> str:
        arn: str = sagemaker.create_model_package(
            ModelPackageGroupName=group, InferenceSpecification=INFERENCE, **options
        )["ModelPackageArn"]
        return arn

    first, second = register(ModelApprovalStatus="PendingManualApproval"), register()
    assert first.endswith(f":model-package/{group.lower()}/1")
    assert second.endswith("/2")
    described = sagemaker.describe_model_package(ModelPackageName=first)
    assert described["ModelPackageGroupName"] == group
    assert (described["ModelPackageVersion"], described["ModelPackageStatus"]) == (1, "Completed")
    assert described["InferenceSpecification"] == INFERENCE
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["ModelPackageStatusDetails"]["ValidationStatuses"][0]["Status"] == "NotStarted"
    assert sagemaker.describe_model_package(ModelPackageName=f"{group}/2")["ModelPackageVersion"] == 2
    with refusal("ConflictException", match="still contains"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=second)
    assert register().endswith("/3")
    with refusal("ValidationException", match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=second)


def test_everything_that_is_registered_is_described(sagemaker: Any, group: str) -> None:
    statistics = {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/statistics.json"}}
    given = {
        "ModelPackageDescription": "d",
        "ModelMetrics": {"ModelQuality": statistics},
        "DriftCheckBaselines": {"ModelQuality": statistics},
        "CustomerMetadataProperties": {"team": "red"},
        "MetadataProperties": {"CommitId": "1"},
        "Domain": "MACHINE_LEARNING",
        "Task": "REGRESSION",
        "SamplePayloadUrl": "s3://b/sample.tar.gz",
        "SkipModelValidation": "All",
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved"},
        "ModelCard": {"ModelCardContent": '{"a": 1}', "ModelCardStatus": "Draft"},
        "AdditionalInferenceSpecifications": [{"Name": "other", "Containers": INFERENCE["Containers"]}],
        "SourceUri": "s3://anything",
        "ModelPackageRegistrationType": "Registered",
    }
    made = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=INFERENCE, ModelApprovalStatus="Approved", **given
    )
    described = sagemaker.describe_model_package(ModelPackageName=made["ModelPackageArn"])
    assert {name: described[name] for name in given} == given
    short = sagemaker.describe_model_package(ModelPackageName=made["ModelPackageArn"], IncludedData="MetadataOnly")
    assert short["ModelCard"]["ModelCardContent"] == "{}"


def test_the_same_token_registers_once(sagemaker: Any, group: str, unique: Callable[[str], str]) -> None:
    token = unique("t")

    def register(description: str) -> str:
        arn: str = sagemaker.create_model_package(
            ModelPackageGroupName=group, InferenceSpecification=INFERENCE, ClientToken=token,
            ModelPackageDescription=description,
        )["ModelPackageArn"]  # fmt: skip
        return arn

    assert register("a") == register("a")
    with refusal("ConflictException", match="token"):
        register("b")
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1


def test_approval_and_metadata_are_updated(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=INFERENCE, CustomerMetadataProperties={"a": "1", "b": "2"}
    )["ModelPackageArn"]
    assert "LastModifiedTime" not in sagemaker.describe_model_package(ModelPackageName=arn)
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good",
        CustomerMetadataProperties={"b": "3", "c": "4"}, CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[{"Name": "other", "Containers": INFERENCE["Containers"]}],
    )  # fmt: skip
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["AdditionalInferenceSpecifications"][0]["Name"] == "other"
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":root")
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [each["ModelPackageArn"] for each in approved["ModelPackageSummaryList"]] == [arn]
    rejected = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Rejected")
    assert rejected["ModelPackageSummaryList"] == []
    with refusal("ValidationException", match="50 metadata"):
        sagemaker.update_model_package(
            ModelPackageArn=arn, CustomerMetadataProperties={f"k{number}": "v" for number in range(50)}
        )


def test_packages_without_a_group_have_a_name(sagemaker: Any, group: str, unique: Callable[[str], str]) -> None:
    name = unique("Package")
    arn = sagemaker.create_model_package(
        ModelPackageName=name, InferenceSpecification=WHOLE, Tags=[{"Key": "a", "Value": "b"}]
    )["ModelPackageArn"]
    sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=INFERENCE)
    described = sagemaker.describe_model_package(ModelPackageName=name)
    assert (described["ModelPackageName"], described["ModelPackageArn"]) == (name, arn)
    assert "ModelPackageVersion" not in described
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    for kind, expected in ((None, {arn}), ("Unversioned", {arn}), ("Versioned", set())):
        options = {"ModelPackageType": kind} if kind else {}
        listed = sagemaker.list_model_packages(NameContains=name, **options)["ModelPackageSummaryList"]
        assert {each["ModelPackageArn"] for each in listed} == expected
    both = sagemaker.list_model_packages(ModelPackageType="Both", NameContains=group)["ModelPackageSummaryList"]
    assert [each["ModelPackageVersion"] for each in both] == [1]
    with refusal("ValidationException", match="already exists"):
        sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=WHOLE)
    with refusal("ValidationException", match="does not apply"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")


def test_several_versions_are_described_at_once(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=INFERENCE)[
        "ModelPackageArn"
    ]
    missing = arn[:-1] + "9"
    answer = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, missing])
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == INFERENCE
    assert list(answer["BatchDescribeModelPackageErrorMap"]) == [missing]


def test_a_package_is_cloned_by_its_source(sagemaker: Any, group: str) -> None:
    first = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=INFERENCE)
    second = sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri=first["ModelPackageArn"])
    described = sagemaker.describe_model_package(ModelPackageName=second["ModelPackageArn"])
    assert described["InferenceSpecification"] == INFERENCE
    with refusal("ValidationException", match="names no model"):
        sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri=first["ModelPackageArn"] + "99")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "either ModelPackageName or"),
        ({"ModelPackageName": "a", "ModelPackageGroupName": "b"}, "either ModelPackageName or"),
        ({"ModelPackageGroupName": "missing-group", "InferenceSpecification": INFERENCE}, "does not exist"),
        ({"ModelPackageName": "a", "InferenceSpecification": INFERENCE}, "SupportedTransformInstanceTypes"),
        ({"ModelPackageName": "a", "ModelApprovalStatus": "Approved", "InferenceSpecification": WHOLE}, "does not apply"),
        ({"ModelPackageName": "a"}, "Provide an InferenceSpecification"),
        ({"ModelPackageGroupName": "g", "Tags": [{"Key": "a", "Value": "b"}], "InferenceSpecification": INFERENCE}, "Tags"),
    ],
)  # fmt: skip
def test_what_makes_no_package_is_refused(sagemaker: Any, options: dict[str, Any], sentence: str) -> None:
    with refusal("ValidationException", match=sentence) as raised:
        sagemaker.create_model_package(**options)
    assert raised.value.operation_name == "CreateModelPackage"


def test_validation_jobs_are_refused_in_a_sentence(sagemaker: Any, group: str, role: str) -> None:
    validation = {"ValidationRole": role, "ValidationProfiles": []}
    options = {"ModelPackageGroupName": group, "InferenceSpecification": INFERENCE}
    with refusal("ValidationException", match="does not run"):
        sagemaker.create_model_package(ValidationSpecification=validation, **options)
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
