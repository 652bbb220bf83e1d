"""Transform jobs through boto3, on a model of Headrace's own and on XGBoost's."""

import contextlib
import gzip
import json
import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo
from typing import Any

import numpy as np
import psutil
import pytest
import xgboost
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ENDED = ("Completed", "Failed", "Stopped")


@pytest.fixture(scope="module")
def booster() -> Any:
    """Return a small XGBoost model of three features."""
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 3)).astype(np.float32)
    matrix = xgboost.DMatrix(features, features @ np.array([1.0, -2.0, 0.5], np.float32))
    return xgboost.train({"max_depth": 3, "nthread": 1}, matrix, 10)


@pytest.fixture
def archive(booster: Any, tmp_path: Path) -> bytes:
    """Return the model as a model.tar.gz."""
    path = tmp_path / "model.json"
    booster.save_model(path)
    content, packed = path.read_bytes(), BytesIO()
    with TarFile.open(fileobj=packed, mode="w:gz") as tar:
        member = TarInfo("xgboost-model")
        member.size = len(content)
        tar.addfile(member, BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def make_model(
    client: Callable[..., Any], role: str, unique: Callable[[str], str], upload: Callable[..., str], archive: bytes
) -> Callable[..., str]:
    """Return what creates a model of the booster and returns its name."""

    def make(role_arn: str = role) -> str:
        name = unique("model")
        container = {"Image": IMAGE, "ModelDataUrl": upload("model/model.tar.gz", archive)}
        client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role_arn)
        return name

    return make


@pytest.fixture
def transform(
    client: Callable[..., Any], bucket: str, unique: Callable[[str], str], make_model: Callable[..., str], wait: Any
) -> Callable[..., dict[str, Any]]:
    """Return what runs a transform job over the bucket's `in/` and returns its description when it has ended."""

    def run(model: str = "", *, until: tuple[str, ...] = ENDED, seconds: float = 60, **given: Any) -> dict[str, Any]:
        sagemaker, name = client("sagemaker"), given.pop("name", None) or unique("transform")
        source = {"S3DataType": given.pop("data_type", "S3Prefix"), "S3Uri": given.pop("uri", f"s3://{bucket}/in/")}
        reading = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
        writing = {"S3OutputPath": f"s3://{bucket}/out", "Accept": "text/csv", "AssembleWith": "Line"}
        request = {
            "TransformJobName": name,
            "ModelName": model or make_model(),
            "TransformInput": reading | given.pop("reading", {}),
            "TransformOutput": writing | given.pop("writing", {}),
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        arn = sagemaker.create_transform_job(**request | given)["TransformJobArn"]
        assert arn.endswith(f":transform-job/{name.lower()}")
        return wait(
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda answer: answer["TransformJobStatus"] in until,
            seconds,
        )

    return run


@pytest.fixture
def output(client: Callable[..., Any], bucket: str) -> Callable[[str], bytes]:
    """Return what reads an object of the bucket."""
    return lambda key: client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def rows(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).round(4).astype(np.float32)


def csv(values: np.ndarray) -> bytes:
    return "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in values).encode()


def predicted(booster: Any, values: np.ndarray) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(values))


