"""Loading and predicting: one row, many rows, and everything that can be wrong with them."""

import json
import math
import threading

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from headrace.ml.contract import Task
from headrace.ml.errors import InputError, ModelError
from headrace.ml.prediction import load
from headrace.ml.prediction.manifest import record_content
from headrace.ml.prediction.model import Model
from headrace.ml.tables.table import Table

ROW = {"age": 50, "joined": "2020-01-11", "plan": "pro", "note": "good"}
DAY = 86400.0


def probability(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_one_row_gives_a_plain_label_or_number(models, expected_score):
    value = expected_score(50, 1577836800 + 10 * DAY, "pro", "good")
    assert models[Task.BINARY].predict(ROW) == "yes"
    assert models[Task.BINARY].predict(ROW | {"age": 10}) == "no"
    assert models[Task.MULTICLASS].predict(ROW) == "high"
    assert models[Task.MULTICLASS].predict(ROW | {"age": 0}) == "low"
    banded = models[Task.REGRESSION].predict(ROW)
    assert banded == pytest.approx({"prediction": value, "lower": value - 3, "upper": value + 3})


def test_one_row_with_probabilities(models, expected_score):
    value = expected_score(50, 1577836800 + 10 * DAY, "pro", "good")
    got = models[Task.BINARY].predict(ROW, proba=True)
    assert got["prediction"] == "yes"
    assert got["probability_yes"] == pytest.approx(probability(value), rel=1e-6)
    assert got["probability_no"] == pytest.approx(1 - probability(value), rel=1e-5)
    assert list(models[Task.MULTICLASS].predict(ROW, proba=True)) == [
        "prediction", "probability_low", "probability_middle", "probability_high",
    ]  # fmt: skip


def test_the_label_follows_the_threshold_and_the_graph_agrees(models):
    model = models[Task.BINARY]
    ages = np.linspace(0, 60, 500)
    rows = [{"age": age, "joined": None, "plan": "basic", "note": ""} for age in ages]
    frame = model.predict(rows, proba=True)
    assert set(frame["prediction"]) == {"no", "yes"}
    assert frame["prediction"].to_list() == ["yes" if p >= np.float32(0.6) else "no" for p in frame["probability_yes"]]
    assert [model.predict(row) for row in rows] == frame["prediction"].to_list()
    inputs = {
        "age": ages[:, None], "joined": np.full((500, 1), np.nan),
        "plan": np.full((500, 1), "basic", object), "note": np.full((500, 1), "", object),
    }  # fmt: skip
    graph = model._session.run(["prediction"], inputs)[0]
    assert graph.tolist() == frame["prediction"].to_list()


ROWS = [
    ROW,
    {"age": "1,234", "joined": None, "plan": " plus ", "note": None},
    {"age": "n/a", "joined": "2021-06-30 12:00", "plan": "?", "note": "good"},
    {"age": None, "joined": "", "plan": "unheard of", "note": "äöü 漢字"},
    {"age": 3.5, "joined": "1969-12-31", "plan": "basic", "note": "x" * 10_000},
]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_every_kind_of_rows_gives_the_same(models, task):
    model = models[task]
    singles = pl.DataFrame([model.predict(row, proba=True) for row in ROWS])
    texts = [{k: None if v is None else str(v) for k, v in row.items()} for row in ROWS]
    columns = {name: [row[name] for row in texts] for name in ROW}
    numbers = {"age": [50, 1234, None, None, 3.5]}
    for data in (
        ROWS,
        texts,
        columns,
        pl.DataFrame(texts),
        pl.LazyFrame(texts),
        pl.DataFrame(texts).with_columns(pl.Series("age", [50.0, 1234.0, None, None, 3.5])),
        pd.DataFrame(texts),
        pd.DataFrame(columns | numbers),
        pd.DataFrame(columns).astype({"plan": "category", "note": "string"}),
        pa.table(columns),
        columns | {"age": np.array([50, 1234, np.nan, np.nan, 3.5])},
        columns | {"age": pl.Series([50.0, 1234.0, None, None, 3.5])},
        columns | {"age": pd.Series([50, 1234, None, None, 3.5])},
    ):
        got = model.predict(data, proba=True)
        assert got.columns == singles.columns
        for name in got.columns:
            if got[name].dtype == pl.Float64:
                np.testing.assert_allclose(got[name], singles[name], rtol=1e-6)
            else:
                assert got[name].to_list() == singles[name].to_list()


def test_native_dates_are_read(models):
    from datetime import UTC, date, datetime

    model = models[Task.REGRESSION]
    text = model.predict(ROW)
    assert model.predict(ROW | {"joined": date(2020, 1, 11)}) == text
    assert model.predict(ROW | {"joined": datetime(2020, 1, 11, tzinfo=UTC)}) == text
    frame = pd.DataFrame([ROW]).assign(joined=pd.to_datetime(["2020-01-11"]))
    assert model.predict(frame).row(0, named=True) == text
    missing = pd.DataFrame([ROW, ROW]).assign(joined=pd.to_datetime(["2020-01-11", None]))
    assert model.predict(missing)["prediction"][0] == text["prediction"]
    assert model.predict(missing)["prediction"][1] == model.predict(ROW | {"joined": None})["prediction"]


def test_many_rows_come_in_chunks_over_threads_and_keep_their_order(models):
    ages = np.random.default_rng(0).uniform(0, 90, 30_001)
    data = {"age": ages, "joined": [None] * 30_001, "plan": ["plus"] * 30_001, "note": [""] * 30_001}
    one, several = (
        Model(m.manifest, (m.folder / "model.onnx").read_bytes(), m.folder, threads=threads)
        for m, threads in ((models[Task.REGRESSION], 1), (models[Task.REGRESSION], 3))
    )
    got = several.predict(data)
    assert got.equals(one.predict(data))
    np.testing.assert_allclose(got["prediction"], (ages - 40) / 10 + 1, rtol=1e-5, atol=1e-6)


def test_single_rows_from_several_threads_do_not_mix(models):
    model = models[Task.REGRESSION]
    wrong = []

    def work(age):
        got = [model.predict(ROW | {"age": age})["prediction"] for _ in range(300)]
        wrong.extend(value for value in got if abs(value - (age - 40) / 10 - 3.01) > 1e-4)

    threads = [threading.Thread(target=work, args=(age,)) for age in (10, 200, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_parsed_columns_give_raw_predictions(models, training_rows, expected_score):
    scores = np.array([expected_score(*row) for row in training_rows.iter_rows()])
    probabilities = models[Task.BINARY].predict_frame(training_rows)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-scores)), rtol=1e-5)
    assert models[Task.MULTICLASS].predict_frame(training_rows).shape == (300, 3)
    np.testing.assert_allclose(models[Task.REGRESSION].predict_frame(training_rows), scores, rtol=1e-5, atol=1e-5)


