"""AWS's first flow through boto3: XGBoost on abalones in libsvm, trained, deployed, asked and deleted."""

from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

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
    body = "\n".join(line.split(" ", 1)[1] for line in as_libsvm(asked).decode().splitlines())
    answer = aws("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/x-libsvm", Body=body)
    found = [float(each) for each in answer["Body"].read().decode().replace("\n", ",").strip(",").split(",")]
    assert found == pytest.approx([rings for rings, _ in asked], abs=6)
    assert sum(abs(one - rings) for one, (rings, _) in zip(found, asked, strict=True)) / 20 < 1.5

    aws("sagemaker").delete_model(ModelName=model)
    with pytest.raises(ClientError, match="Could not find model"):
        aws("sagemaker").describe_model(ModelName=model)