def test_every_record_is_answered_in_its_order(
    transform: Any, upload: Any, output: Any, booster: Any, client: Any
) -> None:
    values = rows(500)
    upload("in/a.csv", csv(values))
    upload("in/deeper/b.csv", csv(values[::-1]))
    done = transform(MaxConcurrentTransforms=4, BatchStrategy="SingleRecord", MaxPayloadInMB=1)
    assert done["TransformJobStatus"] == "Completed", done
    found = np.array(output("out/a.csv.out").split(), np.float32)
    np.testing.assert_allclose(found, predicted(booster, values), rtol=1e-5)
    np.testing.assert_array_equal(np.array(output("out/deeper/b.csv.out").split(), np.float32), found[::-1])
    assert done["CreationTime"] <= done["TransformStartTime"] <= done["TransformEndTime"]
    assert done["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def test_results_are_joined_and_filtered(transform: Any, upload: Any, output: Any, booster: Any) -> None:
    values = rows(50)
    lines = [f"id{number},{line}" for number, line in enumerate(csv(values).decode().splitlines())]
    upload("in/a.csv", "\n".join(lines).encode())
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    done = transform(DataProcessing=processing)
    assert done["TransformJobStatus"] == "Completed", done
    found = [line.split(",") for line in output("out/a.csv.out").decode().splitlines()]
    assert [name for name, _ in found] == [f"id{number}" for number in range(50)]
    np.testing.assert_allclose([float(each) for _, each in found], predicted(booster, values), rtol=1e-5)
    assert done["DataProcessing"] == processing


def test_gzip_and_a_manifest(transform: Any, upload: Any, output: Any, bucket: str) -> None:
    upload("data/2024/a.csv.gz", gzip.compress(csv(rows(20))))
    upload("data/b.csv.gz", gzip.compress(csv(rows(10))))
    names = ["2024/a.csv.gz", "b.csv.gz"]
    uri = upload("manifest", json.dumps([{"prefix": f"s3://{bucket}/data/"}, *names]).encode())
    done = transform(uri=uri, data_type="ManifestFile", reading={"CompressionType": "Gzip"})
    assert done["TransformJobStatus"] == "Completed", done
    assert [len(output(f"out/{name}.out").splitlines()) for name in names] == [20, 10]


def record(values: np.ndarray) -> bytes:
    """Return the Record message of a row: features' values as float32."""
    packed = np.asarray(values, "<f4").tobytes()
    tensor = b"\x0a" + bytes([len(packed)]) + packed
    value = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    return b"\x0a" + bytes([len(entry)]) + entry


def framed(split_type: str, payload: bytes) -> bytes:
    if split_type == "RecordIO":
        return struct.pack("<II", 0xCED7230A, len(payload)) + payload + bytes(-len(payload) % 4)
    return struct.pack("<QI", len(payload), 0) + payload + bytes(4)


@pytest.mark.parametrize(
    ("split_type", "strategy"),
    [("RecordIO", "SingleRecord"), ("RecordIO", "MultiRecord"), ("TFRecord", "SingleRecord")],
)
def test_records_are_split_at_their_frames(
    transform: Any, upload: Any, output: Any, booster: Any, split_type: str, strategy: str
) -> None:
    """One by one they come without their frames, several with them."""
    values = rows(20)
    upload("in/records", b"".join(framed(split_type, record(row)) for row in values))
    kind = {"ContentType": "application/x-recordio-protobuf", "SplitType": split_type}
    done = transform(BatchStrategy=strategy, reading=kind)
    assert done["TransformJobStatus"] == "Completed", done
    found = np.array(output("out/records.out").split(), np.float32)
    np.testing.assert_allclose(found, predicted(booster, values), rtol=1e-5)


def test_an_object_is_one_request_unless_it_is_split(transform: Any, upload: Any, output: Any) -> None:
    uri = upload("in/a.csv", csv(rows(5)))
    done = transform(uri=uri, reading={"SplitType": "None"}, writing={"AssembleWith": "None"})
    assert done["TransformJobStatus"] == "Completed", done
    assert len(output("out/a.csv.out").splitlines()) == 5


def test_data_capture(transform: Any, upload: Any, output: Any, client: Any, bucket: str) -> None:
    upload("in/a.csv", csv(rows(3)))
    upload("in/b/c.csv", csv(rows(2)))
    config = {"DestinationS3Uri": f"s3://{bucket}/captured", "GenerateInferenceId": True}
    done = transform(DataCaptureConfig=config)
    assert done["TransformJobStatus"] == "Completed", done
    start = done["TransformStartTime"]
    lines = [line.split(",") for line in output("out/a.csv.out").decode().splitlines()]
    assert [len(line) for line in lines] == [3, 3, 3]
    assert {line[2] for line in lines} == {start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert len({line[1] for line in lines}) == 3
    keys = [each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket, Prefix="captured/")["Contents"]]
    folder = start.strftime("%Y/%m/%d/%H")
    assert [re.sub("[0-9a-f-]{36}", "ID", key) for key in keys] == [
        f"captured/input/{folder}/ID.json", f"captured/output/{folder}/ID.json",
    ]  # fmt: skip
    assert [json.loads(output(key)) for key in keys] == [
        [{"prefix": f"s3://{bucket}/in/"}, "a.csv", "b/c.csv"],
        [{"prefix": f"s3://{bucket}/out/"}, "a.csv.out", "b/c.csv.out"],
    ]


def data_log(client: Any, done: dict[str, Any]) -> list[str]:
    logs, group = client("logs"), "/aws/sagemaker/TransformJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{done['TransformJobName']}/")
    (name,) = (each["logStreamName"] for each in streams["logStreams"] if each["logStreamName"].endswith("/data-log"))
    events = logs.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True)["events"]
    return [re.sub(r"^[-0-9T:.]+:\[sagemaker logs\]: ", "", each["message"]) for each in events]


