"""The promise: a model saved in an earlier format loads in this release, and predicts what it predicted then."""

import json
from pathlib import Path

import polars as pl
import pytest

from headrace.ml.explanation import explain
from headrace.ml.prediction import load
from headrace.ml.prediction.explanation import explain_rows
from headrace.ml.prediction.manifest import EXPLANATION_ARRAYS, FORMAT_VERSION
from headrace.ml.prediction.reader import read_rows

MODELS = Path(__file__).parents[2] / "data" / "models"
FOLDERS = [
    folder for version in range(1, FORMAT_VERSION + 1) for folder in sorted((MODELS / f"format_{version}").iterdir())
]


def test_every_format_has_its_golden_models():
    names = {folder.relative_to(MODELS).as_posix() for folder in FOLDERS}
    tasks = ("binary", "multiclass", "regression")
    assert names == {f"format_{version}/{task}" for version in range(1, FORMAT_VERSION + 1) for task in tasks}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_golden_model_loads_and_predicts_what_was_recorded(folder):
    recorded = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))
    model = load(folder / "model")
    expected = pl.DataFrame(recorded["predictions"])
    sets = model.manifest.sets is not None
    together = model.predict(recorded["rows"], proba=True, sets=sets)
    alone = pl.DataFrame([model.predict(row, proba=True, sets=sets) for row in recorded["rows"]])
    for got in (together, alone):
        assert got.columns == expected.columns
        for name in expected.columns:
            if expected[name].dtype in (pl.String, pl.List):
                assert got[name].to_list() == expected[name].to_list()
            else:
                assert got[name].to_list() == pytest.approx(expected[name].to_list(), rel=1e-5, abs=1e-6)
    frame = read_rows(recorded["rows"], model.manifest.inputs).frame
    (explanation,) = explain_rows(model, frame, [0], samples=4)
    assert len(explanation["contributions"]) == len(model.manifest.inputs)
    assert ("contributions" in recorded) == (EXPLANATION_ARRAYS in model.manifest.files)
    if "contributions" in recorded:
        (explanation,) = explain(model, frame, [0])
        found = {item["column"]: item["contribution"] for item in explanation["contributions"]}
        assert found == pytest.approx(recorded["contributions"], rel=1e-4, abs=1e-5)
