"""CatBoost's symmetric trees as a form, read from its JSON model."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees
from headrace.ml.errors import ModelError


def catboost_form(model: Any, link: str) -> TreeEnsemble:
    """Return the model's trees (documented at catboost.ai, "JSON model tutorial")."""
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
    return join_trees(trees, np.array(biases), link)


def _tree(fields: dict[str, Any], columns: dict[int, int], outputs: int, scale: float) -> Tree:
    """Unfold a symmetric tree level by level: split s of the list decides bit s of the leaf's number.

    Value > border sets the bit; NaN, which training took for the smallest value, does not.
    """
    splits = fields["splits"] or []
    depth = len(splits)
    inner, leaves = 2**depth - 1, 2**depth
    order = list(reversed(splits))
    levels = np.repeat(np.arange(depth), 2 ** np.arange(depth))
    nodes = np.arange(inner)
    return Tree(
        feature=np.append(np.array([columns[s["float_feature_index"]] for s in order], int)[levels], [LEAF] * leaves),
        threshold=np.append(np.array([s["border"] for s in order], np.float32)[levels], np.zeros(leaves, np.float32)),
        left=np.append(2 * nodes + 1, np.arange(leaves)),
        right=np.append(2 * nodes + 2, np.zeros(leaves, int)),
        missing_left=np.ones(inner + leaves, np.bool_),
        leaf_values=np.array(fields["leaf_values"]).reshape(leaves, outputs) * scale,
    )
