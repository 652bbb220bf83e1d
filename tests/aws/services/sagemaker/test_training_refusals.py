"""What CreateTrainingJob refuses, and what training jobs fail for."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Made = Callable[..., dict[str, Any]]
Upload = Callable[[str, bytes], str]


def refusal(client: Callable[..., Any], request: dict[str, Any]) -> tuple[str, str]:
    """Return code and message of a refused CreateTrainingJob."""
    with pytest.raises(ClientError) as caught:
        client("sagemaker").create_training_job(**request)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role|PassRole"),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/models"}}, "no S3 URI"),
        ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "InstanceType"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be set"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 10}}, "EnableManagedSpotTraining"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8},
            },
            "greater than or equal",
        ),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "twice"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/etc"}}, "below /opt/ml"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/model/x"}}, "reserved"),
        ({"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 3}}, "none of 100"),
        ({"ServerlessJobConfig": {"BaseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/H/Model/m/1.0.0",
          "JobType": "FineTuning"}}, "erverless"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_trained(
    changes: dict[str, Any], says: str, client: Callable[..., Any], request_of: Made, channel: Made
) -> None:
    """Each is refused with a sentence, and leaves no job."""
    request = request_of([channel("train", "s3://bucket/train")], **changes)
    code, message = refusal(client, request)
    assert code in ("ValidationException", "AccessDeniedException")
    assert any(each in message for each in says.split("|")), message
    assert client("sagemaker").list_training_jobs(NameContains=request["TrainingJobName"])["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "AugmentedManifestFile", "AttributeNames": ["a"]}, "Pipe"),
        ({"kind": "AugmentedManifestFile", "InputMode": "Pipe"}, "AttributeNames"),
        ({"AttributeNames": ["a"]}, "AttributeNames"),
        ({"RecordWrapperType": "RecordIO"}, "RecordIO"),
        ({"kind": "Converse"}, "Converse"),
        ({"DataSource": {"FileSystemDataSource": {"FileSystemId": "fs-12345678901", "FileSystemAccessMode": "ro",
          "FileSystemType": "EFS", "DirectoryPath": "/a"}}}, "file system"),
        ({"DataSource": {}}, "S3DataSource"),
    ],
)  # fmt: skip
def test_channels_that_cannot_be_read(
    change: dict[str, Any], says: str, client: Callable[..., Any], request_of: Made, channel: Made
) -> None:
    """Each is refused with a sentence that names the channel."""
    code, message = refusal(client, request_of([channel("train", "s3://bucket/train", **change)]))
    assert code == "ValidationException"
    assert says in message
    assert "'train'" in message


def test_algorithms_that_are_none(client: Callable[..., Any], request_of: Made, channel: Made) -> None:
    """An algorithm is named by its image alone, with metrics that are regular expressions, and channels once."""
    one = channel("train", "s3://bucket/train")
    named = request_of([one], algorithm={"AlgorithmName": "mine"})
    assert "either AlgorithmName or TrainingImage" in refusal(client, named)[1]
    del named["AlgorithmSpecification"]["TrainingImage"]
    assert "Could not find algorithm mine" in refusal(client, named)[1]
    own = [{"Name": "a", "Regex": "("}]
    assert "is none" in refusal(client, request_of([one], algorithm={"MetricDefinitions": own}))[1]
    fine = [{"Name": "a", "Regex": "a=(.*)"}]
    assert "override" in refusal(client, request_of([one], algorithm={"MetricDefinitions": fine}))[1]
    assert "'train' twice" in refusal(client, request_of([one, one]))[1]
    pytorch = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1.0-cpu-py310"
    assert "runs a script" in refusal(client, request_of([one], image=pytorch))[1]


def test_names_are_taken_once(client: Callable[..., Any], request_of: Made, channel: Made) -> None:
    """A second job of a name, in whatever case, is ResourceInUse."""
    request = request_of([channel("train", "s3://bucket/train")])
    client("sagemaker").create_training_job(**request)
    for name in (request["TrainingJobName"], request["TrainingJobName"].upper()):
        code, message = refusal(client, request | {"TrainingJobName": name})
        assert code == "ResourceInUse"
        assert "must be unique" in message


@pytest.mark.parametrize(
    ("hyperparameters", "says"),
    [
        ({"num_round": "5", "depth": "3"}, "depth"),
        ({}, "num_round"),
        ({"num_round": "many"}, "many"),
        ({"num_round": "5", "objective": "multi:softmax"}, "num_class"),
    ],
)
def test_hyperparameters_are_refused_into_the_reason(
    hyperparameters: dict[str, str], says: str, request_of: Made, channel: Made, train: Made
) -> None:
    """They are the algorithm's to judge, so the job fails for them."""
    job = train(request_of([channel("train", "s3://bucket/train")], hyperparameters))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert says in job["FailureReason"]
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job failed"


