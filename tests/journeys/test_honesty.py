"""No figure of the report comes from data that a choice was made on: the test part's labels change no choice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from .conftest import churn_table

DATA = ("training", "validation", "held-out", "none", "labels", "number of rows", "time column", "target column")


@pytest.fixture(scope="module")
def parts_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the main job on the same table twice, the second time with the test part's labels shuffled."""
    import headrace
    from headrace.ml.process.datasets import splitting

    table = churn_table(320)
    split, drawn = splitting.split_rows, []

    def once(*arguments: Any, **options: Any) -> Any:
        """Split as the first time: what is tested is what comes after, as the split is balanced by the labels."""
        drawn.append(drawn[0] if drawn else split(*arguments, **options))
        return drawn[-1]

    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setattr(splitting, "split_rows", once)
        for name in ("true", "shuffled"):
            out = tmp_path_factory.mktemp(name) / "out"
            found.append(headrace.run(table, "churn", trials=2, out=out))
            labels = table["churn"].to_numpy().copy()
            test = drawn[0].test
            labels[test] = np.random.default_rng(1).permutation(labels[test])
            table = table.with_columns(churn=pl.Series(labels))
    return found


def test_every_choice_and_the_model_stay_the_same(parts_of: Any) -> None:
    true, shuffled = (record.document for record in parts_of)
    assert true["choices"] == shuffled["choices"]
    assert len(true["choices"]) >= 10
    for part in ("features", "cleaning"):
        assert true[part] == shuffled[part]
    assert true["business"]["threshold"] == shuffled["business"]["threshold"]
    for step, fact in (("training", "members"), ("datasets", "excluded"), ("datasets", "leaks")):
        assert true["steps"][step][fact] == shuffled["steps"][step][fact]
    models = [(Path(record.out) / "model/model.onnx").read_bytes() for record in parts_of]
    assert models[0] == models[1]


def test_only_figures_of_the_test_part_change(parts_of: Any) -> None:
    true, shuffled = (record.document["metrics"] for record in parts_of)
    assert true["train"] == shuffled["train"]
    assert true["validation"] == shuffled["validation"]
    assert true["test"] != shuffled["test"]


def test_each_choice_names_its_data_and_none_is_the_test_part(parts_of: Any) -> None:
    out = parts_of[0].out
    document = json.loads((out / "report.json").read_text())
    for choice in document["choices"]:
        assert all(choice.values())
        assert any(word in choice["data"] for word in DATA)
        assert "test" not in choice["data"]
    page = (out / "report.html").read_text()
    assert "What was decided, on which data, by which figure" in page
    decided = {choice["what"] for choice in document["choices"]}
    assert {"metric", "split", "imputation", "algorithm and hyperparameters", "ensemble", "threshold"} <= decided