def keys_of(client: Any, bucket: str) -> list[str]:
    found = client("s3").list_objects_v2(Bucket=bucket, Prefix="out/").get("Contents", [])
    return [each["Key"] for each in found]


@pytest.mark.parametrize(
    ("content", "split_type", "sentences"),
    [
        (b"x" * (1 << 20) + b"x\n", "Line", ["Too much data for max payload size: a line"]),
        (b"1,2,3\n" * 200_000, "None", ["Too much data for max payload size: the object"]),
        (b"1,2,3\n1,two,3\n", "Line", ["ClientError: 400", "", "Message:"]),
        (b"1,2,3,4,5\n", "Line", ["ClientError: 400", "", "Message:"]),
    ],
    ids=["record", "object", "text", "width"],
)
def test_an_object_that_fails_has_no_output_and_the_others_have(
    transform: Any, upload: Any, client: Any, bucket: str, content: bytes, split_type: str, sentences: list[str]
) -> None:
    upload("in/a.csv", csv(rows(5)))
    upload("in/b.csv", content)
    upload("in/c.csv", csv(rows(5)))
    done = transform(MaxPayloadInMB=1, reading={"SplitType": split_type}, MaxConcurrentTransforms=2)
    assert done["TransformJobStatus"] == "Failed"
    assert done["FailureReason"] == "ClientError: See job logs for more information"
    assert keys_of(client, bucket) == ["out/a.csv.out", "out/c.csv.out"]
    first, *lines = data_log(client, done)
    assert first == "MaxConcurrentTransforms=2, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD"
    assert all(
        line.startswith(f"{bucket}/in/b.csv: {sentence}") for line, sentence in zip(lines, sentences, strict=False)
    )
    assert len(lines) >= len(sentences)


def test_the_log_has_what_the_model_says(transform: Any, upload: Any, client: Any) -> None:
    upload("in/a.csv", csv(rows(5)))
    done = transform()
    group = "/aws/sagemaker/TransformJobs"
    streams = client("logs").describe_log_streams(logGroupName=group, logStreamNamePrefix=done["TransformJobName"])
    names = sorted(each["logStreamName"] for each in streams["logStreams"])
    assert re.fullmatch(f"{done['TransformJobName']}/i-[0-9a-f]{{17}}-[0-9]{{10}}/data-log", names[-1])


def test_an_empty_prefix(transform: Any, bucket: str) -> None:
    done = transform(uri=f"s3://{bucket}/nothing/here")
    assert done["TransformJobStatus"] == "Failed"
    assert done["FailureReason"].startswith(
        f'ClientError: No S3 objects found under S3 URL "s3://{bucket}/nothing/here" given in input data source.'
    )


def test_objects_without_a_byte_have_outputs_without_any(transform: Any, upload: Any, output: Any) -> None:
    upload("in/a.csv", b"")
    upload("in/b.csv", b"\n\n")
    upload("in/folder/", b"")
    assert transform()["TransformJobStatus"] == "Completed"
    assert output("out/a.csv.out") == output("out/b.csv.out") == b""


