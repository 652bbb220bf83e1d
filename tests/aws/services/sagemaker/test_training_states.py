"""The states of training jobs: stopped, cut short, interrupted, listed, changed and deleted."""

import io
import tarfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

Made = Callable[..., dict[str, Any]]
Upload = Callable[[str, bytes], str]
ENDLESS = {"num_round": "1000000"}


def statuses(job: dict[str, Any]) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def has_model(client: Callable[..., Any], job: dict[str, Any]) -> bool:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return "xgboost-model" in archive.getnames()


@pytest.fixture
def endless(upload: Upload, request_of: Made, channel: Made, abalone: Any) -> Made:
    """Return what makes a request for a job that does not end by itself."""
    return lambda **more: request_of([channel("train", upload("train.csv", abalone(300, 9).csv))], ENDLESS, **more)


def test_a_job_that_is_stopped_keeps_its_model(
    client: Callable[..., Any], endless: Made, train: Made, until: Made
) -> None:
    """It is Stopping while it uploads, then Stopped; what has ended can't be stopped, and its name is free once deleted."""
    sagemaker, request = client("sagemaker"), endless()
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    until(name, lambda job: job["SecondaryStatus"] == "Training")
    with pytest.raises(sagemaker.exceptions.ClientError, match="is InProgress and can't be deleted now"):
        sagemaker.delete_training_job(TrainingJobName=name)
    for _ in range(2):
        sagemaker.stop_training_job(TrainingJobName=name)
    assert sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = until(name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped", job
    assert statuses(job) == ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]
    assert has_model(client, job)
    assert "FailureReason" not in job
    with pytest.raises(ClientError, match="training job is in status Stopped") as error:
        sagemaker.stop_training_job(TrainingJobName=name)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="change only while it is InProgress"):
        sagemaker.update_training_job(TrainingJobName=name, ProfilerConfig={"DisableProfiler": True})
    sagemaker.delete_training_job(TrainingJobName=name)
    for call in (
        sagemaker.describe_training_job, sagemaker.stop_training_job, sagemaker.delete_training_job,
    ):  # fmt: skip
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="Requested resource not found"):
            call(TrainingJobName=name)
    again = train(request | {"HyperParameters": {"num_round": "1"}})
    assert again["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "secondary"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 3}}, "MaxRuntimeExceeded"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 5, "MaxWaitTimeInSeconds": 5},
            },
            "MaxWaitTimeExceeded",
        ),
    ],
)
def test_a_job_ends_at_its_limit(
    changes: dict[str, Any], secondary: str, client: Callable[..., Any], endless: Made, train: Made
) -> None:
    """It is Stopped with what it has learnt by then, if anything, and its secondary status says which limit it was."""
    job = train(endless(**changes))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", secondary)
    if "Training" in statuses(job):
        assert statuses(job) == ["Starting", "Downloading", "Training", "Stopping", "Uploading", secondary]
        assert has_model(client, job)
    else:
        assert "ModelArtifacts" not in job
    assert job["EnableManagedSpotTraining"] is ("EnableManagedSpotTraining" in changes)
    assert 1 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


@pytest.mark.parametrize(
    ("spot", "between"), [(True, ["Interrupted", "Starting"]), (False, ["Starting"])], ids=["spot", "on-demand"]
)
def test_a_job_goes_on_when_its_process_is_killed(
    spot: bool, between: list[str], client: Callable[..., Any], server: Any, endless: Made, until: Made
) -> None:
    """Another attempt goes on from the last checkpoint; managed spot training tells that it was interrupted."""
    limits = {"StoppingCondition": {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 300}}
    request = endless(**({"EnableManagedSpotTraining": True, **limits} if spot else {}))
    name, sagemaker = request["TrainingJobName"], client("sagemaker")
    sagemaker.create_training_job(**request)
    until(name, lambda job: job["SecondaryStatus"] == "Training")
    keepers = psutil.Process(server.process.pid).children()
    for attempt in (
        each for keeper in keepers if "worker.keeper" in " ".join(keeper.cmdline()) for each in keeper.children()
    ):
        attempt.kill()
    again = until(name, lambda job: statuses(job).count("Training") == 2)
    assert statuses(again) == ["Starting", "Downloading", "Training", *between, "Downloading", "Training"]
    messages = {each["StatusMessage"] for each in again["SecondaryStatusTransitions"]}
    assert ("Launched instance was unhealthy, replacing it!" in messages) is not spot
    sagemaker.stop_training_job(TrainingJobName=name)
    assert until(name)["TrainingJobStatus"] == "Stopped"


def test_jobs_are_listed_as_asked(
    client: Callable[..., Any], unique: Callable[[str], str], request_of: Made, channel: Made, until: Made
) -> None:
    """By part of the name, times and state, in an order, page by page."""
    sagemaker, stem = client("sagemaker"), unique("listed")
    for letter in "bca":
        request = request_of([channel("train", "s3://no-such-bucket-anywhere/x")], TrainingJobName=f"{stem}-{letter}")
        sagemaker.create_training_job(**request, Tags=[{"Key": "team", "Value": letter}])
    jobs = [until(f"{stem}-{letter}") for letter in "bca"]

    def listed(**asked: Any) -> str:
        answer = sagemaker.list_training_jobs(NameContains=stem, **asked)
        return "".join(each["TrainingJobName"][-1] for each in answer["TrainingJobSummaries"])

    assert listed() == "acb"
    assert listed(SortOrder="Ascending") == "bca"
    assert listed(SortBy="Name", SortOrder="Ascending") == "abc"
    assert len(listed(SortBy="Status", StatusEquals="Failed")) == 3
    assert listed(StatusEquals="Completed") == ""
    assert listed(CreationTimeAfter=jobs[2]["CreationTime"] + timedelta(seconds=1)) == ""
    assert listed(LastModifiedTimeBefore=jobs[0]["CreationTime"]) == ""
    first = sagemaker.list_training_jobs(NameContains=stem, MaxResults=2)
    second = sagemaker.list_training_jobs(NameContains=stem, MaxResults=2, NextToken=first["NextToken"])
    assert [len(page["TrainingJobSummaries"]) for page in (first, second)] == [2, 1]
    assert "NextToken" not in second
    summary = second["TrainingJobSummaries"][0]
    assert {name: summary[name] for name in ("TrainingJobArn", "SecondaryStatus", "TrainingEndTime")} == {
        name: jobs[0][name] for name in ("TrainingJobArn", "SecondaryStatus", "TrainingEndTime")
    }
    assert sagemaker.list_tags(ResourceArn=jobs[0]["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "b"}]
    with pytest.raises(ClientError, match="pagination token"):
        sagemaker.list_training_jobs(NextToken="another")


@pytest.mark.parametrize("name", ["under_score", "-dash", "dash-", "a" * 64, "a b"])
def test_names_follow_their_pattern(name: str, client: Callable[..., Any], request_of: Made, channel: Made) -> None:
    """Letters, digits and hyphens inside, at most 63."""
    with pytest.raises(ClientError, match="at 'trainingJobName' failed to satisfy constraint") as error:
        client("sagemaker").create_training_job(
            **request_of([channel("train", "s3://bucket/train")], TrainingJobName=name)
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"
