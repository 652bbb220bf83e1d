"""The main job as a user meets it: what a run leaves, and that it repeats."""

import json
from pathlib import Path

import polars as pl
import pytest

from .conftest import Command, churn_table


def test_a_run_leaves_everything_it_promises(finished_run: Path) -> None:
    assert {p.name for p in finished_run.iterdir()} == {
        "report.html", "report.json", "model", "predictions.csv", "evidence.npz",
    }  # fmt: skip
    assert {p.name for p in (finished_run / "model").iterdir()} == {
        "model.onnx", "manifest.json", "baseline.json", "explanation.npz", "explanation.onnx",
    }  # fmt: skip
    document = json.loads((finished_run / "report.json").read_text())
    assert document["task"] == "binary"
    assert document["decision"] in ("go", "go-with-conditions", "no-go")
    assert document["reasons"]
    assert set(document["metrics"]) == {"train", "validation", "test"}
    assert len([c for c in document["candidates"] if c["algorithm"] != "baseline"]) == 2


def test_the_predictions_are_those_of_the_model(finished_run: Path, churn_csv: Path) -> None:
    import headrace

    predictions = pl.read_csv(finished_run / "predictions.csv")
    assert predictions.columns == ["row", "prediction", "probability_no", "probability_yes"]
    source = pl.read_csv(churn_csv)[[row - 1 for row in predictions["row"]]]
    again = headrace.load(finished_run / "model").predict(source, proba=True)
    assert again["prediction"].to_list() == predictions["prediction"].to_list()
    assert (again["probability_yes"] - predictions["probability_yes"]).abs().max() < 1e-5  # type: ignore[operator]


def test_the_command_line_runs_predicts_explains_and_reports(
    headrace: Command, churn_csv: Path, tmp_path: Path
) -> None:
    run = headrace("run", churn_csv, "--target", "churn", "--trials", 1, "--out", "result", "--exclude", "joined")
    assert run.returncode == 0, run.stderr
    assert "Decision" in run.stderr
    assert "report.html" in run.stderr
    assert not list((tmp_path / "state/headrace/runs").iterdir())
    predict = headrace("predict", "result/model", churn_csv, "--proba")
    assert predict.returncode == 0, predict.stderr
    assert predict.stdout.splitlines()[0] == "row,prediction,probability_no,probability_yes"
    assert len(predict.stdout.splitlines()) == 401
    written = headrace("predict", "result/model", churn_csv, "-o", "p.parquet")
    assert written.returncode == 0, written.stderr
    assert pl.read_parquet(tmp_path / "p.parquet").columns == ["row", "prediction"]
    explain = headrace("explain", "result/model", churn_csv, "--row", 3, "--json")
    explanation = json.loads(explain.stdout)
    total = sum(c["contribution"] for c in explanation["contributions"])
    assert abs(explanation["prediction"] - explanation["base"] - total) < 1e-5
    before = (tmp_path / "result/report.html").read_bytes()
    assert headrace("report", "result", "--no-open").returncode == 0
    assert (tmp_path / "result/report.html").read_bytes() == before


def test_a_run_with_trials_repeats_exactly(headrace: Command, churn_csv: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert headrace("run", churn_csv, "--target", "churn", "--trials", 3, "--out", name, "-q").returncode == 0
    assert (tmp_path / "one/predictions.csv").read_bytes() == (tmp_path / "two/predictions.csv").read_bytes()
    assert (tmp_path / "one/model/model.onnx").read_bytes() == (tmp_path / "two/model/model.onnx").read_bytes()


@pytest.mark.parametrize("target", ["charges", "contract"])
def test_regression_and_multiclass_run_too(headrace: Command, tmp_path: Path, target: str) -> None:
    table = churn_table().filter(pl.col("charges").is_not_null())
    table = table.with_columns(
        pl.when(pl.col("contract") == "One year").then(pl.col("charges") + 40).otherwise(pl.col("charges"))
    )
    table.write_csv(tmp_path / "table.csv")
    run = headrace("run", "table.csv", "--target", target, "--trials", 2, "--out", "result")
    assert run.returncode == 0, run.stderr
    document = json.loads((tmp_path / "result/report.json").read_text())
    assert document["task"] == {"charges": "regression", "contract": "multiclass"}[target]
    columns = pl.read_csv(tmp_path / "result/predictions.csv").columns
    assert columns[:2] == ["row", "prediction"]
    assert columns[2:] == (
        ["lower", "upper"] if target == "charges" else [f"probability_{c}" for c in sorted(set(table["contract"]))]
    )


def test_a_frame_in_memory_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import headrace

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    record = headrace.run(churn_table().to_pandas(), "churn", trials=1, out=tmp_path / "result")
    assert record.decision in ("go", "go-with-conditions", "no-go")
    assert record.model().predict({"tenure": 3, "contract": "One year", "charges": 60.0, "joined": "2022-03-01"}) in (
        "yes",
        "no",
    )


def test_an_earlier_result_is_not_lost(headrace: Command, churn_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/precious.txt").write_text("keep")
    for arguments in ((), ("--overwrite",)):
        refused = headrace("run", churn_csv, "--target", "churn", "--trials", 1, "--out", "mine", *arguments)
        assert refused.returncode == 1
        assert "mine" in refused.stderr
    assert (tmp_path / "mine/precious.txt").read_text() == "keep"
