"""Training jobs of built-in algorithms, from their channels to their artifacts."""

import gzip
import io
import json
import struct
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Made = Callable[..., dict[str, Any]]
Upload = Callable[[str, bytes], str]


def members(client: Callable[..., Any], uri: str) -> dict[str, bytes]:
    """Return the files of an archive in S3."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]


def frames(data: bytes) -> list[bytes]:
    """Return the payloads of RecordIO frames."""
    found, position = [], 0
    while position < len(data):
        _, length = struct.unpack_from("<II", data, position)
        found.append(data[position + 8 : position + 8 + length])
        position += 8 + (length + 3) // 4 * 4
    return found


def test_xgboost_trains_as_the_library_does(
    client: Callable[..., Any], upload: Upload, request_of: Made, train: Made, channel: Made, abalone: Any, bucket: str
) -> None:
    """The job's model has the very error on validation that the package gives, and Describe tells the documented."""
    import xgboost

    training, validation = abalone(600, 1), abalone(200, 2)
    given = {"objective": "reg:squarederror", "eta": "0.2", "max_depth": "5", "num_round": "50", "subsample": "0.7"}
    channels = [
        channel(name, upload(f"{name}/part", rows.libsvm), "text/libsvm")
        for name, rows in (("train", training), ("validation", validation))
    ]
    job = train(request_of(channels, given))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == (
        f"s3://{bucket}/models/{job['TrainingJobName']}/output/model.tar.gz"
    )
    booster = xgboost.Booster()
    booster.load_model(bytearray(members(client, job["ModelArtifacts"]["S3ModelArtifacts"])["xgboost-model"]))

    def matrix(rows: Any) -> Any:
        return xgboost.DMatrix(rows.features.astype(np.float32), label=rows.rings.astype(np.float32))

    parameters = {"objective": "reg:squarederror", "eta": 0.2, "max_depth": 5, "subsample": 0.7}
    direct = xgboost.train(parameters, matrix(training), num_boost_round=50)

    def rmse(model: Any) -> float:
        return float(np.sqrt(np.mean((model.predict(matrix(validation)) - validation.rings) ** 2)))

    assert rmse(booster) == pytest.approx(rmse(direct), abs=1e-6)
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] == pytest.approx(rmse(direct), abs=1e-5)
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    assert all(each["EndTime"] >= each["StartTime"] for each in job["SecondaryStatusTransitions"])
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] <= job["LastModifiedTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    definitions = {each["Name"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert "validation:rmse" in definitions
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is True


def test_logs_and_metrics_reach_cloudwatch(
    client: Callable[..., Any],
    upload: Upload,
    request_of: Made,
    train: Made,
    channel: Made,
    abalone: Any,
    logged: Callable[..., list[str]],
) -> None:
    """Each round's line is in the log group of training jobs, and each value counts in the job's metric."""
    job = train(request_of([channel("train", upload("train.csv", abalone(100, 3).csv))], {"num_round": "7"}))
    lines = logged(job["TrainingJobName"], "[6]#011train-rmse")
    assert sum("#011train-rmse:" in line for line in lines) == 7
    statistics = client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="train:rmse",
        Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
        StartTime=job["CreationTime"].replace(second=0, microsecond=0),
        EndTime=job["TrainingEndTime"].replace(year=job["TrainingEndTime"].year + 1),
        Period=86400,
        Statistics=["SampleCount", "Minimum"],
    )["Datapoints"]
    assert sum(each["SampleCount"] for each in statistics) == 7
    final = job["FinalMetricDataList"][0]
    assert min(each["Minimum"] for each in statistics) == pytest.approx(final["Value"])


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
def test_every_input_mode_reads_the_same(
    mode: str, upload: Upload, request_of: Made, train: Made, channel: Made, abalone: Any, bucket: str
) -> None:
    """Files under folders, and gzip, give the same model as one file does."""
    rows = abalone(200, 4).csv.splitlines(keepends=True)
    upload("all/a/1.csv.gz", gzip.compress(b"".join(rows[:90])) + gzip.compress(b"".join(rows[90:100])))
    upload("all/b/2.csv.gz", gzip.compress(b"".join(rows[100:])))
    upload("all/folder/", b"")
    zipped = {"CompressionType": "Gzip"} if mode == "Pipe" else {}
    whole = channel("train", upload("whole.csv", b"".join(rows)))
    parts = channel("train", f"s3://{bucket}/all", InputMode=mode, **zipped)
    errors = [train(request_of([each]))["FinalMetricDataList"][0]["Value"] for each in (whole, parts)]
    assert errors[0] == errors[1]