@pytest.mark.parametrize("denied", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"])
def test_a_role_that_may_not(
    transform: Any, upload: Any, make_model: Any, make_role: Any, client: Any, bucket: str, denied: str
) -> None:
    upload("in/a.csv", csv(rows(5)))
    place = f"arn:aws:s3:::{bucket}"
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": denied, "Resource": [place, f"{place}/in/*", f"{place}/out/*"]},
    ]
    role = make_role({"Version": "2012-10-17", "Statement": statements})
    done = transform(make_model(role))
    assert done["TransformJobStatus"] == "Failed"
    assert done["FailureReason"].startswith("ClientError: Data ")
    assert "AccessDenied" in done["FailureReason"]
    assert denied in done["FailureReason"]
    assert keys_of(client, bucket) == []


@pytest.mark.parametrize(
    "given",
    [
        {"writing": {"S3OutputPath": "s3://no-such-bucket-anywhere/out"}},
        {"DataCaptureConfig": {"DestinationS3Uri": "s3://no-such-bucket-anywhere/captured"}},
    ],
    ids=["output", "capture"],
)
def test_buckets_that_are_not_there(transform: Any, upload: Any, client: Any, bucket: str, given: Any) -> None:
    upload("in/a.csv", csv(rows(5)))
    done = transform(**given)
    assert done["TransformJobStatus"] == "Failed"
    assert done["FailureReason"].startswith("ClientError: Data upload failed to s3://no-such-bucket-anywhere/")
    assert done["FailureReason"].endswith("The specified bucket does not exist")
    assert keys_of(client, bucket) == []


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        ({"model": "no-such-model"}, "ValidationException", "Could not find model "),
        ({"MaxPayloadInMB": 101}, "ValidationException", "101 is greater than 100"),
        ({"MaxPayloadInMB": 20, "MaxConcurrentTransforms": 6}, "ValidationException", "greater than 100"),
        ({"data_type": "AugmentedManifestFile"}, "ValidationException", "AugmentedManifestFile"),
        ({"uri": "https://bucket/key"}, "ValidationException", "no S3 URI"),
        ({"DataProcessing": {"InputFilter": "$..a"}}, "ValidationException", "no JSONPath"),
        ({"DataProcessing": {"InputFilter": "$.id"}}, "ValidationException", "CSV"),
        ({"DataProcessing": {"OutputFilter": "$['id']"}}, "ValidationException", "CSV"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "reading": {"ContentType": "image/png"}},
            "ValidationException",
            "image/png",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "writing": {"Accept": "application/json"}},
            "ValidationException",
            "same format",
        ),
        (
            {"DataProcessing": {"InputFilter": "$[1:]"}, "reading": {"SplitType": "RecordIO"}},
            "ValidationException",
            "SplitType",
        ),
        ({"name": "under_score"}, "ValidationException", "regular expression"),
        ({"reading": {"SplitType": "Word"}}, "ValidationException", "enum"),
        ({"ModelClientConfig": {"InvocationsMaxRetries": 4}}, "ValidationException", "less than or equal to 3"),
    ],
)
def test_what_no_job_can_do_is_refused(transform: Any, given: dict[str, Any], code: str, sentence: str) -> None:
    with pytest.raises(ClientError) as error:
        transform(**given)
    assert error.value.response["Error"]["Code"] == code
    assert sentence in error.value.response["Error"]["Message"]


def test_names_are_unique_and_asked_for(transform: Any, upload: Any, client: Any, unique: Any) -> None:
    upload("in/a.csv", csv(rows(1)))
    name, sagemaker = unique("Transform"), client("sagemaker")
    done = transform(name=name)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        transform(name=name)
    with pytest.raises(ClientError, match="in status Completed") as error:
        sagemaker.stop_transform_job(TransformJobName=name)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    for call in (sagemaker.describe_transform_job, sagemaker.stop_transform_job):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="Requested resource not found") as error:
            call(TransformJobName="no-such-job")
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    listed = sagemaker.list_transform_jobs(NameContains=name[-12:])["TransformJobSummaries"]
    assert [(each["TransformJobArn"], each["TransformJobStatus"]) for each in listed] == [
        (done["TransformJobArn"], "Completed")
    ]
    assert listed[0]["TransformEndTime"] == done["TransformEndTime"]


def test_jobs_are_listed_in_pages(client: Any, unique: Any, make_model: Any, bucket: str, wait: Any) -> None:
    sagemaker, stem, model = client("sagemaker"), unique("paged"), make_model()
    for number in range(3):
        sagemaker.create_transform_job(
            TransformJobName=f"{stem}-{number}",
            ModelName=model,
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/none"}}},
            TransformOutput={"S3OutputPath": f"s3://{bucket}/out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            Tags=[{"Key": "colour", "Value": "blue"}],
        )
    first = sagemaker.list_transform_jobs(NameContains=stem, MaxResults=2)
    second = sagemaker.list_transform_jobs(NameContains=stem, MaxResults=2, NextToken=first["NextToken"])
    names = [each["TransformJobName"] for page in (first, second) for each in page["TransformJobSummaries"]]
    assert names == [f"{stem}-{number}" for number in (2, 1, 0)]
    assert "NextToken" not in second
    ascending = sagemaker.list_transform_jobs(NameContains=stem, SortBy="Name", SortOrder="Ascending")
    assert [each["TransformJobName"] for each in ascending["TransformJobSummaries"]] == names[::-1]
    wait(
        lambda: sagemaker.list_transform_jobs(NameContains=stem, StatusEquals="Failed"),
        lambda answer: len(answer["TransformJobSummaries"]) == 3,
    )


def test_a_job_that_is_stopped_has_no_output(transform: Any, upload: Any, client: Any, bucket: str, wait: Any) -> None:
    upload("in/a.csv", csv(rows(10)))
    upload("in/b.csv", csv(rows(2000)) * 100)
    begun = transform(BatchStrategy="SingleRecord", MaxConcurrentTransforms=1, until=("InProgress",))
    sagemaker, name = client("sagemaker"), begun["TransformJobName"]
    wait(lambda: sagemaker.describe_transform_job(TransformJobName=name), lambda answer: "TransformStartTime" in answer)
    sagemaker.stop_transform_job(TransformJobName=name)
    sagemaker.stop_transform_job(TransformJobName=name)
    assert sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"] in ("Stopping", "Stopped")
    done = wait(
        lambda: sagemaker.describe_transform_job(TransformJobName=name),
        lambda answer: answer["TransformJobStatus"] in ENDED,
    )
    assert done["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in done
    assert done["TransformEndTime"] >= done["TransformStartTime"]
    assert keys_of(client, bucket) == []


def test_a_model_that_cannot_be_loaded(transform: Any, upload: Any, client: Any, role: str, unique: Any) -> None:
    upload("in/a.csv", csv(rows(1)))
    packed = BytesIO()
    with TarFile.open(fileobj=packed, mode="w:gz") as tar:
        member = TarInfo("xgboost-model")
        member.size = 4
        tar.addfile(member, BytesIO(b"\x80\x04K."))
    name = unique("model")
    container = {"Image": IMAGE, "ModelDataUrl": upload("bad/model.tar.gz", packed.getvalue())}
    client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    done = transform(name)
    assert done["TransformJobStatus"] == "Failed"
    assert done["FailureReason"].startswith("AlgorithmError: ")
    assert "pickle" in done["FailureReason"]


def model_processes(server: Any, sockets: int = 1) -> list[psutil.Process]:
    """Return the processes of models that jobs of a server have started, and that have as many Unix sockets by now."""
    found = []
    for process in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("model_server.host" in word for word in process.cmdline()):
                named = [each for each in process.net_connections("unix") if each.laddr]
                found += [process] * (len(named) >= sockets)
    return found


class TestKilled:
    """Jobs on a server of the test's own, parts of which are killed."""

    @pytest.fixture
    def running(self, serve: Callable[..., Any]) -> list[Any]:
        """Return a list of the server that runs at present."""
        return [serve()]

    @pytest.fixture
    def client(self, running: list[Any]) -> Callable[..., Any]:
        """Return what makes clients of the server that runs at present."""
        return lambda *given, **options: running[0].client(*given, **options)

    @pytest.fixture
    def begun(self, transform: Any, upload: Any, running: list[Any], wait: Any) -> str:
        """Return the name of a job of 4,000 requests whose model is up: it is asked on two connections at once."""
        upload("in/a.csv", csv(rows(4000)))
        given = {"BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 2, "until": ("InProgress",)}
        name: str = transform(**given)["TransformJobName"]
        wait(lambda: {"processes": model_processes(running[0], 3)}, lambda answer: bool(answer["processes"]))
        return name

    def completed(self, name: str, client: Any, wait: Any) -> dict[str, Any]:
        done: dict[str, Any] = wait(
            lambda: client("sagemaker").describe_transform_job(TransformJobName=name),
            lambda answer: answer["TransformJobStatus"] in ENDED,
        )
        assert done["TransformJobStatus"] == "Completed", done
        return done

    def test_a_job_survives_its_server(
        self, begun: str, running: list[Any], serve: Any, client: Any, wait: Any, output: Any, booster: Any, bucket: str
    ) -> None:
        start = client("sagemaker").describe_transform_job(TransformJobName=begun)["TransformStartTime"]
        running[0].process.kill()
        running[0].process.wait()
        running[0] = serve()
        assert self.completed(begun, client, wait)["TransformStartTime"] == start
        found = np.array(output("out/a.csv.out").split(), np.float32)
        np.testing.assert_allclose(found, predicted(booster, rows(4000)), rtol=1e-5)
        assert keys_of(client, bucket) == ["out/a.csv.out"]

    def test_a_job_survives_its_model(
        self, begun: str, running: list[Any], client: Any, wait: Any, output: Any, booster: Any
    ) -> None:
        for process in model_processes(running[0]):
            process.kill()
        self.completed(begun, client, wait)
        found = np.array(output("out/a.csv.out").split(), np.float32)
        np.testing.assert_allclose(found, predicted(booster, rows(4000)), rtol=1e-5)
