"""Hyperparameter tuning jobs, from their ranges to the best training job."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
OVER = ("Completed", "Failed", "Stopped")
Made = Callable[..., dict[str, Any]]
RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"},
        {"Name": "alpha", "MinValue": "0.01", "MaxValue": "2", "ScalingType": "Logarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6", "ScalingType": "Linear"}],
}


@pytest.fixture
def asked(role: str, bucket: str, unique: Callable[[str], str], upload: Any, abalone: Any, channel: Any) -> Made:
    """Return what makes the parameters of CreateHyperParameterTuningJob; `config`, `static` and `definition` change."""

    def make(
        config: dict[str, Any] | None = None,
        static: dict[str, str] | None = None,
        definition: dict[str, Any] | None = None,
        *,
        jobs: int | None = 4,
        parallel: int = 2,
        **more: Any,
    ) -> dict[str, Any]:
        channels = [
            channel(name, upload(f"{name}/part", abalone(rows, rows).libsvm), "text/libsvm")
            for name, rows in (("train", 200), ("validation", 100))
        ]
        limits = {"MaxParallelTrainingJobs": parallel} | ({} if jobs is None else {"MaxNumberOfTrainingJobs": jobs})
        return {
            "HyperParameterTuningJobName": unique("Tuning"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "ResourceLimits": limits,
                "ParameterRanges": RANGES,
                "RandomSeed": 7,
            }
            | (config or {}),
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"objective": "reg:linear", "num_round": "10"} if static is None else static,
                "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
                "RoleArn": role,
                "InputDataConfig": channels,
                "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuned"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            }
            | (definition or {}),
        } | more

    return make


@pytest.fixture
def tuned(client: Callable[..., Any], wait: Callable[..., Any]) -> Callable[..., Any]:
    """Return what creates a tuning job and describes it once it has ended, or `done` says so."""

    def ended(request: dict[str, Any], done: Callable[[dict[str, Any]], bool] = lambda _: False) -> Any:
        sagemaker, name = client("sagemaker"), request["HyperParameterTuningJobName"]
        sagemaker.create_hyper_parameter_tuning_job(**request)
        return wait(
            lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda job: job["HyperParameterTuningJobStatus"] in OVER or done(job),
            90,
        )

    return ended


@pytest.fixture
def trials(client: Callable[..., Any]) -> Callable[..., list[dict[str, Any]]]:
    """Return what lists the training jobs of a tuning job."""

    def listed(name: str, **more: Any) -> list[dict[str, Any]]:
        operation = client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job
        return operation(HyperParameterTuningJobName=name, **more)["TrainingJobSummaries"]  # type: ignore[no-any-return]

    return listed


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Return code and message of a refused call."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_the_best_of_four_trials_is_told(
    client: Callable[..., Any], asked: Made, tuned: Made, trials: Any, bucket: str
) -> None:
    """The trials are training jobs with values of the ranges; counters, order and best follow from what they reached."""
    sagemaker = client("sagemaker")
    request = asked(Tags=[{"Key": "team", "Value": "molluscs"}])
    name = request["HyperParameterTuningJobName"]
    most = 0

    def watch(job: dict[str, Any]) -> bool:
        nonlocal most
        most = max(most, job["TrainingJobStatusCounters"]["InProgress"])
        return False

    job = tuned(request, watch)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert 1 <= most <= 2
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 4, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] < job["HyperParameterTuningEndTime"]
    assert job["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    assert job["TrainingJobDefinition"]["StaticHyperParameters"] == {
        "objective": "reg:linear", "num_round": "10", "_tuning_objective_metric": "validation:rmse",
    }  # fmt: skip
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 0
    found = trials(name, SortBy="FinalObjectiveMetricValue")
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in found]
    assert values == sorted(values)
    assert job["BestTrainingJob"] == found[0]
    assert sorted(each["TrainingJobName"][:-8] for each in found) == [f"{name}-00{n}-" for n in range(1, 5)]
    assert trials(name, SortBy="CreationTime", SortOrder="Descending")[0]["TrainingJobName"].startswith(f"{name}-004-")
    assert trials(name, StatusEquals="Failed") == []
    for each in found:
        given = each["TunedHyperParameters"]
        assert 0.1 <= float(given["eta"]) <= 0.5
        assert 0.01 <= float(given["alpha"]) <= 2
        assert given["max_depth"] in "123456"
    best = sagemaker.describe_training_job(TrainingJobName=found[0]["TrainingJobName"])
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert best["HyperParameters"] == {
        **job["TrainingJobDefinition"]["StaticHyperParameters"], **found[0]["TunedHyperParameters"],
    }  # fmt: skip
    metrics = {each["MetricName"]: each["Value"] for each in best["FinalMetricDataList"]}
    assert metrics["validation:rmse"] == pytest.approx(values[0])
    key = best["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    assert client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert sagemaker.list_tags(ResourceArn=best["TrainingJobArn"])["Tags"] == request["Tags"]
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name.lower(), SortOrder="Descending", PaginationConfig={"PageSize": 3}
    )
    listed = [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]
    assert listed == sorted((each["TrainingJobName"] for each in found), reverse=True)
