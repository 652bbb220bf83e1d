"""AWS's first flow through boto3: XGBoost on abalones in libsvm, trained, tuned, deployed, asked and deleted."""

from time import monotonic, sleep
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.clients

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LIBSVM = "libsvm"


def as_libsvm(rows: list[tuple[int, list[float]]]) -> bytes:
    lines = (
        f"{rings} " + " ".join(f"{at}:{value}" for at, value in enumerate(features, 1)) for rings, features in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.fixture(scope="module")
def channels(abalone: ModuleType, upload: Any) -> dict[str, tuple[str, str]]:
    """Return the channels of the sample: 70 of 100 abalones to train on, 15 of 100 to validate with."""
    sizes = {"train": (2923, 1), "validation": (627, 2)}
    return {
        name: (upload(f"abalone/{name}/abalone.{name}", as_libsvm(abalone.rows(count, seed))), LIBSVM)
        for name, (count, seed) in sizes.items()
    }


def error_of(body: bytes, asked: list[tuple[int, list[float]]]) -> float:
    """Return how far the answers are from the rings, in the mean."""
    found = [float(each) for each in body.decode().replace("\n", ",").strip(",").split(",")]
    assert len(found) == len(asked)
    return sum(abs(one - rings) for one, (rings, _) in zip(found, asked, strict=True)) / len(asked)


def unlabelled(rows: list[tuple[int, list[float]]]) -> str:
    return "\n".join(line.split(" ", 1)[1] for line in as_libsvm(rows).decode().splitlines())


def test_abalones_are_learnt_served_and_deleted(
    aws: Any, abalone: ModuleType, channels: Any, train: Any, create_model: Any, deploy: Any
) -> None:
    given = {
        "max_depth": "5",
        "eta": "0.2",
        "gamma": "4",
        "min_child_weight": "6",
        "subsample": "0.7",
        "objective": "reg:linear",
        "num_round": "50",
        "verbosity": "2",
    }
    job = train("abalone", IMAGE, channels, given)
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] < 2
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]][-1] == "Completed"
    listed = aws("sagemaker").list_training_jobs(NameContains=job["TrainingJobName"], StatusEquals="Completed")
    assert [each["TrainingJobName"] for each in listed["TrainingJobSummaries"]] == [job["TrainingJobName"]]
    streams = aws("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job["TrainingJobName"]
    )["logStreams"]
    events = aws("logs").get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    assert sum("validation-rmse" in each["message"] for each in events) >= 50

    model = create_model(job["ModelArtifacts"]["S3ModelArtifacts"], IMAGE)
    name = deploy({"ModelName": model, "VariantName": "AllTraffic", "InitialVariantWeight": 1})
    asked = abalone.rows(20, 3)
    answer = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/x-libsvm", Body=unlabelled(asked)
    )
    assert error_of(answer["Body"].read(), asked) < 1.5

    aws("sagemaker").delete_model(ModelName=model)
    with pytest.raises(ClientError, match="Could not find model"):
        aws("sagemaker").describe_model(ModelName=model)


@pytest.mark.slow
def test_the_best_of_six_trials_is_served(
    aws: Any, abalone: ModuleType, channels: Any, bucket: str, role: str, create_model: Any, deploy: Any
) -> None:
    sagemaker, name = aws("sagemaker"), f"abalone-{uuid4().hex[:8]}"
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "ParameterRanges": {
                "CategoricalParameterRanges": [],
                "ContinuousParameterRanges": [
                    {"Name": "eta", "MinValue": "0", "MaxValue": "1"},
                    {"Name": "min_child_weight", "MinValue": "1", "MaxValue": "10"},
                    {"Name": "alpha", "MinValue": "0", "MaxValue": "2"},
                ],
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "10"}],
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2},
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"MetricName": "validation:rmse", "Type": "Minimize"},
            "RandomSeed": 123,
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "InputDataConfig": [
                {
                    "ChannelName": channel,
                    "CompressionType": "None",
                    "ContentType": kind,
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataDistributionType": "FullyReplicated", "S3DataType": "S3Prefix", "S3Uri": uri,
                        }
                    },
                }
                for channel, (uri, kind) in channels.items()
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuned"},
            "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.c4.2xlarge", "VolumeSizeInGB": 10},
            "RoleArn": role,
            "StaticHyperParameters": {
                "eval_metric": "rmse",
                "num_round": "50",
                "objective": "reg:linear",
                "rate_drop": "0.3",
                "tweedie_variance_power": "1.4",
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 43200},
        },
    )  # fmt: skip
    deadline = monotonic() + 240
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] != "InProgress":
            break
        assert monotonic() < deadline, job
        sleep(0.5)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"]["Completed"] == 6
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] < 2
    info = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    model = create_model(info["ModelArtifacts"]["S3ModelArtifacts"], IMAGE)
    endpoint, asked = deploy({"ModelName": model, "VariantName": "AllTraffic"}), abalone.rows(20, 3)
    answer = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/x-libsvm", Body=unlabelled(asked)
    )
    assert error_of(answer["Body"].read(), asked) < 1.5
