from typing import Any

import pytest

from headrace.aws.actions import checks, read_only
from headrace.server.security.policy import Unresolved

ACCOUNT = "123456789012"
IAM, SAGEMAKER = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
LOGS, ALARM = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:", f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"
PERSONALIZE, FRAUD = f"arn:aws:personalize:us-east-1:{ACCOUNT}", f"arn:aws:frauddetector:us-east-1:{ACCOUNT}"
FORECAST, KMS = f"arn:aws:forecast:us-east-1:{ACCOUNT}", f"arn:aws:kms:us-east-1:{ACCOUNT}"
KEY = {"bucket": "b", "key": "a/k"}
TAGS = [{"key": "team", "value": "red"}]


def asked(service: str, operation: str, parameters: dict[str, Any]) -> list[tuple[str, list[str]]]:
    made = checks(service, operation, parameters, partition="aws", region="us-east-1", account=ACCOUNT)
    return [(check.action, list(check.resources)) for check in made]


def conditions(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    made = checks(service, operation, parameters, partition="aws", region="us-east-1", account=ACCOUNT)
    return dict(made[0].conditions)


SINGLE = [
    ("s3", "ListBuckets", {}, "s3:ListAllMyBuckets", "arn:aws:s3:::*"),
    ("s3", "CreateBucket", {"bucket": "b"}, "s3:CreateBucket", "arn:aws:s3:::b"),
    ("s3", "HeadBucket", {"bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
    ("s3", "ListObjects", {"bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
    ("s3", "ListObjectsV2", {"bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
    ("s3", "ListObjectVersions", {"bucket": "b"}, "s3:ListBucketVersions", "arn:aws:s3:::b"),
    ("s3", "ListMultipartUploads", {"bucket": "b"}, "s3:ListBucketMultipartUploads", "arn:aws:s3:::b"),
    ("s3", "GetBucketCors", {"bucket": "b"}, "s3:GetBucketCORS", "arn:aws:s3:::b"),
    ("s3", "DeleteBucketCors", {"bucket": "b"}, "s3:PutBucketCORS", "arn:aws:s3:::b"),
    ("s3", "PutBucketEncryption", {"bucket": "b"}, "s3:PutEncryptionConfiguration", "arn:aws:s3:::b"),
    ("s3", "GetBucketLifecycleConfiguration", {"bucket": "b"}, "s3:GetLifecycleConfiguration", "arn:aws:s3:::b"),
    ("s3", "DeleteBucketTagging", {"bucket": "b"}, "s3:PutBucketTagging", "arn:aws:s3:::b"),
    ("s3", "GetObject", KEY, "s3:GetObject", "arn:aws:s3:::b/a/k"),
    ("s3", "GetObject", KEY | {"key": "{x}*"}, "s3:GetObject", "arn:aws:s3:::b/{x}*"),
    ("s3", "GetObject", KEY | {"version_id": "v"}, "s3:GetObjectVersion", "arn:aws:s3:::b/a/k"),
    ("s3", "HeadObject", KEY, "s3:GetObject", "arn:aws:s3:::b/a/k"),
    ("s3", "DeleteObject", KEY | {"version_id": "v"}, "s3:DeleteObjectVersion", "arn:aws:s3:::b/a/k"),
    ("s3", "UploadPart", KEY, "s3:PutObject", "arn:aws:s3:::b/a/k"),
    ("s3", "CreateMultipartUpload", KEY, "s3:PutObject", "arn:aws:s3:::b/a/k"),
    ("s3", "CompleteMultipartUpload", KEY, "s3:PutObject", "arn:aws:s3:::b/a/k"),
    ("s3", "AbortMultipartUpload", KEY, "s3:AbortMultipartUpload", "arn:aws:s3:::b/a/k"),
    ("s3", "ListParts", KEY, "s3:ListMultipartUploadParts", "arn:aws:s3:::b/a/k"),
    ("s3", "PutObjectTagging", KEY | {"version_id": "v"}, "s3:PutObjectVersionTagging", "arn:aws:s3:::b/a/k"),
    ("iam", "CreateRole", {"role_name": "r", "path": "/a/b/"}, "iam:CreateRole", f"{IAM}:role/a/b/r"),
    ("iam", "CreatePolicy", {"policy_name": "p"}, "iam:CreatePolicy", f"{IAM}:policy/p"),
    ("iam", "GetRole", {"role_name": "r"}, "iam:GetRole", f"{IAM}:role/r"),
    ("iam", "GetPolicy", {"policy_arn": "arn:aws:iam::aws:policy/X"}, "iam:GetPolicy", "arn:aws:iam::aws:policy/X"),
    ("iam", "GetUser", {}, "iam:GetUser", f"{IAM}:user/*"),
    ("iam", "GetUser", {"user_name": "u"}, "iam:GetUser", f"{IAM}:user/u"),
    ("iam", "AddUserToGroup", {"user_name": "u", "group_name": "g"}, "iam:AddUserToGroup", f"{IAM}:group/g"),
    ("iam", "ListRoles", {}, "iam:ListRoles", "*"),
    ("iam", "CreateServiceLinkedRole", {"aws_service_name": "x.amazonaws.com"}, "iam:CreateServiceLinkedRole",
     f"{IAM}:role/aws-service-role/x.amazonaws.com/*"),
    ("iam", "SimulatePrincipalPolicy", {"policy_source_arn": f"{IAM}:user/u"}, "iam:SimulatePrincipalPolicy", f"{IAM}:user/u"),
    ("sts", "GetFederationToken", {"name": "n"}, "sts:GetFederationToken", f"arn:aws:sts::{ACCOUNT}:federated-user/n"),
    ("sts", "DecodeAuthorizationMessage", {}, "sts:DecodeAuthorizationMessage", "*"),
    ("logs", "CreateLogGroup", {"log_group_name": "/g"}, "logs:CreateLogGroup", f"{LOGS}/g:log-stream:"),
    ("logs", "FilterLogEvents", {"log_group_identifier": f"{LOGS}/g:*"}, "logs:FilterLogEvents", f"{LOGS}/g:log-stream:"),
    ("logs", "PutLogEvents", {"log_group_name": "/g", "log_stream_name": "s"}, "logs:PutLogEvents", f"{LOGS}/g:log-stream:s"),
    ("logs", "DescribeLogGroups", {}, "logs:DescribeLogGroups", f"{LOGS}:log-stream:"),
    ("logs", "TagResource", {"resource_arn": f"{LOGS}/g"}, "logs:TagResource", f"{LOGS}/g"),
    ("logs", "TagLogGroup", {"log_group_name": "/g"}, "logs:TagLogGroup", f"{LOGS}/g"),
    ("cloudwatch", "PutMetricData", {"namespace": "n"}, "cloudwatch:PutMetricData", "*"),
    ("cloudwatch", "PutMetricAlarm", {"alarm_name": "a"}, "cloudwatch:PutMetricAlarm", f"{ALARM}a"),
    ("cloudtrail", "CreateTrail", {"name": "t"}, "cloudtrail:CreateTrail", TRAIL),
    ("cloudtrail", "StartLogging", {"name": TRAIL}, "cloudtrail:StartLogging", TRAIL),
    ("cloudtrail", "LookupEvents", {}, "cloudtrail:LookupEvents", "*"),
    ("cloudtrail", "ListTags", {"resource_id_list": [TRAIL]}, "cloudtrail:ListTags", TRAIL),
    ("resourcegroupstaggingapi", "GetResources", {}, "tag:GetResources", "*"),
    ("sagemaker", "DescribeEndpoint", {"endpoint_name": "e"}, "sagemaker:DescribeEndpoint", f"{SAGEMAKER}:endpoint/e"),
    ("sagemaker-runtime", "InvokeEndpoint", {"endpoint_name": "E"}, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/e"),
    ("sagemaker-runtime", "InvokeEndpointAsync", {"endpoint_name": "E"}, "sagemaker:InvokeEndpointAsync",
     f"{SAGEMAKER}:endpoint/e"),
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream", {"endpoint_name": "E"},
     "sagemaker:InvokeEndpointWithResponseStream", f"{SAGEMAKER}:endpoint/e"),
    ("sagemaker", "DescribeModelPackage", {"model_package_name": f"{SAGEMAKER}:model-package/G/1"},
     "sagemaker:DescribeModelPackage", f"{SAGEMAKER}:model-package/g/1"),
    ("sagemaker", "DescribeAIBenchmarkJob", {"ai_benchmark_job_name": "b"}, "sagemaker:DescribeAIBenchmarkJob",
     f"{SAGEMAKER}:ai-benchmark-job/b"),
    ("sagemaker", "GetEndpointPolicy", {"endpoint_name": "e"}, "sagemaker:GetEndpointPolicy", f"{SAGEMAKER}:endpoint/e"),
    ("sagemaker", "AddTags", {"resource_arn": f"{SAGEMAKER}:model/m"}, "sagemaker:AddTags", f"{SAGEMAKER}:model/m"),
    ("sagemaker", "CreateDataQualityJobDefinition", {"job_definition_name": "d"},
     "sagemaker:CreateDataQualityJobDefinition", f"{SAGEMAKER}:data-quality-job-definition/d"),
    ("sagemaker", "DescribeTrainingJob", {}, "sagemaker:DescribeTrainingJob", f"{SAGEMAKER}:training-job/*"),
    ("personalize", "CreateCampaign", {"name": "c"}, "personalize:CreateCampaign", f"{PERSONALIZE}:campaign/c"),
    ("personalize", "CreateDatasetImportJob", {"job_name": "j"}, "personalize:CreateDatasetImportJob",
     f"{PERSONALIZE}:dataset-import-job/j"),
    ("personalize-runtime", "GetRecommendations", {"campaign_arn": f"{PERSONALIZE}:campaign/c"},
     "personalize:GetRecommendations", f"{PERSONALIZE}:campaign/c"),
    ("forecast", "CreatePredictor", {"input_data_config": {"dataset_group_arn": f"{FORECAST}:dataset-group/g"}},
     "forecast:CreatePredictor", f"{FORECAST}:dataset-group/g"),
    ("forecastquery", "QueryForecast", {"forecast_arn": f"{FORECAST}:forecast/f"}, "forecast:QueryForecast",
     f"{FORECAST}:forecast/f"),
    ("frauddetector", "PutLabel", {"name": "l"}, "frauddetector:PutLabel", f"{FRAUD}:label/l"),
    ("frauddetector", "UpdateRuleVersion", {"rule": {"detector_id": "d", "rule_id": "r", "rule_version": "1"}},
     "frauddetector:UpdateRuleVersion", f"{FRAUD}:rule/d/r/1"),
    ("kms", "Decrypt", {"key_id": "1234"}, "kms:Decrypt", f"{KMS}:key/1234"),
    ("kms", "Encrypt", {"key_id": f"{KMS}:key/1"}, "kms:Encrypt", f"{KMS}:key/1"),
    ("kms", "Encrypt", {"key_id": "alias/a"}, "kms:Encrypt", f"{KMS}:alias/a"),
    ("sqs", "SendMessageBatch", {"queue_url": f"http://h/{ACCOUNT}/q"}, "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "action", "resource"), SINGLE)
def test_an_operation_needs_one_action_on_one_resource(
    service: str, operation: str, parameters: dict[str, Any], action: str, resource: str
) -> None:
    assert asked(service, operation, parameters) == [(action, [resource])]


SEVERAL: list[tuple[str, str, dict[str, Any], list[tuple[str, list[str]]]]] = [
    ("sts", "GetCallerIdentity", {}, []),
    ("sts", "GetSessionToken", {}, []),
    ("sts", "AssumeRole", {"role_arn": f"{IAM}:role/r", "tags": TAGS, "source_identity": "x"}, [
        ("sts:AssumeRole", [f"{IAM}:role/r"]),
        ("sts:TagSession", [f"{IAM}:role/r"]),
        ("sts:SetSourceIdentity", [f"{IAM}:role/r"]),
    ]),
    ("s3", "CopyObject", KEY | {"copy_source": "/src/a%20b"}, [
        ("s3:GetObject", ["arn:aws:s3:::src/a b"]),
        ("s3:PutObject", ["arn:aws:s3:::b/a/k"]),
    ]),
    ("s3", "UploadPartCopy", KEY | {"copy_source": "src/x?versionId=7"}, [
        ("s3:GetObjectVersion", ["arn:aws:s3:::src/x"]),
        ("s3:PutObject", ["arn:aws:s3:::b/a/k"]),
    ]),
    ("s3", "PutObject", KEY | {"acl": "private", "tagging": "a=b", "object_lock_mode": "COMPLIANCE"}, [
        ("s3:PutObject", ["arn:aws:s3:::b/a/k"]),
        ("s3:PutObjectTagging", ["arn:aws:s3:::b/a/k"]),
        ("s3:PutObjectAcl", ["arn:aws:s3:::b/a/k"]),
        ("s3:PutObjectRetention", ["arn:aws:s3:::b/a/k"]),
    ]),
    ("s3", "DeleteObjects", {"bucket": "b", "delete": {"objects": [{"key": "x"}]}}, []),
    ("s3", "GetObjectAttributes", KEY, [
        ("s3:GetObject", ["arn:aws:s3:::b/a/k"]),
        ("s3:GetObjectAttributes", ["arn:aws:s3:::b/a/k"]),
    ]),
    ("cloudwatch", "DeleteAlarms", {"alarm_names": ["a", "b"]}, [("cloudwatch:DeleteAlarms", [f"{ALARM}a", f"{ALARM}b"])]),
    ("sagemaker", "CreateEndpoint", {"endpoint_name": "e", "endpoint_config_name": "c"}, [
        ("sagemaker:CreateEndpoint", [f"{SAGEMAKER}:endpoint/e", f"{SAGEMAKER}:endpoint-config/c"]),
    ]),
    ("sagemaker", "CreateEndpoint", {"endpoint_name": "E", "endpoint_config_name": "C", "tags": TAGS}, [
        ("sagemaker:CreateEndpoint", [f"{SAGEMAKER}:endpoint/e", f"{SAGEMAKER}:endpoint-config/c"]),
        ("sagemaker:AddTags", [f"{SAGEMAKER}:endpoint/e"]),
    ]),
    ("sagemaker", "CreateJob", {"job_name": "j", "job_category": "X", "role_arn": f"{IAM}:role/r", "tags": TAGS}, [
        ("sagemaker:CreateJob", [f"{SAGEMAKER}:job/x/j"]),
        ("sagemaker:AddTags", [f"{SAGEMAKER}:job/x/j"]),
        ("iam:PassRole", [f"{IAM}:role/r"]),
    ]),
    ("sagemaker", "CreateTrialComponent", {"trial_component_name": "c", "tags": TAGS}, [
        ("sagemaker:CreateTrialComponent", [f"{SAGEMAKER}:experiment-trial-component/c"]),
        ("sagemaker:AddTags", [f"{SAGEMAKER}:experiment-trial-component/c"]),
    ]),
    ("sagemaker", "CreateTrainingJob", {"training_job_name": "j", "role_arn": f"{IAM}:role/r"}, [
        ("sagemaker:CreateTrainingJob", [f"{SAGEMAKER}:training-job/j"]),
        ("iam:PassRole", [f"{IAM}:role/r"]),
    ]),
    ("iam", "AddRoleToInstanceProfile", {"instance_profile_name": "i", "role_name": "r"}, [
        ("iam:AddRoleToInstanceProfile", [f"{IAM}:instance-profile/i"]),
        ("iam:PassRole", [f"{IAM}:role/r"]),
    ]),
    ("iam", "UpdateUser", {"user_name": "u", "new_path": "/n/", "new_user_name": "v"}, [
        ("iam:UpdateUser", [f"{IAM}:user/u", f"{IAM}:user/n/v"]),
    ]),
    ("kms", "ReEncrypt", {"source_key_id": "1", "destination_key_id": "2"}, [
        ("kms:ReEncryptFrom", [f"{KMS}:key/1"]),
        ("kms:ReEncryptTo", [f"{KMS}:key/2"]),
    ]),
    ("frauddetector", "GetEventPrediction", {"detector_id": "d", "event_type_name": "t"}, [
        ("frauddetector:GetEventPrediction", [f"{FRAUD}:detector/d", f"{FRAUD}:detector-version/d/*", f"{FRAUD}:event-type/t"]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), SEVERAL)
def test_an_operation_may_need_several_actions_or_none(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    assert asked(service, operation, parameters) == expected


KEYS = [
    ("s3", "ListObjectsV2", {"bucket": "b", "prefix": "p/", "delimiter": "/", "max_keys": 3},
     {"s3:prefix": ("p/",), "s3:delimiter": ("/",), "s3:max-keys": ("3",)}),
    ("s3", "GetObject", KEY | {"version_id": "v"}, {"s3:versionid": ("v",)}),
    ("s3", "PutObject", KEY | {"acl": "private", "server_side_encryption": "aws:kms", "ssekms_key_id": "k", "storage_class": "STANDARD"},
     {"s3:x-amz-acl": ("private",), "s3:x-amz-server-side-encryption": ("aws:kms",),
      "s3:x-amz-server-side-encryption-aws-kms-key-id": ("k",), "s3:x-amz-storage-class": ("STANDARD",)}),
    ("s3", "PutObject", KEY | {"tagging": "a=b&c="},
     {"s3:RequestObjectTagKeys": ("a", "c"), "s3:RequestObjectTag/a": ("b",), "s3:RequestObjectTag/c": ("",)}),
    ("s3", "PutObjectTagging", KEY | {"tagging": {"tag_set": TAGS}},
     {"s3:RequestObjectTagKeys": ("team",), "s3:RequestObjectTag/team": ("red",)}),
    ("s3", "CreateBucket", {"bucket": "b", "create_bucket_configuration": {"location_constraint": "eu-west-1"}},
     {"s3:locationconstraint": ("eu-west-1",)}),
    ("iam", "CreateRole", {"role_name": "r", "tags": TAGS, "permissions_boundary": f"{IAM}:policy/b"},
     {"aws:TagKeys": ("team",), "aws:RequestTag/team": ("red",), "iam:PermissionsBoundary": (f"{IAM}:policy/b",)}),
    ("iam", "UntagRole", {"role_name": "r", "tag_keys": ["a", "b"]}, {"aws:TagKeys": ("a", "b")}),
    ("iam", "AttachRolePolicy", {"role_name": "r", "policy_arn": "arn:aws:iam::aws:policy/X"},
     {"iam:PolicyARN": ("arn:aws:iam::aws:policy/X",)}),
    ("sts", "AssumeRole", {"role_arn": f"{IAM}:role/r", "external_id": "x", "role_session_name": "s"},
     {"sts:ExternalId": ("x",), "sts:RoleSessionName": ("s",)}),
    ("application-autoscaling", "PutScalingPolicy", {"service_namespace": "sagemaker", "scalable_dimension": "d"},
     {"application-autoscaling:service-namespace": ("sagemaker",), "application-autoscaling:scalable-dimension": ("d",)}),
    ("cloudwatch", "PutMetricData", {"namespace": "n"}, {"cloudwatch:namespace": ("n",)}),
    ("cloudtrail", "CreateTrail", {"name": "t", "tags_list": TAGS}, {"aws:TagKeys": ("team",), "aws:RequestTag/team": ("red",)}),
    ("logs", "CreateLogGroup", {"log_group_name": "g", "tags": {"team": "red"}},
     {"aws:TagKeys": ("team",), "aws:RequestTag/team": ("red",)}),
    ("sagemaker", "CreateEndpointConfig",
     {"endpoint_config_name": "c", "production_variants": [{"instance_type": "ml.m5.large"}, {"instance_type": "ml.c5.large"}]},
     {"sagemaker:InstanceTypes": ("ml.m5.large", "ml.c5.large")}),
    ("sagemaker", "CreateTrainingJob",
     {"training_job_name": "j", "resource_config": {"instance_type": "ml.m5.large", "volume_kms_key_id": "k"},
      "vpc_config": {"subnets": ["s1", "s2"], "security_group_ids": ["g"]}, "enable_network_isolation": True,
      "stopping_condition": {"max_runtime_in_seconds": 60}},
     {"sagemaker:InstanceTypes": ("ml.m5.large",), "sagemaker:VolumeKmsKey": ("k",), "sagemaker:VpcSubnets": ("s1", "s2"),
      "sagemaker:VpcSecurityGroupIds": ("g",), "sagemaker:NetworkIsolation": ("true",),
      "sagemaker:MaxRuntimeInSeconds": ("60",)}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), KEYS)
def test_condition_keys_come_from_the_request(
    service: str, operation: str, parameters: dict[str, Any], expected: dict[str, tuple[str, ...]]
) -> None:
    assert conditions(service, operation, parameters) == expected


def test_a_passed_role_tells_the_service_it_is_passed_to() -> None:
    parameters = {"training_job_name": "j", "role_arn": f"{IAM}:role/r", "hyper_parameters": {"x": f"{IAM}:role/other"}}
    passed = checks("sagemaker", "CreateTrainingJob", parameters, partition="aws", region="us-east-1", account=ACCOUNT)[
        1
    ]
    assert passed.resources == (f"{IAM}:role/r",)
    assert passed.conditions == {"iam:PassedToService": ("sagemaker.amazonaws.com",)}


def test_tagging_something_new_tells_by_which_operation() -> None:
    parameters = {"model_name": "m", "tags": TAGS}
    tagging = checks("sagemaker", "CreateModel", parameters, partition="aws", region="us-east-1", account=ACCOUNT)[1]
    assert tagging.action == "sagemaker:AddTags"
    assert tagging.conditions == {
        "aws:TagKeys": ("team",),
        "aws:RequestTag/team": ("red",),
        "sagemaker:TaggingAction": ("CreateModel",),
    }


@pytest.mark.parametrize(
    ("operation", "parameters", "kind", "name"),
    [
        ("GetRole", {"role_name": "r"}, "iam/role", "r"),
        ("DeleteUser", {"user_name": "u"}, "iam/user", "u"),
        ("GetUser", {}, "iam/user", ""),
        ("CreateAccessKey", {}, "iam/user", ""),
        ("GetGroup", {"group_name": "g"}, "iam/group", "g"),
        ("GetInstanceProfile", {"instance_profile_name": "i"}, "iam/instance-profile", "i"),
        ("CreateRole", {"role_name": "r"}, None, None),
    ],
)
def test_an_entity_without_its_path_is_unresolved(operation: str, parameters: Any, kind: Any, name: Any) -> None:
    (check,) = checks("iam", operation, parameters, partition="aws", region="us-east-1", account=ACCOUNT)
    (arn,) = check.resources
    if kind is None:
        assert not isinstance(arn, Unresolved)
    else:
        assert isinstance(arn, Unresolved)
        assert (arn.kind, arn.name) == (kind, name)


def test_a_text_that_happens_to_be_an_arn_does_not_stand_for_the_resource() -> None:
    parameters = {
        "role_name": "victim",
        "description": f"{IAM}:role/mine",
        "tags": [{"key": "x", "value": f"{IAM}:role/mine"}],
    }
    assert asked("iam", "UpdateRole", parameters) == [("iam:UpdateRole", [f"{IAM}:role/victim"])]


def test_other_partitions_have_their_own_arns() -> None:
    (check,) = checks("s3", "GetObject", KEY, partition="aws-cn", region="cn-north-1", account=ACCOUNT)
    assert check.resources == ("arn:aws-cn:s3:::b/a/k",)


@pytest.mark.parametrize(
    ("service", "operation", "reads"),
    [
        ("s3", "GetObject", True),
        ("s3", "HeadBucket", True),
        ("s3", "CopyObject", False),
        ("iam", "ListRoles", True),
        ("iam", "CreateRole", False),
        ("iam", "TagRole", False),
        ("iam", "GenerateCredentialReport", False),
        ("sts", "GetCallerIdentity", True),
        ("sts", "AssumeRole", False),
        ("sqs", "ReceiveMessage", False),
        ("sagemaker-runtime", "InvokeEndpoint", True),
    ],
)
def test_what_only_reads(service: str, operation: str, reads: bool) -> None:
    assert read_only(service, operation) is reads


@pytest.mark.parametrize(
    ("service", "operation"), [("s3", "NoSuchOperation"), ("nothing", "GetObject"), ("kms", "Encapsulate")]
)
def test_what_is_not_declared_is_an_error(service: str, operation: str) -> None:
    with pytest.raises(LookupError, match="declare"):
        checks(service, operation, {}, partition="aws", region="us-east-1", account=ACCOUNT)
    with pytest.raises(LookupError, match="declare"):
        read_only(service, operation)