def test_data_that_cannot_be_learnt(upload: Upload, request_of: Made, channel: Made, train: Made, bucket: str) -> None:
    """Each reason is AWS's sentence, or names the row at fault."""
    cases = {
        "s3://no-such-bucket-anywhere/x": "No S3 objects found under S3 URL",
        f"s3://{bucket}/nothing": "No S3 objects found under S3 URL",
        upload("empty/file.csv", b""): "has no data",
        upload("header.csv", b"rings,length\n3,1\n4,2\n"): "header",
        upload("text.csv", b"3,1\n4,long\n"): "long",
        upload("up/../there.csv", b"1,2\n").rpartition("/")[0].replace("/up/..", "/up/"): "can't be the name of a file",
    }
    for uri, says in cases.items():
        job = train(request_of([channel("train", uri)]))
        assert job["FailureReason"].startswith("ClientError: "), job["FailureReason"]
        assert says in job["FailureReason"]


def test_a_role_reads_and_writes_what_its_policies_allow(
    upload: Upload, request_of: Made, channel: Made, train: Made, bucket: str, make_role: Callable[..., str]
) -> None:
    """Without s3:GetObject on a channel, or s3:PutObject on the output, a job fails with AccessDenied."""
    uri = upload("secret/train.csv", b"1,2\n3,4\n")

    def role(*actions: str) -> str:
        return make_role(
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
        )

    unread = train(request_of([channel("train", uri)], RoleArn=role("s3:ListBucket", "s3:PutObject")))
    assert "AccessDenied (403)" in unread["FailureReason"]
    assert f"s3://{bucket}/secret/train.csv" in unread["FailureReason"]
    unlisted = train(request_of([channel("train", uri)], RoleArn=role("s3:GetObject", "s3:PutObject")))
    assert "AccessDenied (403)" in unlisted["FailureReason"]
    unwritten = train(request_of([channel("train", uri)], RoleArn=role("s3:ListBucket", "s3:GetObject")))
    assert "Artifact upload failed: AccessDenied (403)" in unwritten["FailureReason"]
    missing = {"S3OutputPath": "s3://no-such-bucket-anywhere/x"}
    nowhere = train(request_of([channel("train", uri)], OutputDataConfig=missing))
    assert "NoSuchBucket" in nowhere["FailureReason"]


def test_a_role_must_trust_sagemaker(
    client: Callable[..., Any], request_of: Made, channel: Made, make_role: Callable[..., str]
) -> None:
    """A role of another service is refused as AWS does."""
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
    request = request_of([channel("train", "s3://bucket/train")], RoleArn=make_role(trust=trust))
    assert refusal(client, request)[0] == "ValidationException"


def test_a_role_must_be_passable_by_the_caller(
    client: Callable[..., Any], unique: Callable[[str], str], request_of: Made, channel: Made
) -> None:
    """Who may create training jobs may still not hand them any role: iam:PassRole is asked for SageMaker."""
    iam, user = client("iam"), unique("user")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = client("sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    request = request_of([channel("train", "s3://bucket/train")])

    def grant(service: str) -> None:
        passed = {"StringEquals": {"iam:PassedToService": service}}
        statements = [
            {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": request["RoleArn"], "Condition": passed},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=policy)

    grant("lambda.amazonaws.com")
    code, message = refusal(lambda _: mine, request)
    assert code == "AccessDeniedException"
    assert re.fullmatch(
        rf"User: arn:aws:iam::\d+:user/{user} is not authorized to perform: iam:PassRole on resource: "
        rf"{request['RoleArn']} because no identity-based policy allows the iam:PassRole action",
        message,
    )
    grant("sagemaker.amazonaws.com")
    assert mine.create_training_job(**request)["TrainingJobArn"].endswith(request["TrainingJobName"])


def test_an_image_that_nobody_knows(request_of: Made, channel: Made, train: Made, upload: Upload) -> None:
    """It is a user's own, and runs where a container engine is found; else the reason says so."""
    asked = channel("train", upload("train.csv", b"1,2\n"))
    job = train(request_of([asked], image="123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "mine:latest" in job["FailureReason"]


def test_an_algorithm_that_is_not_built(request_of: Made, channel: Made, train: Made) -> None:
    """The reason names those that are."""
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/ntm:1"
    job = train(request_of([channel("train", "s3://bucket/train")], image=image))
    assert "'ntm' can't be trained by this server" in job["FailureReason"]
    assert json.dumps("xgboost").strip('"') in job["FailureReason"]
