"""The image `headrace`: models of `headrace run` behind InvokeEndpoint's formats."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headrace.ml.prediction import load
from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import ClientError, Predictor, UnsupportedContentType

MODELS = Path(__file__).parents[3] / "data" / "models" / "format_1"
IMAGE = ALGORITHMS["headrace"]
ALL = {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probability,probabilities,labels"}


def rows_of(name: str) -> list[dict]:
    """Return the rows that were recorded with a model."""
    recorded = json.loads((MODELS / name / "recorded.json").read_text())
    return recorded["rows"]


@pytest.fixture(params=["binary", "multiclass", "regression"])
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each golden model."""
    return request.param


def serving(name: str, **environment: str) -> Predictor:
    """Return a golden model as it serves."""
    return IMAGE.load(MODELS / name / "model", environment)


def as_csv(rows: list[dict], *, header: bool) -> bytes:
    """Return rows as CSV; None is empty."""
    return pl.DataFrame(rows).write_csv(include_header=header).encode()


def labels(answer: bytes) -> list[str]:
    """Return the lines of an answer in CSV."""
    return answer.decode().splitlines()


def expected(name: str, rows: list[dict]) -> list[str]:
    """Return what the library itself says, as text."""
    return [str(value) for value in load(MODELS / name / "model").predict(rows)["prediction"].to_list()]


@pytest.mark.parametrize("header", [True, False])
def test_csv_with_and_without_a_header(name, header):
    rows = rows_of(name)
    answer, content_type = serving(name).invoke(as_csv(rows, header=header), "text/csv", "")
    assert content_type == "text/csv"
    assert labels(answer) == expected(name, rows)


def test_a_header_may_come_in_any_order_and_with_more_columns():
    rows = [{"extra": "x", **dict(reversed(row.items()))} for row in rows_of("binary")]
    answer, _ = serving("binary").invoke(as_csv(rows, header=True), "text/csv", "*/*")
    assert labels(answer) == expected("binary", rows_of("binary"))


def test_every_format_answers_alike(name):
    rows, model = rows_of(name), serving(name)
    parquet = io.BytesIO()
    pl.DataFrame(rows).write_parquet(parquet)
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    lists = [list(row.values()) for row in rows]
    bodies = [
        (json.dumps({"instances": rows}).encode(), "application/json"),
        (json.dumps({"instances": lists}).encode(), "application/json"),
        (json.dumps({"instances": [{"features": each} for each in lists]}).encode(), "application/json"),
        (json.dumps(rows).encode(), "application/json; charset=utf-8"),
        (json.dumps(lists).encode(), "application/json"),
        (json.dumps(columns).encode(), "application/json"),
        ("\n".join(map(json.dumps, rows)).encode(), "application/jsonlines"),
        ("\n".join(map(json.dumps, lists)).encode(), "application/x-jsonlines"),
        (parquet.getvalue(), "application/x-parquet"),
        (parquet.getvalue(), "x-application/vnd.amazon+parquet"),
    ]
    answers = [model.invoke(body, content_type, "application/json") for body, content_type in bodies]
    assert {content_type for _, content_type in answers} == {"application/json"}
    said = [[str(item["predicted_label"]) for item in json.loads(answer)["predictions"]] for answer, _ in answers]
    assert said == [expected(name, rows)] * len(bodies)


def test_one_row_is_answered_as_it_is_among_many(name):
    rows, model = rows_of(name), serving(name)
    together = labels(model.invoke(as_csv(rows, header=True), "text/csv", "")[0])
    alone = []
    for row in rows:
        alone += labels(model.invoke(json.dumps(row).encode(), "application/json", "text/csv")[0])
    if name == "regression":
        assert np.allclose([float(each) for each in alone], [float(each) for each in together], rtol=1e-5)
    else:
        assert alone == together


def test_the_keys_of_autopilot_choose_what_is_answered():
    rows = rows_of("binary")[:3]
    model = serving("binary", **ALL)
    answer, _ = model.invoke(json.dumps(rows).encode(), "application/json", "application/jsonlines")
    truth = load(MODELS / "binary" / "model").predict(rows, proba=True).to_dicts()
    for line, row in zip(answer.decode().splitlines(), truth, strict=True):
        item = json.loads(line)
        assert list(item) == ["predicted_label", "probability", "probabilities", "labels"]
        assert item["labels"] == ["no", "yes"]
        assert item["predicted_label"] == row["prediction"]
        assert item["probabilities"] == [row["probability_no"], row["probability_yes"]]
        assert item["probability"] == row[f"probability_{row['prediction']}"]


def test_lists_are_quoted_in_csv():
    answer, _ = serving("binary", SAGEMAKER_INFERENCE_OUTPUT="predicted_label, labels").invoke(
        as_csv(rows_of("binary")[:1], header=False), "text/csv", "text/csv"
    )
    assert labels(answer)[0].endswith(""","['no', 'yes']\"""")


def test_a_number_comes_with_its_band_where_that_is_asked_for():
    model = serving("regression", SAGEMAKER_INFERENCE_OUTPUT="predicted_label,lower,upper")
    for rows in (rows_of("regression")[:1], rows_of("regression")):
        for line in labels(model.invoke(json.dumps(rows).encode(), "application/json", "")[0]):
            value, lower, upper = map(float, line.split(","))
            assert lower < value < upper


