"""Datasets and dataset groups of Amazon Forecast through boto3."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

RELATED = "RELATED_TIME_SERIES"
METADATA = "ITEM_METADATA"


def schema(*attributes: tuple[str, str]) -> dict[str, Any]:
    return {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in attributes]}


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def test_a_dataset_is_described_listed_and_deleted(forecast: Any, named: Callable[[str], str]) -> None:
    name = named("sales")
    attributes = schema(("item_id", "string"), ("timestamp", "timestamp"), ("demand", "float"), ("store", "string"))
    arn = forecast.create_dataset(
        DatasetName=name, Domain="RETAIL", DatasetType="TARGET_TIME_SERIES", DataFrequency="2W", Schema=attributes
    )["DatasetArn"]
    assert arn.split(":", 5)[5] == f"dataset/{name}"
    found = forecast.describe_dataset(DatasetArn=arn)
    assert (found["Status"], found["Domain"], found["DataFrequency"]) == ("ACTIVE", "RETAIL", "2W")
    assert found["Schema"] == attributes
    assert found["CreationTime"] == found["LastModificationTime"]
    listed = forecast.list_datasets(MaxResults=100)["Datasets"][0]
    assert (listed["DatasetArn"], listed["DatasetType"]) == (arn, "TARGET_TIME_SERIES")
    again = refusal(
        lambda: forecast.create_dataset(
            DatasetName=name, Domain="RETAIL", DatasetType="TARGET_TIME_SERIES", Schema=attributes
        )
    )
    assert again == ("ResourceAlreadyExistsException", f"A dataset already exists with the arn: {arn}")
    forecast.delete_dataset(DatasetArn=arn)
    assert refusal(lambda: forecast.describe_dataset(DatasetArn=arn))[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("domain", "kind", "attributes"),
    [
        ("INVENTORY_PLANNING", "TARGET_TIME_SERIES", [("item_id", "string"), ("timestamp", "timestamp"), ("demand", "float")]),
        ("INVENTORY_PLANNING", METADATA, [("item_id", "string"), ("lead_time", "string")]),
        ("RETAIL", RELATED, [("item_id", "string"), ("timestamp", "timestamp"), ("price", "float")]),
        ("EC2_CAPACITY", "TARGET_TIME_SERIES", [("instance_type", "string"), ("timestamp", "timestamp"), ("number_of_instances", "integer")]),
        ("WORK_FORCE", "TARGET_TIME_SERIES", [("workforce_type", "string"), ("timestamp", "timestamp"), ("workforce_demand", "float")]),
        ("WEB_TRAFFIC", "TARGET_TIME_SERIES", [("item_id", "string"), ("timestamp", "timestamp"), ("value", "float")]),
        ("METRICS", "TARGET_TIME_SERIES", [("metric_name", "string"), ("timestamp", "timestamp"), ("metric_value", "float")]),
    ],
)  # fmt: skip
def test_every_domain_has_its_fields(make_dataset: Callable[..., str], domain: str, kind: str, attributes: Any) -> None:
    assert make_dataset(attributes, Domain=domain, DatasetType=kind)
    with pytest.raises(ClientError, match=f"must have the attribute '{attributes[0][0]}'"):
        make_dataset([("other", "string"), *attributes[1:]], Domain=domain, DatasetType=kind)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attributes": [("item_id", "string"), ("timestamp", "timestamp")]}, "must have the attribute 'target_value'"),
        ({"attributes": [("item_id", "integer"), ("timestamp", "timestamp"), ("target_value", "float")]}, "'item_id' .* must be of type string"),
        ({"attributes": [("item_id", "string"), ("timestamp", "string"), ("target_value", "float")]}, "'timestamp' .* of type timestamp, not string"),
        ({"attributes": [("item_id", "string")] * 2}, "more than once"),
        ({"attributes": [("item_id", "string"), ("timestamp", "timestamp"), ("target_value", "float"), ("x", "float")]}, "'x' .* must be of type string, geolocation"),
        ({"attributes": [("item_id", "string"), ("timestamp", "timestamp"), ("target_value", "float"), *((f"d{n}", "string") for n in range(11))]}, "has at most 13"),
        ({"attributes": [("item_id", "string"), ("timestamp", "timestamp"), ("x", "string")], "DatasetType": RELATED}, "at least one attribute of type"),
        ({"attributes": [("item_id", "string"), ("timestamp", "timestamp"), ("x", "float")], "DatasetType": RELATED, "DataFrequency": None}, "needs a DataFrequency"),
        ({"attributes": [("item_id", "string"), ("when", "timestamp")], "DatasetType": METADATA}, "'when' .* not timestamp"),
        ({"DataFrequency": "60min"}, "DataFrequency"),
        ({"DataFrequency": "12M"}, "DataFrequency"),
        ({"DataFrequency": "days"}, "dataFrequency"),
        ({"Schema": {"Attributes": [{"AttributeName": "item_id"}]}}, "AttributeType"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "reserved"),
        ({"EncryptionConfig": {"RoleArn": "arn:aws:iam::123456789012:role/x", "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"}}, "another account"),
    ],
)  # fmt: skip
def test_a_schema_that_can_not_be(make_dataset: Callable[..., str], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as raised:
        make_dataset(**changes)
    assert raised.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_group_holds_one_dataset_of_each_type(
    forecast: Any, named: Callable[[str], str], make_dataset: Callable[..., str]
) -> None:
    target, other = make_dataset(), make_dataset()
    items = make_dataset([("item_id", "string"), ("brand", "string")], DatasetType=METADATA, DataFrequency=None)
    retail = make_dataset([("item_id", "string"), ("timestamp", "timestamp"), ("demand", "float")], Domain="RETAIL")
    name = named("group")
    arn = forecast.create_dataset_group(DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[target])["DatasetGroupArn"]
    forecast.update_dataset_group(DatasetGroupArn=arn, DatasetArns=[target, items])
    found = forecast.describe_dataset_group(DatasetGroupArn=arn)
    assert (found["DatasetArns"], found["Status"], found["Domain"]) == ([target, items], "ACTIVE", "CUSTOM")
    assert forecast.list_dataset_groups()["DatasetGroups"][0]["DatasetGroupArn"] == arn

    def updated(*arns: str) -> tuple[str, str]:
        return refusal(lambda: forecast.update_dataset_group(DatasetGroupArn=arn, DatasetArns=list(arns)))

    assert "one of each type" in updated(target, other)[1]
    assert "domains must match" in updated(retail)[1]
    assert updated(f"{target}x")[0] == "ResourceNotFoundException"
    assert updated(arn) == ("InvalidInputException", f"'{arn}' is not the ARN of a dataset; send one that is")
    forecast.delete_dataset(DatasetArn=items)
    assert forecast.describe_dataset_group(DatasetGroupArn=arn)["DatasetArns"] == [target, items]
    forecast.delete_dataset_group(DatasetGroupArn=arn)
    assert forecast.describe_dataset(DatasetArn=target)["Status"] == "ACTIVE"
    assert refusal(lambda: forecast.delete_dataset_group(DatasetGroupArn=arn))[0] == "ResourceNotFoundException"


def test_tags_are_kept_with_the_resource_and_go_with_it(
    client: Callable[..., Any], forecast: Any, make_dataset: Callable[..., str]
) -> None:
    arn = make_dataset(Tags=[{"Key": "team", "Value": "blue"}])
    forecast.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "red"}])
    tagging = client("resourcegroupstaggingapi")
    assert tagging.get_resources(ResourceARNList=[arn])["ResourceTagMappingList"][0]["Tags"] == [
        {"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "red"}
    ]  # fmt: skip
    assert tagging.tag_resources(ResourceARNList=[arn], Tags={"more": "1"})["FailedResourcesMap"] == {}
    forecast.untag_resource(ResourceArn=arn, TagKeys=["team", "absent"])
    assert forecast.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "more", "Value": "1"}, {"Key": "stage", "Value": "test"}
    ]  # fmt: skip
    many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    assert refusal(lambda: forecast.tag_resource(ResourceArn=arn, Tags=many))[0] == "LimitExceededException"
    forecast.delete_dataset(DatasetArn=arn)
    gone = refusal(lambda: forecast.list_tags_for_resource(ResourceArn=arn))
    assert gone == ("ResourceNotFoundException", f"No resource found {arn}")


def test_lists_come_in_pages(forecast: Any, make_dataset: Callable[..., str]) -> None:
    made = [make_dataset() for _ in range(3)]
    first = forecast.list_datasets(MaxResults=2)
    rest = forecast.list_datasets(MaxResults=2, NextToken=first["NextToken"])
    shown = [each["DatasetArn"] for each in first["Datasets"] + rest["Datasets"]]
    assert shown[:3] == made[::-1]
    foreign = refusal(lambda: forecast.list_dataset_groups(NextToken=first["NextToken"]))
    assert foreign[0] == "InvalidNextTokenException"
    assert refusal(lambda: forecast.list_datasets(MaxResults=101))[0] == "InvalidInputException"


def test_what_is_named_must_be_of_amazon_forecast(forecast: Any) -> None:
    for arn in ("arn:aws:s3:::bucket", "arn:aws:forecast:us-east-1:1:algorithm/x", "x"):
        code, said = refusal(lambda arn=arn: forecast.list_tags_for_resource(ResourceArn=arn))
        assert code == "InvalidInputException", said
