"""Tags of SageMaker's resources, through boto3."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")


@pytest.fixture
def arn(sagemaker: Any, unique: Callable[[str], str]) -> str:
    """Return the ARN of a new experiment."""
    found: str = sagemaker.create_experiment(ExperimentName=unique("tagged"))["ExperimentArn"]
    return found


def test_tags_are_added_replaced_listed_and_removed(sagemaker: Any, arn: str) -> None:
    first = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert sagemaker.add_tags(ResourceArn=arn, Tags=first)["Tags"] == first
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": ""}])
    assert {each["Key"]: each["Value"] for each in sagemaker.list_tags(ResourceArn=arn)["Tags"]} == {
        "a": "1", "b": "3", "c": "",
    }  # fmt: skip
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "missing"])
    assert [each["Key"] for each in sagemaker.list_tags(ResourceArn=arn)["Tags"]] == ["b", "c"]


def test_tags_are_listed_in_pages(sagemaker: Any, arn: str) -> None:
    keys = [f"k{number:02}" for number in range(50)]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": "v"} for key in keys])
    answer = sagemaker._make_api_call("ListTags", {"ResourceArn": arn, "MaxResults": 50})
    assert "NextToken" not in answer
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one more", "Value": "v"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=keys[:1])
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 49


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ([{"Key": "aws:x", "Value": "1"}], "reserved"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate"),
    ],
)
def test_tags_that_may_not_be_are_refused(sagemaker: Any, arn: str, tags: list[dict[str, str]], sentence: str) -> None:
    with pytest.raises(ClientError, match=rf"\(ValidationException\).*{sentence}"):
        sagemaker.add_tags(ResourceArn=arn, Tags=tags)


def test_a_resource_that_is_not_there_has_no_tags(sagemaker: Any, arn: str) -> None:
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Could not find"):
        sagemaker.list_tags(ResourceArn=f"{arn}-missing")


def test_tags_at_creation_need_leave_of_their_own(
    client: Callable[..., Any], make_role: Callable[..., str], unique: Callable[[str], str]
) -> None:
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "sagemaker:CreateExperiment", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    sagemaker = client("sagemaker", **keys)
    sagemaker.create_experiment(ExperimentName=unique("plain"))
    with pytest.raises(ClientError, match="sagemaker:AddTags"):
        sagemaker.create_experiment(ExperimentName=unique("tagged"), Tags=[{"Key": "a", "Value": "b"}])