def test_the_default_of_the_answer_is_the_environments():
    model = serving("binary", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    body = as_csv(rows_of("binary"), header=True)
    assert model.invoke(body, "text/csv", "")[1] == "application/json"
    assert model.invoke(body, "text/csv", "text/csv")[1] == "text/csv"


def test_labels_never_seen_and_missing_values_are_answered(name):
    row = dict.fromkeys(rows_of(name)[0]) | {"city": "Atlantis", "comment": "unheard of"}
    assert len(labels(serving(name).invoke(json.dumps([row, row]).encode(), "application/json", "")[0])) == 2
    assert len(labels(serving(name).invoke(json.dumps(row).encode(), "application/json", "")[0])) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (b"", "text/csv", "body of the request is empty"),
        (b" \n", "text/csv", "body of the request is empty"),
        (b"1,2\n", "text/csv", "Row 1 of the request has 2 values, and the model takes 6 [(]tenure, charges"),
        (b"1,2,3,4,5,6\n1,2\n", "text/csv", "Row 2 of the request has 2 values, and there are 6 columns"),
        (b"tenure,charges,since,contract,town,comment\n9,1,01.01.2020,a,b,c\n", "text/csv", "column 'city' is absent"),
        (b"tenure,charges,since,contract,city,comment\n", "text/csv", "header and no rows"),
        (b"tenure,tenure,since,contract,city,comment\n1,2,3,4,5,6", "text/csv", "column 'tenure' twice"),
        (b"many,1,01.01.2020,a,b,c\n", "text/csv", "column 'tenure' has the value 'many', which is not a number"),
        (b"\xff\xfe1,2", "text/csv", "not UTF-8"),
        (b'1,"2\n', "text/csv", "Unable to parse the CSV"),
        (b"{", "application/json", "Unable to parse the JSON of the request"),
        (b"[" * 100_000, "application/json", "too deeply"),
        (b"[]", "application/json", "no rows"),
        (b'{"instances": []}', "application/json", "no rows"),
        (b'{"instances": [3]}', "application/json", "Row 1 of the request has 1 values"),
        (b'{"instances": [[1], 3]}', "application/json", "Row 1 of the request has 1 values"),
        (b'{"instances": [{"tenure": [1]}]}', "application/json", "column 'tenure' a list"),
        (b'{"tenure": [1, 2], "charges": [1]}', "application/json", "all of one length"),
        (b'{"tenure": 1}', "application/json", "columns 'charges', 'since', 'contract', 'city', 'comment' are absent"),
        (b'"text"', "application/json", "needs rows"),
        (b"{}\n{", "application/jsonlines", "JSON of line 2"),
        (b"PAR1", "application/x-parquet", "Failed to load the Parquet data"),
        (b"\x93NUMPY", "application/x-npy", "npy"),
    ],
)  # fmt: skip
def test_bad_requests_are_told_in_a_sentence(body, content_type, sentence):
    with pytest.raises(ClientError, match=sentence):
        serving("binary").invoke(body, content_type, "")


def test_foreign_content_types_are_refused():
    model, body = serving("binary"), as_csv(rows_of("binary"), header=True)
    with pytest.raises(UnsupportedContentType):
        model.invoke(body, "image/png", "")
    with pytest.raises(UnsupportedContentType):
        model.invoke(body, "text/csv", "image/png")
    assert model.invoke(body, "", "")[1] == "text/csv"


def test_a_matrix_of_numbers_fits_a_model_of_numbers(tmp_path):
    from headrace import run

    values = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)
    table = pl.DataFrame(values, schema=["a", "b", "c"]).with_columns(y=pl.col("a") * 3 + pl.col("b"))
    run(table, "y", trials=1, out=tmp_path / "out")
    body = io.BytesIO()
    np.save(body, values[:5])
    model = IMAGE.load(tmp_path / "out" / "model")
    answer, _ = model.invoke(body.getvalue(), "application/x-npy", "")
    truth = load(tmp_path / "out" / "model").predict(table[:5])["prediction"].to_list()
    assert [float(line) for line in labels(answer)] == truth
    whole = IMAGE.load(tmp_path / "out" / "model").columns
    assert whole.table == ("a", "b", "c")
    assert whole.target == "y"


def test_a_folder_named_model_within_the_archive_is_found(tmp_path):
    shutil.copytree(MODELS / "binary" / "model", tmp_path / "model")
    body = as_csv(rows_of("binary"), header=True)
    assert IMAGE.load(tmp_path).invoke(body, "text/csv", "") == serving("binary").invoke(body, "text/csv", "")


def test_foreign_and_damaged_archives_are_refused(tmp_path):
    shutil.copytree(MODELS / "binary" / "model", tmp_path / "damaged")
    (tmp_path / "damaged" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ClientError, match=r"^'model.onnx' is damaged") as caught:
        IMAGE.load(tmp_path / "damaged")
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ClientError, match=r"no manifest.json"):
        IMAGE.load(tmp_path / "pickled")


def test_an_unknown_key_fails_the_load():
    with pytest.raises(ClientError, match="asks for 'score', which this model does not answer; choose from predicted"):
        serving("binary", SAGEMAKER_INFERENCE_OUTPUT="score")
    with pytest.raises(ClientError, match="asks for 'probability'"):
        serving("regression", SAGEMAKER_INFERENCE_OUTPUT="probability")


def test_it_trains_nothing():
    with pytest.raises(ClientError, match="trains none"):
        IMAGE.train(None)
