"""XGBoost's trees as a form, read from its JSON model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.adapters.links import SIGMOID
from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees, just_below


def xgboost_form(booster: Any, link: str) -> TreeEnsemble:
    """Return the booster's trees (documented at xgboost.readthedocs.io, "Introduction to Model IO")."""
    return learner_form(json.loads(bytes(booster.save_raw("json")))["learner"], link)


def learner_form(learner: Mapping[str, Any], link: str) -> TreeEnsemble:
    """Return the trees of the learner that a saved JSON model holds; needs no library."""
    model = learner["gradient_booster"]["model"]
    starts = np.atleast_1d(np.array(json.loads(learner["learner_model_param"]["base_score"]), np.float64))
    if link == SIGMOID:
        starts = np.log(starts / (1 - starts))
    outputs = max(int(learner["learner_model_param"]["num_class"]), 1)
    trees = [_tree(tree, output) for tree, output in zip(model["trees"], model["tree_info"], strict=True)]
    return join_trees(trees, np.broadcast_to(starts, outputs), link)


def _tree(fields: dict[str, Any], output: int) -> Tree:
    """XGBoost keeps a leaf's value where a split keeps its threshold, and sends x < threshold to the left."""
    left = np.array(fields["left_children"])
    conditions = np.array(fields["split_conditions"], np.float32)
    leaves = left < 0
    numbers = np.cumsum(leaves) - 1
    return Tree(
        feature=np.where(leaves, LEAF, fields["split_indices"]),
        threshold=just_below(conditions),
        left=np.where(leaves, numbers, left),
        right=np.array(fields["right_children"]),
        missing_left=np.array(fields["default_left"], np.bool_),
        leaf_values=conditions[leaves][:, None],
        cover=np.array(fields["sum_hessian"], np.float32),
        output=output,
    )
