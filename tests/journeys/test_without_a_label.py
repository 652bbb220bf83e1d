"""Tables without a label through the nine steps: clusters, anomalies, rules; and what cannot be done, in a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import HeadraceError


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import headrace

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda table, name="out", **options: headrace.run(table, out=tmp_path / name, **options)


def blobs(rows: int = 150) -> pl.DataFrame:
    random = np.random.default_rng(0)
    code = np.arange(rows) % 3
    centres = np.array([[0.0, 0], [6, 6], [0, 9]])[code]
    values = centres + random.normal(0, 0.7, (rows, 2))
    return pl.DataFrame({"x": values[:, 0], "y": values[:, 1], "colour": np.array(["red", "blue", "green"])[code]})


def test_clusters_are_found_described_and_given_to_new_rows(go: Any, tmp_path: Path) -> None:
    record = go(blobs(), task="clustering")
    document = json.loads((tmp_path / "out/report.json").read_text())
    assert document["discovery"]["found"]
    assert len(document["discovery"]["clusters"]) == 3
    assert any("colour is" in said for c in document["discovery"]["clusters"] for said in c["described"])
    assert record.decision in ("go", "go-with-conditions")
    assert "The clusters" in (tmp_path / "out/report.html").read_text()
    model = record.model()
    assert model.predict({"x": 0.1, "y": 0.2, "colour": "red"}).startswith("cluster_")
    shown = pl.read_csv(tmp_path / "out/predictions.csv")
    assert model.predict(blobs())["prediction"].to_list() == shown["prediction"].to_list()


def test_noise_is_a_no_go(go: Any) -> None:
    random = np.random.default_rng(3)
    record = go(pl.DataFrame({name: random.normal(size=120) for name in "abc"}), task="clustering")
    assert record.decision == "no-go"
    assert "no clusters here" in record.document["reasons"][0]
    assert set(record.model().predict(pl.DataFrame({"a": [0.0], "b": [1.0], "c": [2.0]}))["prediction"]) == {
        "cluster_1"
    }


def test_anomalies_are_scored_explained_and_measured_by_a_label(go: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(400, 3))
    strange = np.arange(400) % 25 == 0
    values[strange, 1] += 9
    table = pl.DataFrame({"a": values[:, 0], "b": values[:, 1], "c": values[:, 2], "wrong": strange.astype(int)})
    record = go(table, task="anomaly_detection", target="wrong", contamination=0.04)
    assert record.document["metrics"]["test"]["label_auc"] > 0.95
    top = record.document["discovery"]["top"]
    found = [row for row in top[:10] if strange[row["row"] - 1]]
    assert len(found) >= 5
    assert found[0]["why"][0]["column"] == "b"
    predicted = record.model().predict(pl.DataFrame({"a": [0.0, 0.0], "b": [0.0, 12.0], "c": [0.0, 0.0]}))
    assert predicted.columns == ["score", "is_anomaly"]
    assert predicted["is_anomaly"].to_list() == [False, True]
    assert pl.read_csv(tmp_path / "out/predictions.csv")["is_anomaly"].mean() == pytest.approx(0.04, abs=0.03)


def test_a_series_is_looked_at_in_windows(go: Any) -> None:
    moments = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 13, 11), "1h", eager=True)
    values = np.sin(np.arange(300) / 12 * np.pi) + np.random.default_rng(0).normal(0, 0.05, 300)
    values[200:206] = 0.9  # flat where it should swing: strange as a shape only
    table = pl.DataFrame({"time": moments.dt.to_string("%Y-%m-%d %H:%M"), "value": values})
    record = go(table, task="anomaly_detection", contamination=0.05)
    assert record.document["discovery"]["window"] == 24
    assert any(200 <= row["row"] <= 230 for row in record.document["discovery"]["top"][:5])
    from headrace.ml.tables import table_from_frame

    scores = record.model().predict_table(table_from_frame(table))
    assert scores["score"].null_count() == 23


def test_rules_are_found_confirmed_and_recommended_by(go: Any) -> None:
    random = np.random.default_rng(0)
    rows = []
    for order in range(400):
        items = {item for item in ("tea", "milk", "bread", "rice", "salt") if random.random() < 0.3}
        if "tea" in items and random.random() < 0.9:
            items.add("sugar")
        rows += [(order, item) for item in sorted(items)]
    table = pl.DataFrame(rows, schema=["order", "item"], orient="row")
    record = go(table)
    rule = record.document["discovery"]["rules"][0]
    assert (rule["antecedent"], rule["consequent"]) in ((["tea"], "sugar"), (["sugar"], "tea"))
    assert rule["confirmed"]
    assert record.model().predict(["tea", "salt"])[0] | {"confidence": 0, "lift": 0} == {
        "item": "sugar", "confidence": 0, "lift": 0, "because": "tea",
    }  # fmt: skip
    with pytest.raises(HeadraceError, match="a basket is a list"):
        record.model().predict("tea")


TABLES = {
    "one row": pl.DataFrame({"a": [1.0], "b": [2.0]}),
    "constant columns": pl.DataFrame({"a": [1.0] * 60, "b": ["x"] * 60}),
    "all missing": pl.DataFrame({"a": [None] * 60, "b": [None] * 60}, schema={"a": pl.Float64, "b": pl.String}),
    "text only": pl.DataFrame({"letter": [f"dear reader number {i}, all is well with us here" for i in range(60)]}),
    "good": blobs(60),
}


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        ("one row", {"task": "clustering"}, "the table has 1 row; clustering needs at least 30"),
        ("constant columns", {"task": "clustering"}, "no column is left"),
        ("all missing", {"task": "anomaly_detection"}, "no value in any of 60 rows|no column|dropped|no rows"),
        ("text only", {"task": "clustering"}, "free text"),
        ("good", {"task": "clustering", "target": "x"}, "clustering learns without a target, and 'x' is given"),
        ("good", {}, "no target is named; pass --target with one of x, y, colour"),
        ("good", {"task": "clustering", "metric": "roc_auc"}, "--metric roc_auc judges predictions of a label"),
        ("good", {"task": "anomaly_detection", "target": "colour"}, "has 3 different values"),
        ("good", {"task": "anomaly_detection", "contamination": 5}, "no share of anomalies"),
        ("good", {"task": "anomaly_detection", "window": 4}, "needs the order of the rows"),
        ("good", {"task": "association_rules", "group": "x"}, "name the other with --item"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(go: Any, table: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HeadraceError, match=sentence):
        go(TABLES[table], **options)
