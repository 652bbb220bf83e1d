"""Filtering and joining; the examples of AWS's page "Associate Prediction Results with Input Records" each as a test."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headrace.server.containers.contract import ClientError
from headrace.server.operations.transforms.paths import read_path
from headrace.server.operations.transforms.processing import Processing, read_row, write_row
from headrace.server.operations.transforms.splitting import Batch, Batching, Record

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def processing(content_type: str, input_filter: str = "$", output_filter: str = "$", **given: Any) -> Processing:
    given = {"accept": content_type, **given}
    return Processing(content_type, given.pop("accept"), read_path(input_filter), read_path(output_filter), **given)


def through(how: Processing, records: list[bytes], model: Callable[[bytes], bytes]) -> bytes:
    """Return the output for records that all go in one request, whose body the model answers."""
    batching = Batching(1 << 20, separator=b"\n", joined=how.joined)
    (batch,) = batching.of(how.filtered(Record(record, record) for record in records))
    return how.finished(batch, model(batch.body), how.accept or how.content_type)


def first_column(body: bytes) -> bytes:
    return b"".join(line.split(b",")[0] + b"\n" for line in body.split(b"\n"))


class TestTheGuidesExamples:
    def test_output_only_inferences(self) -> None:
        assert through(processing(CSV), [b"1,2,3", b"4,5,6"], first_column) == b"1\n4\n"
        assert through(processing(LINES), [b'{"key":1}'], lambda body: b'{"label": 1}') == b'{"label": 1}'

    def test_output_input_data_and_inferences_csv(self) -> None:
        assert through(processing(CSV, joined=True), [b"1,2,3"], lambda body: b"1") == b"1,2,3,1\n"

    def test_output_input_data_and_inferences_json(self) -> None:
        how = processing(JSON, joined=True, in_lines=False)
        found = through(how, [b'{\n "key": 1\n}'], lambda body: b'{"label": 1}')
        assert found == b'{"key":1,"SageMakerOutput":{"label":1}}'

    def test_output_input_data_and_inferences_json_lines(self) -> None:
        found = through(
            processing(LINES, joined=True), [b'{"key":1}', b'{"key":2}'], lambda body: b'{"label":1}\n{"label":0}\n'
        )
        assert found == b'{"key":1,"SageMakerOutput":{"label":1}}\n{"key":2,"SageMakerOutput":{"label":0}}\n'

    def test_what_is_no_object_goes_under_a_key(self) -> None:
        found = through(processing(LINES, joined=True), [b"[1,2]"], lambda body: b"7")
        assert json.loads(found) == {"SageMakerInput": [1, 2], "SageMakerOutput": 7}

    def test_an_id_column_with_results_and_not_in_the_input(self) -> None:
        asked: list[bytes] = []

        def model(body: bytes) -> bytes:
            asked.append(body)
            return b"0.5\n0.25\n"

        rows = [b"id1,1,2,3,4", b"id2,5,6,7,8"]
        assert through(processing(CSV, "$[1:]", joined=True), rows, model) == b"id1,1,2,3,4,0.5\nid2,5,6,7,8,0.25\n"
        assert asked == [b"1,2,3,4\n5,6,7,8"]
        assert through(processing(CSV, "$[1:]", "$[0,-1]", joined=True), rows, model) == b"id1,0.5\nid2,0.25\n"
        assert through(processing(CSV, "$[1:]", "$[0,5:]", joined=True), rows, model) == b"id1,0.5\nid2,0.25\n"

    def test_an_id_attribute_with_results_and_not_in_the_input(self) -> None:
        asked: list[bytes] = []

        def model(body: bytes) -> bytes:
            asked.append(body)
            return b'{"score":1}\n{"score":2}'

        how = processing(LINES, "$.features", "$['id','SageMakerOutput']", joined=True)
        found = through(how, [b'{"id":"a","features":[1,2]}', b'{"id":"b","features":[3,4]}'], model)
        assert found == b'{"id":"a","SageMakerOutput":{"score":1}}\n{"id":"b","SageMakerOutput":{"score":2}}\n'
        assert asked == [b"[1,2]\n[3,4]"]

    def test_an_attribute_of_the_reserved_name_is_overwritten(self) -> None:
        found = through(processing(LINES, joined=True), [b'{"SageMakerOutput":1,"a":2}'], lambda body: b"3")
        assert json.loads(found) == {"SageMakerOutput": 3, "a": 2}

    def test_columns_outside_are_an_error(self) -> None:
        with pytest.raises(ClientError, match="index 9 of 4"):
            through(processing(CSV, "$", "$[9]", joined=True), [b"1,2,3"], lambda body: b"1")

    def test_inference_ids(self) -> None:
        start = "2022-08-30T00:49:15Z"
        found = through(processing(CSV, inference_time=start), [b"1", b"2"], lambda body: b"0\n1\n").decode()
        assert re.fullmatch(f"0,{UUID},{start}\n1,{UUID},{start}\n", found)
        first, second = found.splitlines()
        assert first.split(",")[1] != second.split(",")[1]
        found = through(processing(LINES, inference_time=start), [b"1"], lambda body: b'{"output": 0}').decode()
        assert re.fullmatch(
            rf'\{{"output":0,"SageMakerInferenceId":"{UUID}","SageMakerInferenceTime":"{start}"\}}\n', found
        )
        found = through(processing(JSON, inference_time=start, in_lines=False), [b"1"], lambda body: b"[0]").decode()
        assert json.loads(found)["SageMakerOutput"] == [0]


def test_answers_that_are_not_looked_into_stay_as_they_are() -> None:
    batch = Batch(b"", (), 1)
    assert processing("image/png").finished(batch, b"\x89PNG", "image/png") == b"\x89PNG"
    with_lines = processing("text/plain", assembled_with_line=True)
    assert [with_lines.finished(batch, body, "") for body in (b"a", b"a\n", b"")] == [b"a\n", b"a\n", b""]


def test_an_output_filter_alone_looks_into_answers_of_the_accepted_type() -> None:
    how = processing(CSV, "$[:2]", "$.class", accept=JSON)
    assert through(how, [b"1,2,3"], lambda body: b'{"class":"a","score":1}') == b'"a"\n'
    assert through(processing(CSV, "$", "$[1]"), [b"1"], lambda body: b'1,"a,b"\n') == b'"a,b"\n'
    assert through(processing(CSV, "$", "$[0]", accept=""), [b"1"], lambda body: b"1,2\n") == b"1\n"


def test_several_results_on_one_line_of_csv_are_one_a_record() -> None:
    assert through(processing(CSV, joined=True), [b"a", b"b"], lambda body: b"0.1,0.2") == b"a,0.1\nb,0.2\n"


@pytest.mark.parametrize(
    ("how", "answer", "sentence"),
    [
        (processing(CSV, joined=True), b"1\n2\n3\n", "2 records with 3 results"),
        (processing(LINES, joined=True), b'{"predictions":[1,2]}', "2 records with 1 results"),
        (processing(LINES, joined=True), b"no json\n2", "answer is no JSON"),
        (processing(CSV, joined=True), b"\xff\n1", "no line of CSV"),
        (processing(CSV, joined=True), b'"a\n1', "no line of CSV"),
        (processing(CSV, joined=True, accept=JSON), b"1", "set Accept to text/csv"),
        (processing(LINES, joined=True, accept=CSV), b"1", "input's type"),
        (processing(CSV, joined=True, accept="image/png"), b"1", "image/png"),
    ],
)
def test_answers_that_cannot_be_joined(how: Processing, answer: bytes, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        through(how, [b"1", b"2"], lambda body: answer)


@pytest.mark.parametrize(
    ("how", "record", "sentence"),
    [
        (processing(CSV, "$[1]"), b"1", "index 1 of 1"),
        (processing(CSV, "$[1:]"), b"1", "leaves no column"),
        (processing(LINES, "$.a"), b"{", "no JSON"),
        (processing(LINES, "$.a"), b'{"b":1}', "no attribute 'a'"),
        (processing(LINES, "$.a"), b"[" * 100_000, "no JSON"),
    ],
)
def test_records_that_cannot_be_filtered(how: Processing, record: bytes, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        through(how, [record], first_column)


@given(some.lists(some.text(some.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_rows_are_read_as_they_were_written(row: list[str]) -> None:
    assert row == [""] or read_row(write_row(row)) == row
