"""Prediction sets of a served model: in frames, single rows and tables, and refused where there is no rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.ml.errors import ModelError, OptionError
from headrace.ml.prediction import load

MODELS = Path(__file__).parents[2] / "data/models"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_sets_hold_the_likeliest_class_first(task: str) -> None:
    folder = MODELS / "format_2" / task
    model = load(folder / "model")
    rows = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))["rows"]
    answers = model.predict(rows, proba=True, sets=True)
    for answer, row in zip(answers.to_dicts(), rows, strict=True):
        chances = {name: answer[f"probability_{name}"] for name in model.manifest.classes}
        assert answer["prediction_set"][0] == max(chances, key=lambda name: chances[name])
        assert model.predict(row, sets=True) == {
            "prediction": answer["prediction"],
            "prediction_set": answer["prediction_set"],
        }
    assert {len(found) for found in answers["prediction_set"]} <= {1, 2, 3}


@pytest.mark.parametrize(("model", "words"), [("format_1/binary", "train it again"), ("format_2/regression", "values")])
def test_models_without_a_rule_say_so(model: str, words: str) -> None:
    folder = MODELS / model
    rows = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))["rows"]
    for data in (rows, rows[0]):
        with pytest.raises(OptionError, match=words):
            load(folder / "model").predict(data, sets=True)


def test_a_rule_that_is_unknown_is_refused(tmp_path: Path) -> None:
    source = MODELS / "format_2/binary/model"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    document = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    document["sets"]["method"] = "by luck"
    (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelError, match="unknown method 'by luck'"):
        load(tmp_path)
