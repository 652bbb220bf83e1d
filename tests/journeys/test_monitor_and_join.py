"""A model monitored and joined tables, as a user meets them on the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl

from .conftest import Command, churn_table


def test_a_job_tells_a_change_from_none_and_from_a_mistake(
    headrace: Command, finished_run: Path, tmp_path: Path
) -> None:
    model = finished_run / "model"
    later = churn_table(600, seed=5)
    later.write_csv(tmp_path / "later.csv")
    same = headrace("monitor", model, "later.csv", "--target", "churn", "--json")
    assert same.returncode == 0, same.stderr + same.stdout
    document = json.loads(same.stdout)
    assert document["verdict"] == "keep" and not document["changed"]
    assert document["measured"][0]["test"] is not None and document["estimated"]
    later.with_columns(pl.col("charges") * 1000).write_csv(tmp_path / "moved.csv")
    moved = headrace("monitor", model, "moved.csv", "--out", "page")
    assert moved.returncode == 3, moved.stderr
    assert "REPAIR" in moved.stdout
    written = json.loads((tmp_path / "page/monitoring.json").read_text())
    assert written["verdict"] == "repair" and "look for a change of unit" in written["reasons"][0]
    assert "Repair the data" in (tmp_path / "page/monitoring.html").read_text()
    for arguments, said in (
        (("later.csv", "--target", "chrun"), "did you mean 'churn'"),
        (("nowhere.csv",), "there is no file"),
        (("later.csv", "--out", "later.csv"), "later.csv is a file"),
        (("later.csv", "--join", "later.csv:tenure"), "trained without joined tables"),
    ):
        refused = headrace("monitor", model, *arguments)
        assert refused.returncode in (1, 2)
        assert said in refused.stderr and refused.stderr.count("\n") == 1


def test_a_model_asks_for_the_tables_it_was_trained_with(headrace: Command, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    main = churn_table(300).drop("joined").with_row_index("id").with_columns(asked=pl.lit("2024-06-01"))
    owner = random.integers(0, 300, 1500)
    leaves = (main["churn"] == "yes").to_numpy()[owner]
    day = np.where(leaves, random.integers(100, 152, 1500), random.integers(0, 100, 1500))
    after = random.random(1500) < 0.2
    told = np.where(leaves & after, "cancelled", "called")  # only ever after the moment: it must not be seen
    days = np.where(after, 160, day)
    calls = {
        "customer": [f"{i:04d}" for i in owner],
        "what": told,
        "at": [str(np.datetime64("2024-01-01") + int(d)) for d in days],
    }
    main.write_csv(tmp_path / "main.csv")
    pl.DataFrame(calls).write_csv(tmp_path / "calls.csv")
    join = ("--join", "calls.csv:id=customer@at")
    run = headrace("run", "main.csv", "--target", "churn", "--time", "asked", "--trials", 1, "--out", "out", *join)
    assert run.returncode == 0, run.stderr
    (joined,) = json.loads((tmp_path / "out/report.json").read_text())["steps"]["datasets"]["joins"]
    assert joined["before"] == {"main": "asked", "joined": "at"}
    assert joined["later"] == int(after.sum())
    assert "cancelled" not in (tmp_path / "out/model/baseline.json").read_text()
    absent = headrace("predict", "out/model", "main.csv")
    assert absent.returncode == 2
    assert "add --join calls.csv:id=customer" in absent.stderr
    predicted = headrace("predict", "out/model", "main.csv", "--join", "calls.csv:id=customer")
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout.count("\n") == 301
    refused = headrace("run", "main.csv", "--target", "churn", "--join", "calls.csv:customer")
    assert refused.returncode == 2
    assert "'main.csv' has no column 'customer'" in refused.stderr and not (tmp_path / "headrace-out").exists()
