"""CatBoost's symmetric trees as a form, read from its JSON model."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.adapters.symmetric_trees import SymmetricTree, SymmetricTrees, join_symmetric_trees
from headrace.ml.errors import ModelError


def catboost_form(model: Any, link: str) -> SymmetricTrees:
    """Return the model's trees (documented at catboost.ai, "JSON model tutorial").

    Split s of a tree decides bit s of the leaf's number: value > border sets it; NaN, which training took for the
    smallest value, does not.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        model.save_model(str(path), format="json")
        fields = json.loads(path.read_bytes())
    features = fields["features_info"]["float_features"]
    columns = {feature["feature_index"]: feature["flat_feature_index"] for feature in features}
    to_the_right = [feature for feature in features if feature["nan_value_treatment"] == "AsTrue"]
    if to_the_right or fields["features_info"].get("categorical_features"):
        raise ModelError("a CatBoost model with categories or nan_mode Max cannot be written to ONNX; fit it without")
    scale, biases = fields["scale_and_bias"]
    trees = [_tree(tree, columns, len(biases), scale) for tree in fields["oblivious_trees"]]
    return join_symmetric_trees(trees, np.array(biases, np.float64), link)


def _tree(fields: dict[str, Any], columns: dict[int, int], outputs: int, scale: float) -> SymmetricTree:
    splits = fields["splits"] or []
    return SymmetricTree(
        columns=np.array([columns[split["float_feature_index"]] for split in splits], np.int32),
        borders=np.array([split["border"] for split in splits], np.float32),
        leaf_values=np.array(fields["leaf_values"]).reshape(-1, outputs) * scale,
        cover=np.array(fields["leaf_weights"], np.float64),
    )
