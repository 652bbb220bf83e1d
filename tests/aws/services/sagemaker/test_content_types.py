"""Content types through boto3: what goes in in each format, and comes out in the one that Accept asks for."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from botocore.exceptions import ClientError

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import Channel, Rows, TrainingRun
from headrace.server.containers.formats.recordio import write_rows
from headrace.server.containers.hyperparameters import read_hyperparameters

Make = Callable[..., Any]
GOLDEN = Path(__file__).parents[3] / "data" / "models" / "format_1" / "regression"
KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
JSON, LINES, RECORDIO = "application/json", "application/jsonlines", "application/x-recordio-protobuf"


@pytest.fixture
def asked(client: Make) -> Make:
    """Return what invokes an endpoint and returns the answer's content type and bytes."""
    runtime = client("sagemaker-runtime")

    def invoke(name: str, body: bytes, content_type: str, accept: str = "") -> tuple[str, bytes]:
        given = {"Accept": accept} if accept else {}
        answer = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **given)
        return answer["ContentType"], answer["Body"].read()

    return invoke


@pytest.fixture
def refused(asked: Make) -> Make:
    """Return what invokes an endpoint in vain: the status and the sentence of its container."""

    def invoke(*given: Any) -> tuple[int, str]:
        with pytest.raises(ClientError) as raised:
            asked(*given)
        response: Any = raised.value.response
        assert response["Error"]["Code"] == "ModelError"
        return response["OriginalStatusCode"], response["OriginalMessage"]

    return invoke


def test_xgboost(configure: Make, endpoint: Make, asked: Make, refused: Make) -> None:
    name = endpoint(configure())
    csv, answer = asked(name, b"0.5\n0.25\n", "text/csv")
    assert csv == "text/csv"
    scores = [float(each) for each in answer.split()]
    records = write_rows(Rows(np.array([[0.5], [0.25]], dtype=np.float32)))
    for content_type, body in (
        ("text/csv;label_size=0", b"0.5\r\n0.25"),
        ("text/libsvm", b"0:0.5\n0:0.25"),
        ("text/x-libsvm", b"7 0:0.5\n1 0:0.25\n"),
        (RECORDIO, records),
    ):
        assert asked(name, body, content_type) == ("text/csv", answer), content_type
    assert asked(name, b"0.5\n0.25", "text/csv", f"text/html, {JSON};q=0.9") == (
        JSON, json.dumps({"predictions": [{"score": each} for each in scores]}).encode(),
    )  # fmt: skip
    assert asked(name, b"0.5", "text/csv", LINES)[1] == json.dumps({"score": scores[0]}).encode() + b"\n"
    content_type, protobuf = asked(name, b"0.5\n0.25", "text/csv", RECORDIO)
    assert content_type == RECORDIO
    assert protobuf.count(b"\x0a\x23\xd7\xce") == 2
    supported = "Supported content-type is text/csv, text/libsvm, application/x-recordio-protobuf"
    assert refused(name, b"{}", JSON) == (415, f"Content-type {JSON} not supported. {supported}")
    assert refused(name, b"0.5", "text/csv", "image/png")[0] == 406
    for body, content_type in (
        (b"1,2", "text/csv"), (b"0:1 1:1", "text/libsvm"), (b"x", "text/csv"), (b"nonsense", RECORDIO),
        (write_rows(Rows(np.ones((1, 2), dtype=np.float32))), RECORDIO),
    ):  # fmt: skip
        assert refused(name, body, content_type)[0] == 400, body


