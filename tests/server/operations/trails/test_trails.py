"""Trails through boto3: what they are, what they select, who may have them, and how they are found."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def code_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_a_trail_comes_to_be_as_aws_describes_it(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    bench.bucket("described")
    made = trails.create_trail(
        Name="described", S3BucketName="described", S3KeyPrefix="a/b", TagsList=[{"Key": "team", "Value": "one"}]
    )
    arn = f"arn:aws:cloudtrail:us-east-1:{bench.platform.account}:trail/described"
    del made["ResponseMetadata"]
    assert made == {
        "Name": "described",
        "S3BucketName": "described",
        "S3KeyPrefix": "a/b",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "TrailARN": arn,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
    }
    found = trails.get_trail(Name=arn)["Trail"]
    assert found == made | {
        "HomeRegion": "us-east-1",
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
    }
    assert trails.describe_trails(trailNameList=["described", "absent"])["trailList"] == [found]
    assert trails.list_tags(ResourceIdList=[arn])["ResourceTagList"] == [
        {"ResourceId": arn, "TagsList": [{"Key": "team", "Value": "one"}]}
    ]
    trails.add_tags(ResourceId=arn, TagsList=[{"Key": "stage", "Value": "x"}])
    trails.remove_tags(ResourceId=arn, TagsList=[{"Key": "team"}])
    assert trails.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"] == [{"Key": "stage", "Value": "x"}]
    assert trails.get_trail_status(Name="described")["IsLogging"] is False
    assert code_of(trails.create_trail, Name="described", S3BucketName="described") == "TrailAlreadyExistsException"
    changed = trails.update_trail(Name="described", S3KeyPrefix="", EnableLogFileValidation=True)
    assert changed["LogFileValidationEnabled"] is True
    assert "S3KeyPrefix" not in changed
    trails.delete_trail(Name=arn)
    assert code_of(trails.get_trail, Name="described") == "TrailNotFoundException"
    assert code_of(trails.start_logging, Name=arn) == "TrailNotFoundException"


@pytest.mark.parametrize(
    "name", ["ab", "-abc", "abc-", "a..b", "a-_b", "192.168.1.1", "a b c", "x" * 129, "naïve", "../../etc"]
)
def test_names_that_no_trail_has(bench: Any, name: str) -> None:
    trails = bench.client("cloudtrail")
    assert code_of(trails.create_trail, Name=name, S3BucketName="whatever") == "InvalidTrailNameException"
    assert code_of(trails.get_trail_status, Name=name) == "InvalidTrailNameException"


def test_arns_that_no_trail_has(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    assert code_of(trails.get_trail, Name="arn:aws:iam::123456789012:role/x") == "CloudTrailARNInvalidException"
    other = "arn:aws:cloudtrail:us-east-1:999999999999:trail/other"
    assert code_of(trails.get_trail, Name=other) in ("TrailNotFoundException", "AccessDeniedException")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"S3BucketName": "no-such-bucket-here"}, "S3BucketDoesNotExistException"),
        ({"S3BucketName": "UPPER"}, "InvalidS3BucketNameException"),
        ({"S3KeyPrefix": "x" * 201}, "InvalidS3PrefixException"),
        ({"S3KeyPrefix": "/x"}, "InvalidS3PrefixException"),
        ({"SnsTopicName": "topic"}, "InsufficientSnsTopicPolicyException"),
        ({"KmsKeyId": "alias/none"}, "KmsKeyNotFoundException"),
        ({"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}, "InvalidParameterCombinationException"),
        ({"IsOrganizationTrail": True}, "OrganizationsNotInUseException"),
        ({"CloudWatchLogsLogGroupArn": "arn:x"}, "InvalidCloudWatchLogsLogGroupArnException"),
    ],
)
def test_what_create_trail_refuses(bench: Any, changes: dict[str, Any], code: str) -> None:
    if "refusing" not in [each["Name"] for each in bench.client("s3").list_buckets()["Buckets"]]:
        bench.bucket("refusing")
    trails = bench.client("cloudtrail")
    assert code_of(trails.create_trail, **({"Name": "refused", "S3BucketName": "refusing"} | changes)) == code
    assert code_of(trails.get_trail, Name="refused") == "TrailNotFoundException", "nothing of it stays"


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"Service": "config.amazonaws.com"}, "Action": "s3:*", "Resource": "*"},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl", "Resource": "*"},
        {
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/another"}},
        },
    ],
)
def test_a_policy_that_does_not_let_cloudtrail_write(bench: Any, statement: dict[str, Any]) -> None:
    name = f"lacking-{abs(hash(json.dumps(statement)))}"
    whole = statement | {"Effect": "Allow", "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}
    if whole["Action"] == "s3:GetBucketAcl":
        whole["Resource"] = f"arn:aws:s3:::{name}"
    bench.bucket(name, [whole])
    call = bench.client("cloudtrail").create_trail
    assert code_of(call, Name="lacking", S3BucketName=name) == "InsufficientS3BucketPolicyException"


def test_a_policy_for_this_trail_alone_suffices(bench: Any) -> None:
    arn = f"arn:aws:cloudtrail:us-east-1:{bench.platform.account}:trail/by-source"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceArn": arn}},
    }
    bench.bucket(
        "by-source",
        [
            allow | {"Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::by-source"},
            allow
            | {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::by-source/AWSLogs/{bench.platform.account}/*"},
        ],
    )
    trails = bench.client("cloudtrail")
    assert trails.create_trail(Name="by-source", S3BucketName="by-source")["TrailARN"] == arn
    assert (
        code_of(trails.update_trail, Name="by-source", S3KeyPrefix="elsewhere") == "InsufficientS3BucketPolicyException"
    )


def test_a_region_has_five_trails(bench: Any) -> None:
    bench.bucket("fivefold")
    trails = bench.client("cloudtrail")
    for number in range(5):
        trails.create_trail(Name=f"fivefold-{number}", S3BucketName="fivefold")
    call = trails.create_trail
    assert code_of(call, Name="fivefold-5", S3BucketName="fivefold") == "MaximumNumberOfTrailsExceededException"


def test_trails_of_all_regions_are_seen_in_each_and_changed_at_home(bench: Any) -> None:
    bench.bucket("shadows")
    home, abroad = bench.client("cloudtrail"), bench.client("cloudtrail", "eu-west-1")
    home.create_trail(Name="shadows", S3BucketName="shadows", IsMultiRegionTrail=True)
    home.create_trail(Name="at-home-only", S3BucketName="shadows")
    assert [each["Name"] for each in abroad.describe_trails()["trailList"]] == ["shadows"]
    assert abroad.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert abroad.get_trail(Name="shadows")["Trail"]["HomeRegion"] == "us-east-1"
    assert code_of(abroad.get_trail, Name="at-home-only") == "TrailNotFoundException"
    assert code_of(abroad.stop_logging, Name="shadows") == "InvalidHomeRegionException"
    assert {each["Name"] for each in abroad.list_trails()["Trails"]} == {"shadows", "at-home-only"}


def test_event_selectors_are_kept(bench: Any) -> None:
    bench.bucket("selecting")
    trails = bench.client("cloudtrail")
    trails.create_trail(Name="selecting", S3BucketName="selecting")
    plain = trails.get_event_selectors(TrailName="selecting")["EventSelectors"]
    assert plain == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]
    advanced = [
        {
            "Name": "endpoints",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::SageMaker::Endpoint"]},
                {"Field": "resources.ARN", "NotEndsWith": ["/test"]},
            ],
        }
    ]
    trails.put_event_selectors(TrailName="selecting", AdvancedEventSelectors=advanced)
    found = trails.get_event_selectors(TrailName="selecting")
    assert found["AdvancedEventSelectors"] == advanced
    assert "EventSelectors" not in found
    assert trails.get_trail(Name="selecting")["Trail"]["HasCustomEventSelectors"] is True
    assert code_of(trails.get_insight_selectors, TrailName="selecting") == "InsightNotEnabledException"
    trails.put_insight_selectors(TrailName="selecting", InsightSelectors=[{"InsightType": "ApiErrorRateInsight"}])
    assert trails.get_insight_selectors(TrailName="selecting")["InsightSelectors"] == [
        {"InsightType": "ApiErrorRateInsight"}
    ]
    assert trails.get_event_selectors(TrailName="selecting")["AdvancedEventSelectors"] == advanced


def field(name: str, **operators: list[str]) -> dict[str, Any]:
    return {"Field": name} | operators


DATA = field("eventCategory", Equals=["Data"])
OBJECTS = field("resources.type", Equals=["AWS::S3::Object"])


@pytest.mark.parametrize(
    "selectors",
    [
        {},
        {"EventSelectors": [], "AdvancedEventSelectors": []},
        {"EventSelectors": []},
        {"EventSelectors": [{}] * 6},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::SNS::Topic", "Values": ["arn:aws:sns"]}]}]},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["bucket/key"]}]}]},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"] * 251}]}]},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}]},
        {"AdvancedEventSelectors": []},
        {"AdvancedEventSelectors": [{"FieldSelectors": [OBJECTS]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA, DATA, OBJECTS]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA, OBJECTS, field("colour", Equals=["red"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA, OBJECTS, field("eventName")]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA, OBJECTS, field("readOnly", NotEquals=["true"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA, OBJECTS, field("eventName", Equals=["a"] * 501)]}]},
    ],
)  # fmt: skip
def test_event_selectors_that_mean_nothing(bench: Any, selectors: dict[str, Any]) -> None:
    trails = bench.client("cloudtrail")
    if "meaningless" not in [each["Name"] for each in bench.client("s3").list_buckets()["Buckets"]]:
        bench.bucket("meaningless")
    trails.create_trail(Name="meaningless", S3BucketName="meaningless")
    assert code_of(trails.put_event_selectors, TrailName="meaningless", **selectors) == "InvalidEventSelectorsException"
