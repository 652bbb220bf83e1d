"""What a saved XGBoost model must hold before compiled code, which trusts it, runs over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

PARTS = ("right_children", "split_indices", "split_conditions", "default_left")


def check_booster(booster: Mapping[str, Any], width: int, outputs: int) -> None:
    """Raise ValueError where a booster's trees are no trees, or it reads columns or answers classes that are not there.

    A tree is one where every node but the first is the child of one node at most: nothing can go round in it.
    """
    kind = booster["name"]
    if kind == "gblinear":
        if len(booster["model"]["weights"]) != (width + 1) * outputs:
            raise ValueError(f"the linear model has {len(booster['model']['weights'])} weights for {width} features")
        return
    if kind not in ("gbtree", "dart"):
        raise ValueError(f"the booster '{kind}' is unknown")
    model = (booster["gbtree"] if kind == "dart" else booster)["model"]
    trees, owners = model["trees"], np.asarray(model["tree_info"], np.int64)
    if len(owners) != len(trees) or (len(owners) and not 0 <= owners.min() <= owners.max() < outputs):
        raise ValueError("its trees do not say which class each is for")
    if kind == "dart" and len(booster["weight_drop"]) != len(trees):
        raise ValueError("its trees do not have one weight each")
    for number, tree in enumerate(trees):
        if problem := _problem(tree, width):
            raise ValueError(f"tree {number} {problem}")


def _problem(tree: Mapping[str, Any], width: int) -> str:
    left = np.asarray(tree["left_children"], np.int64)
    nodes = len(left)
    if not nodes or left.ndim != 1 or any(len(tree[part]) != nodes for part in PARTS):
        return "has parts of different lengths"
    splits = left >= 0
    children = np.concatenate([left[splits], np.asarray(tree["right_children"], np.int64)[splits]])
    if len(children) and not 1 <= children.min() <= children.max() < nodes:
        return "has a child that is none of its nodes"
    if len(np.unique(children)) != len(children):
        return "has a node with two parents"
    columns = np.asarray(tree["split_indices"], np.int64)[splits]
    return (
        "splits a column that is not there" if len(columns) and not 0 <= columns.min() <= columns.max() < width else ""
    )
