"""DeepAR through boto3: a training job, its scores, an endpoint that forecasts, a batch of series."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

DEEPAR = "522234722520.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1"
GIVEN = {
    "time_freq": "D",
    "context_length": "14",
    "prediction_length": "7",
    "epochs": "12",
    "num_cells": "30",
    "num_layers": "1",
    "mini_batch_size": "32",
    "learning_rate": "0.02",
}
Make = Callable[..., Any]


def series(days: int) -> list[dict[str, Any]]:
    """Return two weekly waves, of two categories."""
    day = np.arange(days)
    return [
        {
            "start": "2024-01-01 00:00:00",
            "target": (size * (2 + np.sin(2 * np.pi * (day + number) / 7))).round(3).tolist(),
            "cat": [number],
        }
        for number, size in enumerate((50, 400))
    ]


def lines(documents: list[dict[str, Any]]) -> bytes:
    """Write one document a line."""
    return "".join(json.dumps(each) + "\n" for each in documents).encode()


def test_a_training_job_an_endpoint_and_a_batch(
    client: Make,
    upload: Make,
    request_of: Make,
    train: Make,
    channel: Make,
    role: str,
    bucket: str,
    unique: Make,
    endpoint: Make,
    wait: Make,
) -> None:
    """The job tells the documented scores, the endpoint answers as the request's configuration says, a batch as the
    model's environment says.
    """
    sagemaker = client("sagemaker")
    channels = [
        channel("train", upload("train/data.json", lines(series(98))), ""),
        channel("test", upload("test/data.json", lines(series(105))), ""),
    ]
    channels = [{name: value for name, value in each.items() if value} for each in channels]
    job = train(request_of(channels, GIVEN, image=DEEPAR))
    assert job["TrainingJobStatus"] == "Completed", job
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert {"train:final_loss", "test:RMSE", "test:mean_wQuantileLoss"} <= set(metrics)
    assert metrics["test:mean_wQuantileLoss"] < 0.15
    model = unique("deepar")
    sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=role,
        PrimaryContainer={
            "Image": DEEPAR,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            "Environment": {"DEEPAR_INFERENCE_CONFIG": '{"num_samples": 20, "output_types": ["mean"]}'},
        },
    )
    variant = {"VariantName": "all", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant])
    batch = unique("batch")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": upload("in/series.json", lines(series(98)))}}
    sagemaker.create_transform_job(
        TransformJobName=batch,
        ModelName=model,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": source, "ContentType": "application/jsonlines", "SplitType": "Line"},
        TransformOutput={
            "S3OutputPath": f"s3://{bucket}/out",
            "AssembleWith": "Line",
            "Accept": "application/jsonlines",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    name = endpoint(model)
    runtime = client("sagemaker-runtime")

    def ask(document: Any) -> Any:
        body = json.dumps(document).encode()
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
        return json.loads(answer["Body"].read())

    wanted = {"num_samples": 50, "output_types": ["mean", "quantiles", "samples"], "quantiles": ["0.1", "0.5", "0.9"]}
    found = ask({"instances": series(98), "configuration": wanted})["predictions"]
    truth = np.array([each["target"][-7:] for each in series(105)])
    median = np.array([each["quantiles"]["0.5"] for each in found])
    assert np.abs(median - truth).sum() < 0.15 * np.abs(truth).sum()
    assert np.shape(found[0]["samples"]) == (50, 7)
    assert len(found[1]["mean"]) == 7
    for document, sentence in [
        ({"instances": [{"start": "now", "target": [1]}]}, "no time as YYYY-MM-DD"),
        ({"instances": [series(9)[0] | {"cat": [2]}]}, "has the category 2"),
        ({"instances": series(9), "configuration": {"num_samples": -1}}, "num_samples"),
    ]:
        with pytest.raises(runtime.exceptions.ModelError, match=sentence):
            ask(document)
    done = wait(
        lambda: sagemaker.describe_transform_job(TransformJobName=batch),
        lambda answer: answer["TransformJobStatus"] in ("Completed", "Failed"),
    )
    assert done["TransformJobStatus"] == "Completed", done
    answers = client("s3").get_object(Bucket=bucket, Key="out/series.json.out")["Body"].read().splitlines()
    assert [list(json.loads(line)) for line in answers] == [["mean"], ["mean"]]


def test_what_cannot_be_learnt_fails_with_its_reason(
    upload: Make, request_of: Make, train: Make, channel: Make
) -> None:
    """The reason names the line of the file."""
    bad = lines(series(30)) + b'{"start": "2024-01-01 00:00:00"}\n'
    data = channel("train", upload("train/bad.json", bad), "json")
    job = train(request_of([data], GIVEN, image=DEEPAR))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == ("ClientError: The time series of line 3 of file 'bad.json' has no \"target\".")