def test_a_table_keeps_its_row_numbers(models):
    table = Table(pl.DataFrame([ROW, ROW | {"age": "many"}]).cast(pl.String), np.array([7, 9]), "rows.csv", "csv")
    frame = models[Task.BINARY].predict_table(table)
    assert frame.columns == ["row", "prediction", "probability_no", "probability_yes"]
    assert frame["row"].to_list() == [7, 9]
    note = "column 'age' has 1 value that is not a number (first: 'many' in row 9), taken as missing"
    assert models[Task.BINARY].notes == (note,)
    assert models[Task.BINARY].predict_table(table, proba=False).columns == ["row", "prediction"]


def test_columns_reordered_extra_and_of_no_rows(models):
    model = models[Task.BINARY]
    reordered = {key: [ROW[key]] for key in reversed(ROW)} | {"extra": ["<b>"], "more": [1]}
    assert model.predict(reordered)["prediction"].to_list() == ["yes"]
    assert "2 columns ('extra', 'more') are not read by the model and ignored" in model.notes
    assert model.predict(dict(reversed(ROW.items())) | {"extra": object()}) == "yes"
    empty = model.predict(pl.DataFrame(schema=dict.fromkeys(ROW, pl.String)), proba=True)
    assert empty.schema == {"prediction": pl.String, "probability_no": pl.Float64, "probability_yes": pl.Float64}
    assert empty.height == 0


@pytest.mark.parametrize(
    "rows", [{"age": 1, "plan": "pro"}, [{"age": 1, "plan": "pro"}], pl.DataFrame({"age": [1], "plan": ["pro"]})]
)
def test_absent_columns_are_named(models, rows):
    with pytest.raises(InputError, match="columns 'joined', 'note' are absent from the rows"):
        models[Task.BINARY].predict(rows)


def test_an_absent_column_that_the_graph_does_not_read_is_missing(folder):
    document = json.loads((folder / "manifest.json").read_text())
    document["inputs"].append({"name": "unread", "kind": "number", "required": False})
    (folder / "manifest.json").write_text(json.dumps(document))
    model = load(folder)
    assert model.predict(ROW) == "yes"
    assert model.predict([ROW])["prediction"].to_list() == ["yes"]
    assert "column 'unread' is absent and taken as missing" in model.notes