def test_a_manifest_names_the_objects(
    upload: Upload, request_of: Made, train: Made, channel: Made, abalone: Any, bucket: str
) -> None:
    """A ManifestFile's objects are read, and no other."""
    upload("listed/good.csv", abalone(100, 5).csv)
    upload("listed/bad.csv", b"no,numbers\n")
    content = json.dumps([{"prefix": f"s3://{bucket}/listed/"}, "good.csv"]).encode()
    job = train(request_of([channel("train", upload("the.manifest", content), kind="ManifestFile")]))
    assert job["TrainingJobStatus"] == "Completed", job
    missing = json.dumps([{"prefix": f"s3://{bucket}/listed/"}, "none.csv"]).encode()
    job = train(request_of([channel("train", upload("other.manifest", missing), kind="ManifestFile")]))
    assert "none.csv" in job["FailureReason"]
    broken = channel("train", upload("broken.manifest", b"[1]"), kind="ManifestFile")
    assert "is not a JSON list" in train(request_of([broken]))["FailureReason"]


def test_an_augmented_manifest_is_wrapped_in_recordio(
    upload: Upload, request_of: Made, train: Made, channel: Made, bucket: str
) -> None:
    """Attributes of a line become records, references their objects: here, records of another kind than asked for."""
    upload("image", b"bytes")
    lines = [json.dumps({"source-ref": f"s3://{bucket}/image", "label": 3}), ""]
    uri = upload("augmented.manifest", "\n".join(lines).encode())
    kind = {"kind": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"], "RecordWrapperType": "RecordIO"}
    asked = channel("train", uri, "application/x-recordio-protobuf", InputMode="Pipe", **kind)
    job = train(request_of([asked]))
    assert job["FailureReason"].startswith("ClientError: "), job
    assert "part-00000000" in job["FailureReason"]


def test_artifacts_may_stay_files(
    client: Callable[..., Any], upload: Upload, request_of: Made, train: Made, channel: Made, abalone: Any, bucket: str
) -> None:
    """With the CompressionType NONE the model's files lie under output/model/, encrypted as was asked for."""
    output = {"S3OutputPath": f"s3://{bucket}/plain/", "CompressionType": "NONE", "KmsKeyId": "alias/mine"}
    job = train(request_of([channel("train", upload("train.csv", abalone(50, 6).csv))], OutputDataConfig=output))
    prefix = f"plain/{job['TrainingJobName']}/output/model/"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/{prefix}"
    found = client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert [each["Key"] for each in found] == [f"{prefix}xgboost-model"]
    stored = client("s3").head_object(Bucket=bucket, Key=found[0]["Key"])
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith(":alias/mine")


def test_checkpoints_go_to_s3_and_come_back(
    client: Callable[..., Any],
    upload: Upload,
    request_of: Made,
    train: Made,
    channel: Made,
    abalone: Any,
    bucket: str,
    logged: Callable[..., list[str]],
) -> None:
    """A second job with the same CheckpointConfig goes on where the first one was."""
    channels = [channel("train", upload("train.csv", abalone(80, 7).csv))]
    more = {"CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints/"}}
    first = train(request_of(channels, {"num_round": "10"}, **more))
    assert first["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    found = client("s3").list_objects_v2(Bucket=bucket, Prefix="checkpoints/")["Contents"]
    assert any("xgboost-checkpoint" in each["Key"] for each in found)
    second = train(request_of(channels, {"num_round": "20"}, **more))
    assert second["TrainingJobStatus"] == "Completed"
    assert any("Resuming from iteration" in line for line in logged(second["TrainingJobName"], "Resuming"))


@pytest.mark.parametrize(
    ("image", "hyperparameters", "content_type"),
    [
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", {"k": "3", "feature_dim": "8"}, "label_size=0"),
        (
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1",
            {"num_components": "2", "feature_dim": "8"},
            "label_size=0",
        ),
        (
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
            {"predictor_type": "regressor"},
            "label_size=1",
        ),
    ],
)
def test_other_algorithms_train(
    image: str, hyperparameters: dict[str, str], content_type: str, upload: Upload, request_of: Made, train: Made,
    channel: Made, abalone: Any,
) -> None:  # fmt: skip
    """Images of AWS's own algorithms resolve to ours; those that need mini_batch_size are told it."""
    rows = abalone(120, 8)
    text = (
        rows.csv
        if content_type == "label_size=1"
        else b"".join(b",".join(line.split(b",")[1:]) for line in rows.csv.splitlines(keepends=True))
    )
    asked = channel("train", upload("rows.csv", text), f"text/csv;{content_type}")
    given = {**hyperparameters, "mini_batch_size": "40"}
    job = train(request_of([asked], given, image=image))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
