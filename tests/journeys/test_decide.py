"""A decision taken anew, as a user meets it: it agrees with the run, and the model follows when asked to."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import headrace as library

from .conftest import Command


def test_deciding_without_changes_agrees_with_the_run(headrace: Command, finished_run: Path) -> None:
    document = json.loads((finished_run / "report.json").read_text())
    result = headrace("decide", finished_run, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["decision"] == document["decision"] == found["was"]["decision"]
    assert found["threshold"]["value"] == document["business"]["threshold"]
    assert found["reasons"] == document["reasons"]
    assert found["curve"] == document["business"]["threshold_curve"]
    matrix = document["steps"]["evaluation"]["curves"]["confusion_matrix"]["counts"]
    assert [found["confusion"]["true_negative"], found["confusion"]["true_positive"]] == [matrix[0][0], matrix[1][1]]


def test_the_screen_shows_what_people_need(headrace: Command, finished_run: Path) -> None:
    result = headrace("decide", finished_run, "--cost-fn", 500, "--cost-fp", 20, "--capacity", "200 a week",
                      "--rate", "1,000 a week", "--at-least", "recall=10%", "--currency", "EUR")  # fmt: skip
    assert result.returncode == 0, result.stderr
    for said in (
        "threshold",
        "EUR a decision",
        "capacity costs",
        "Of the 80 test rows",
        "Recall",
        "█",
        "200 a week of",
    ):
        assert said in result.stdout


def test_the_model_the_predictions_and_the_report_follow(
    headrace: Command, finished_run: Path, churn_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "result"
    shutil.copytree(finished_run, out)
    before = json.loads((out / "report.json").read_text())
    result = headrace("decide", out, "--cost-fn", 500, "--cost-fp", 20, "--write")
    assert result.returncode == 0, result.stderr
    assert {p.name for p in out.iterdir()} == {p.name for p in finished_run.iterdir()}
    after = json.loads((out / "report.json").read_text())
    threshold = after["business"]["threshold"]
    assert threshold < before["business"]["threshold"]
    assert after["business"]["history"][0]["threshold"] == before["business"]["threshold"]
    assert after["steps"]["business_problem"]["charter"]["decisions"]["false_negative"]["costs"] == 500
    model = library.load(out / "model")
    assert model.manifest.threshold == threshold
    predictions = pl.read_csv(out / "predictions.csv")
    assert ((predictions["probability_yes"] >= threshold) == (predictions["prediction"] == "yes")).all()
    source = pl.read_csv(churn_csv)[[row - 1 for row in predictions["row"]]]
    assert model.predict(source)["prediction"].to_list() == predictions["prediction"].to_list()
    assert "Earlier decisions" in (out / "report.html").read_text()
    again = json.loads(headrace("decide", out, "--json").stdout)
    assert (again["decision"], again["threshold"]["value"]) == (after["decision"], threshold)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cost-fn", "-5"), "negative"),
        (("--cost-fp", "nan"), "not an amount of money"),
        (("--cost-fp", "1e999"), "not an amount of money"),
        (("--gain-tp", "1e15"), "count in thousands"),
        (("--at-least", "recal=0.8"), "did you mean recall"),
        (("--at-least", "recall"), "write it as recall=0.8"),
        (("--capacity", "lots"), "is not a capacity"),
        (("--capacity", "0 a week", "--rate", "9 a week"), "allows no action"),
        (("--threshold", "7"), "not a probability"),
        (("--cost-under", "2"), "for predicted numbers"),
        (("--cost", "yes:no=5"), "are for several classes"),
        (("--cost", "yes=5"), "write it as ACTUAL:PREDICTED=MONEY"),
        (("--costs", "none.csv"), "does not exist"),
    ],
)
def test_what_cannot_be_is_refused_with_one_sentence(
    finished_run: Path,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from headrace.cli import main

    monkeypatch.setattr(sys, "argv", ["headrace", "decide", str(finished_run), *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("headrace: ") and message.count("\n") == 1 and said in message


@pytest.mark.parametrize("limit", [2_000, 100_000, 600_000])
def test_a_full_disk_is_one_sentence_and_changes_nothing(finished_run: Path, tmp_path: Path, limit: int) -> None:
    """A file size limit is the disk that is full: of the model, of report.json or of report.html."""
    out = tmp_path / "result"
    shutil.copytree(finished_run, out)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    arguments = ["decide", str(out), "--cost-fn", "500", "--cost-fp", "20", "--write"]
    result = subprocess.run(
        [sys.executable, "-c", "from headrace.cli import main; main()", *arguments], text=True, capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    assert "cannot be written" in result.stderr
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert {path.name for path in out.iterdir()} == {path.name for path in finished_run.iterdir()}


def test_a_folder_that_cannot_be_written_is_one_sentence(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headrace.ml.applications.deciding import Request, decide
    from headrace.ml.errors import OutputError

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    shutil.copytree(finished_run, tmp_path / "result")
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="read-only file system; nothing was left behind"):
        decide(tmp_path / "result", Request(cost_fn=500, cost_fp=20), write=True)


def test_an_older_result_says_what_it_lacks(headrace: Command, finished_run: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "old")
    (tmp_path / "old/evidence.npz").unlink()
    result = headrace("decide", "old", "--cost-fn", 5)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "has no evidence.npz" in result.stderr


def test_nothing_heavy_is_imported() -> None:
    script = "import sys, headrace.cli.decide, headrace.cli.decision_screen, headrace.ml.applications.deciding.yes_no\n"
    script += "print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"polars", "pandas", "onnx", "onnxruntime", "sklearn", "scipy", "lightgbm", "jinja2", "pydantic"}
    assert not heavy & set(result.stdout.split())