def test_an_algorithm_of_awss_own(
    configure: Make, endpoint: Make, asked: Make, refused: Make, archive: Make, tmp_path: Path
) -> None:
    name = endpoint(configure(archive(clusters(tmp_path)), image=KMEANS))
    rows = [[0.5, 0.0], [9.0, 0.0]]
    content_type, answer = asked(name, b"0.5,0\n9,0", "text/csv")
    assert content_type == JSON
    first, second = json.loads(answer)["predictions"]
    assert list(first) == ["closest_cluster", "distance_to_cluster"]
    assert first["closest_cluster"] != second["closest_cluster"]
    assert [first["distance_to_cluster"], second["distance_to_cluster"]] == pytest.approx([0.5, 1.0], abs=0.01)
    data = [{"data": {"features": {"values": row}}} for row in rows]
    sparse = [{"data": {"features": {"keys": [0], "shape": [2], "values": row[:1]}}} for row in rows]
    for given, body in (
        (JSON, json.dumps({"instances": [{"features": row} for row in rows]}).encode()),
        (JSON, json.dumps({"instances": data}).encode()),
        (JSON, json.dumps({"instances": sparse}).encode()),
        (LINES, "\n".join(map(json.dumps, data)).encode()),
        (RECORDIO, write_rows(Rows(np.array(rows, dtype=np.float32)))),
    ):
        assert asked(name, body, given) == (JSON, answer), body
    lines = "".join(json.dumps(each) + "\n" for each in (first, second)).encode()
    assert asked(name, b"0.5,0\n9,0", "text/csv", LINES) == (LINES, lines)
    csv = "".join(f"{each['closest_cluster']},{each['distance_to_cluster']}\n" for each in (first, second)).encode()
    assert asked(name, b"0.5,0\n9,0", "text/csv", "text/csv") == ("text/csv", csv)
    content_type, protobuf = asked(name, b"0.5,0\n9,0", "text/csv", RECORDIO)
    assert content_type == RECORDIO
    assert b"closest_cluster" in protobuf
    assert b"distance_to_cluster" in protobuf
    assert refused(name, b"1,2,3", "text/csv")[0] == 400
    assert refused(name, b"0:1", "text/libsvm")[0] == 415


def clusters(folder: Path) -> dict[str, bytes]:
    """Return the files of a model of K-Means of two clusters, about (0, 0) and (10, 0)."""
    for part in ("train", "model", "output", "checkpoint"):
        (folder / part).mkdir()
    (folder / "train" / "data.csv").write_text("0,0\n10,0\n" * 50)
    image = ALGORITHMS["kmeans"]
    given = {"k": "2", "feature_dim": "2", "mini_batch_size": "100"}
    image.train(
        TrainingRun(
            read_hyperparameters(image.hyperparameters, given),
            {"train": Channel("train", folder / "train", "text/csv;label_size=0")},
            folder / "model", folder / "output", folder / "checkpoint", lambda line: None, lambda: False,
        )
    )  # fmt: skip
    return {path.name: path.read_bytes() for path in (folder / "model").iterdir()}


def test_a_model_of_headrace_run(
    configure: Make, endpoint: Make, asked: Make, refused: Make, archive: Make, client: Make
) -> None:
    account = client("sts").get_caller_identity()["Account"]
    model = GOLDEN / "model"
    files = {path.relative_to(model).as_posix(): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    name = endpoint(configure(archive(files), image=f"{account}.dkr.ecr.us-east-1.amazonaws.com/headrace:1"))
    frame = pl.DataFrame(json.loads((GOLDEN / "recorded.json").read_text())["rows"])
    parquet = io.BytesIO()
    frame.write_parquet(parquet)
    content_type, answer = asked(name, frame.write_csv().encode(), "text/csv")
    assert content_type == "text/csv"
    assert len(answer.splitlines()) == len(frame)
    for given, body in (
        (JSON, json.dumps({"instances": frame.to_dicts()}).encode()),
        (LINES, frame.write_ndjson().encode()),
        ("application/x-parquet", parquet.getvalue()),
    ):
        assert asked(name, body, given) == ("text/csv", answer), given
    assert len(asked(name, parquet.getvalue(), "application/x-parquet", LINES)[1].splitlines()) == len(frame)
    numbers, npy = np.arange(12, dtype=np.float64).reshape(2, 6), io.BytesIO()
    np.save(npy, numbers)
    read = refused(name, npy.getvalue(), "application/x-npy")
    assert read == refused(name, json.dumps({"instances": numbers.tolist()}).encode(), JSON)
    assert "column 'since' has no value that is a date (first: 2.0 in row 1)" in read[1]
    assert refused(name, b"\x93NUMPY", "application/x-npy")[0] == 400
