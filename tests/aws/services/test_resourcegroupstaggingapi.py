"""The tagging API through boto3 and a running server."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_bucket_is_tagged_found_and_untagged(client: Callable[..., Any]) -> None:
    name, key = f"tags-{uuid.uuid4().hex[:12]}", f"team-{uuid.uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=name)
    tagging, arn = client("resourcegroupstaggingapi"), f"arn:aws:s3:::{name}"
    assert tagging.tag_resources(ResourceARNList=[arn], Tags={key: "red"})["FailedResourcesMap"] == {}
    [page] = tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": key, "Values": ["red"]}])
    assert page["ResourceTagMappingList"] == [{"ResourceARN": arn, "Tags": [{"Key": key, "Value": "red"}]}]
    assert key in [each for page in tagging.get_paginator("get_tag_keys").paginate() for each in page["TagKeys"]]
    assert tagging.get_tag_values(Key=key)["TagValues"] == ["red"]
    assert client("s3").get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": key, "Value": "red"}]
    assert tagging.untag_resources(ResourceARNList=[arn], TagKeys=[key])["FailedResourcesMap"] == {}
    assert tagging.get_resources(TagFilters=[{"Key": key}])["ResourceTagMappingList"] == []
    client("s3").delete_bucket(Bucket=name)


def test_what_is_not_there_is_answered_beside_the_rest(client: Callable[..., Any]) -> None:
    strange = "arn:aws:s3:::" + uuid.uuid4().hex
    answer = client("resourcegroupstaggingapi").tag_resources(ResourceARNList=[strange], Tags={"k": "v"})
    failure = answer["FailedResourcesMap"][strange]
    assert (failure["StatusCode"], failure["ErrorCode"]) == (400, "InvalidParameterException")
    assert strange in failure["ErrorMessage"]


def test_tagging_needs_the_permission_of_the_resources_own_service_too(client: Callable[..., Any]) -> None:
    name = f"tags-{uuid.uuid4().hex[:12]}"
    iam, arn = client("iam"), f"arn:aws:s3:::{name}"
    client("s3").create_bucket(Bucket=name)
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "tag:*", "Resource": "*"}
    iam.put_user_policy(
        UserName=name, PolicyName="tags", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    tagging = client(
        "resourcegroupstaggingapi",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    failed = tagging.tag_resources(ResourceARNList=[arn], Tags={"k": "v"})["FailedResourcesMap"]
    assert failed[arn]["StatusCode"] == 403
    assert "s3:PutBucketTagging" in failed[arn]["ErrorMessage"]
    statement["Action"] = ["tag:*", "s3:PutBucketTagging"]  # type: ignore[assignment]
    iam.put_user_policy(
        UserName=name, PolicyName="tags", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert tagging.tag_resources(ResourceARNList=[arn], Tags={"k": "v"})["FailedResourcesMap"] == {}


def test_a_size_out_of_range_has_the_services_code(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError) as raised:
        client("resourcegroupstaggingapi").get_resources(TagsPerPage=150)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
