"""Another threshold for a compiled model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.ml.compiler.threshold import replace_threshold
from headrace.ml.errors import ModelError
from headrace.ml.prediction import load
from headrace.ml.prediction.session import open_session

MODELS = Path(__file__).parents[2] / "data/models/format_1"


def test_the_graph_decides_by_the_new_threshold_and_all_else_stays():
    model = load(MODELS / "binary/model")
    content = (MODELS / "binary/model/model.onnx").read_bytes()
    changed = replace_threshold(content, 0.9)
    assert replace_threshold(changed, float(np.float32(model.manifest.threshold))) == replace_threshold(
        content, float(np.float32(model.manifest.threshold))
    )
    feed = {
        item.name: np.full(
            (1, 1), "" if item.type == "tensor(string)" else 1.0, object if "string" in item.type else float
        )
        for item in open_session(content, "model").get_inputs()
    }
    before, after = (open_session(each, "model").run(None, feed) for each in (content, changed))
    assert (before[0] == after[0]).all()
    assert after[1][0] == model.manifest.classes[int(after[0][0, 1] >= np.float32(0.9))]


def test_a_graph_without_a_threshold_is_refused():
    with pytest.raises(ModelError, match="0 thresholds"):
        replace_threshold((MODELS / "regression/model/model.onnx").read_bytes(), 0.5)