@pytest.mark.parametrize(("column", "value", "kind"), [("age", "many", "number"), ("age", math.inf, "number"), ("age", [1, 2], "number"), ("joined", "soon", "date"), ("joined", "2020-13-45", "date")])  # fmt: skip
def test_a_value_that_cannot_be_read_is_refused_or_counted(models, column, value, kind):
    model = models[Task.BINARY]
    with pytest.raises(InputError, match=f"column '{column}' has the value .*, which is not a {kind}"):
        model.predict(ROW | {column: value})
    with pytest.raises(InputError, match=f"column '{column}' has no value that is a {kind} .first: .* in row 2"):
        model.predict([ROW | {column: None}, ROW | {column: value}, ROW | {column: value}])
    model.predict([ROW, ROW | {column: value}, ROW | {column: value}])
    (note,) = model.notes
    assert note.startswith(f"column '{column}' has 2 values that are not {kind}s (first: ")
    assert note.endswith(" in row 2), taken as missing")
    got = model.predict([ROW, ROW | {column: value}], proba=True).rows()
    assert got == model.predict([ROW, ROW | {column: None}], proba=True).rows()


def test_labels_never_seen_are_counted_and_predicted(models):
    model = models[Task.BINARY]
    frame = model.predict([ROW, ROW | {"plan": "gold"}, ROW | {"plan": "gold"}, ROW | {"plan": None}], proba=True)
    assert frame["probability_yes"].is_not_null().all()
    assert model.notes == (
        "column 'plan' has 2 values that the training rows did not have (first: 'gold' in row 2), "
        "predicted as an unknown label",
    )


def test_a_row_without_any_value_is_predicted(models):
    nothing = dict.fromkeys(ROW)
    assert models[Task.BINARY].predict(nothing) == "no"
    assert models[Task.BINARY].predict([nothing, nothing])["prediction"].to_list() == ["no", "no"]
    blank = {**dict.fromkeys(ROW, ""), "age": math.nan}
    assert models[Task.REGRESSION].predict(blank) == models[Task.REGRESSION].predict(nothing)


def test_text_that_utf8_cannot_hold_is_predicted_as_unknown(models):
    model = models[Task.BINARY]
    row = ROW | {"plan": "\ud800", "note": "\udfff good"}
    known = ROW | {"plan": "never heard", "note": ""}
    assert model.predict(row, proba=True) == model.predict(known, proba=True)
    assert model.predict([row, row], proba=True).row(1, named=True) == model.predict(known, proba=True)


@pytest.mark.parametrize(("data", "reason"), [(5, "given as int"), ("rows.csv", "a single str was given"), ([1, 2], "row 1 is a int"), ({"age": [1], "plan": []}, "different lengths")])  # fmt: skip
def test_what_is_no_rows_is_refused(models, data, reason):
    with pytest.raises(InputError, match=reason):
        models[Task.BINARY].predict(data)


def test_a_frame_with_two_columns_of_one_name_is_refused(models):
    frame = pd.DataFrame([[1, 2]], columns=["age", "age"])
    with pytest.raises(InputError, match="two columns of one name"):
        models[Task.BINARY].predict(frame)


@pytest.mark.parametrize("damage", ["truncated", "one byte", "emptied", "absent", "folder"])
@pytest.mark.parametrize("file", ["model.onnx", "baseline.json"])
def test_a_damaged_file_is_one_sentence(folder, file, damage):
    path = folder / file
    content = bytearray(path.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: {"truncated": -1, "emptied": 0}.get(damage)])
    if damage in ("absent", "folder"):
        path.unlink()
    if damage == "folder":
        path.mkdir()
    with pytest.raises(ModelError, match=f"{file}'.*copy or train the model again"):
        load(folder)


def foreign(folder, content: bytes):
    document = json.loads((folder / "manifest.json").read_text())
    record = record_content(content)
    document["files"]["model.onnx"] = {"sha256": record.sha256, "size": record.size}
    (folder / "manifest.json").write_text(json.dumps(document))
    (folder / "model.onnx").write_bytes(content)


def test_a_graph_that_is_none_or_does_not_fit_its_manifest_is_refused(folder, save, tmp_path):
    foreign(folder, b"not a graph")
    with pytest.raises(ModelError, match="is not a graph that ONNX Runtime"):
        load(folder)
    save(tmp_path / "other", Task.REGRESSION)
    foreign(folder, (tmp_path / "other" / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="has no output"):
        load(folder)


def test_a_graph_that_reads_more_than_the_manifest_says_is_refused(folder):
    document = json.loads((folder / "manifest.json").read_text())
    del document["inputs"][2]
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=r"reads \['plan'\], which its manifest lacks"):
        load(folder)


def test_without_a_baseline_a_model_predicts_and_does_not_explain(folder):
    document = json.loads((folder / "manifest.json").read_text())
    del document["files"]["baseline.json"]
    (folder / "manifest.json").write_text(json.dumps(document))
    model = load(folder)
    assert model.predict(ROW) == "yes"
    with pytest.raises(ModelError, match=r"has no baseline\.json"):
        _ = model.baseline
