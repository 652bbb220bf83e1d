"""Replies in each format, as AWS documents them."""

import json
from typing import Any

import numpy as np
import pytest

from headrace.server.containers.contract import Reply, UnsupportedContentType
from headrace.server.containers.formats import write_reply
from headrace.server.containers.formats.recordio import split_records

BINARY = Reply({"score": np.array([0.25, 0.75], np.float32), "predicted_label": np.array([0, 1])})
MANY = Reply({"score": np.array([[0.25, 0.5, 0.25]], np.float32), "predicted_label": np.array([1])})
CLUSTERS = Reply({"closest_cluster": np.array([1.0]), "distance_to_cluster": np.array([3.0])})
PROJECTIONS = Reply({"projection": np.array([[1.0, 2.0], [3.0, 4.0]])}, key="projections")
SCORES = Reply({"score": np.array([0.5, 0.25])}, key="scores")
BOOSTED = Reply({}, extra={"probabilities": np.array([[0.25, 0.75]]), "predicted_label": np.array([1])})


@pytest.mark.parametrize(
    ("reply", "document"),
    [
        (BINARY, {"predictions": [{"score": 0.25, "predicted_label": 0}, {"score": 0.75, "predicted_label": 1}]}),
        (MANY, {"predictions": [{"score": [0.25, 0.5, 0.25], "predicted_label": 1}]}),
        (CLUSTERS, {"predictions": [{"closest_cluster": 1.0, "distance_to_cluster": 3.0}]}),
        (PROJECTIONS, {"projections": [{"projection": [1.0, 2.0]}, {"projection": [3.0, 4.0]}]}),
        (SCORES, {"scores": [{"score": 0.5}, {"score": 0.25}]}),
        (BOOSTED, {"probabilities": [[0.25, 0.75]], "predicted_label": [1]}),
        (
            Reply(SCORES.columns, extra={"count": np.int64(2)}),
            {"predictions": [{"score": 0.5}, {"score": 0.25}], "count": 2},
        ),
    ],
)
def test_json_is_the_documented_document(reply: Reply, document: Any) -> None:
    body, name = write_reply(reply, "application/json; verbose=true")
    assert name == "application/json"
    assert json.loads(body) == document


def test_json_lines_are_its_items() -> None:
    body, name = write_reply(PROJECTIONS, "application/jsonlines")
    assert (body, name) == (b'{"projection": [1.0, 2.0]}\n{"projection": [3.0, 4.0]}\n', "application/jsonlines")


@pytest.mark.parametrize(
    ("reply", "text"),
    [(BINARY, b"0.25,0\n0.75,1\n"), (CLUSTERS, b"1.0,3.0\n"), (MANY, b"0.25,0.5,0.25,1\n"), (SCORES, b"0.5\n0.25\n")],
)
def test_csv_is_the_values_of_a_row(reply: Reply, text: bytes) -> None:
    assert write_reply(reply, "text/csv") == (text, "text/csv")


def test_recordio_has_the_columns_among_the_labels(tmp_path: Any) -> None:
    body, name = write_reply(MANY, "application/x-recordio-protobuf")
    assert name == "application/x-recordio-protobuf"
    (record,) = split_records(body)
    assert b"score" in record
    assert np.array([0.25, 0.5, 0.25], "<f4").tobytes() in record


def test_float32_is_written_in_full() -> None:
    score = Reply({"score": np.array([0.4], np.float32)})
    assert write_reply(score, "text/csv")[0] == b"0.4000000059604645\n"
    assert json.loads(write_reply(score, "")[0])["predictions"][0]["score"] == np.float32(0.4)


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "text/csv"),
        ("*/*", "text/csv"),
        ("application/*", "application/json"),
        ("text/csv;q=0.1,application/json", "application/json"),
    ],
)
def test_the_first_that_is_offered_is_the_default(accept: str, name: str) -> None:
    assert write_reply(SCORES, accept, offered=("text/csv", "application/json"))[1] == name


@pytest.mark.parametrize(
    ("reply", "accept"), [(SCORES, "image/png"), (BOOSTED, "text/csv"), (BOOSTED, "application/jsonlines")]
)
def test_what_cannot_be_written_is_refused(reply: Reply, accept: str) -> None:
    with pytest.raises(
        UnsupportedContentType, match=r"is not supported. Please use supported accept types: application/json"
    ):
        write_reply(reply, accept)


def test_columns_of_other_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        write_reply(Reply({"a": np.zeros(2), "b": np.zeros(3)}), "text/csv")


def test_an_extra_that_is_not_json_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="set is not JSON"):
        write_reply(Reply({}, extra={"a": {1}}), "")
