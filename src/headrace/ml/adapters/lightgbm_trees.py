"""LightGBM's trees as a form, read from its own text format."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees, rounded_down
from headrace.ml.errors import ModelError

_DEFAULT_LEFT = 2
_MISSING_TYPE_SHIFT = 2
_MISSING_TYPE_MASK = 3
_NONE, _ZERO = 0, 1


def lightgbm_form(booster: Any, link: str) -> TreeEnsemble:
    """Return the booster's trees; LightGBM's model.txt and `NumericalDecision` of its tree.h are the source."""
    return text_form(booster.model_to_string(), booster.num_model_per_iteration(), link)


def text_form(text: str, outputs: int, link: str) -> TreeEnsemble:
    """Return the trees of a model in LightGBM's text format, of which `outputs` make one round; ModelError on others.

    Read so, a model serves without the library: in a third of the memory.
    """
    parts = text.split("\nTree=")[1:]
    parts = [part.split("\nend of trees")[0] for part in parts]
    trees = [_tree(dict(line.split("=", 1) for line in part.splitlines() if "=" in line)) for part in parts]
    numbered = [Tree(**{**vars(tree), "output": number % outputs}) for number, tree in enumerate(trees)]
    return join_trees(numbered, np.zeros(outputs), link)


def _tree(fields: dict[str, str]) -> Tree:
    leaves = int(fields["num_leaves"])
    values = _numbers(fields["leaf_value"])
    splits = leaves - 1
    if splits == 0:
        empty = np.zeros(1)
        return Tree(np.array([LEAF]), empty, np.array([0]), np.array([0]), empty, values[:, None])
    if int(fields["num_cat"]):
        raise ModelError("a LightGBM model with categorical splits cannot be written to ONNX; encode categories first")
    thresholds = _numbers(fields["threshold"])
    decisions = _numbers(fields["decision_type"]).astype(np.int64)
    leaf_nodes = np.arange(leaves)
    return Tree(
        feature=np.append(_numbers(fields["split_feature"]).astype(np.int64), np.full(leaves, LEAF)),
        threshold=np.append(rounded_down(thresholds), np.zeros(leaves)),
        left=np.append(_children(fields["left_child"], splits), leaf_nodes),
        right=np.append(_children(fields["right_child"], splits), np.zeros(leaves, np.int64)),
        missing_left=np.append(_missing_left(decisions, thresholds), np.zeros(leaves, np.bool_)),
        leaf_values=values[:, None],
        cover=np.append(_numbers(fields["internal_count"]), _numbers(fields["leaf_count"])),
    )


def _children(text: str, splits: int) -> npt.NDArray[np.int64]:
    """Turn LightGBM's child numbers (leaf i is -1-i) into node numbers: leaves come after the splits."""
    numbers = _numbers(text).astype(np.int64)
    return np.where(numbers < 0, splits - 1 - numbers, numbers)


def _missing_left(decisions: npt.NDArray[np.int64], thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say where NaN goes: the default side, or with 0 where training saw no NaN."""
    kinds = (decisions >> _MISSING_TYPE_SHIFT) & _MISSING_TYPE_MASK
    if (kinds == _ZERO).any():
        raise ModelError("a LightGBM model with zero_as_missing cannot be written to ONNX; fit it without")
    return np.where(kinds == _NONE, thresholds >= 0, (decisions & _DEFAULT_LEFT) != 0)


def _numbers(text: str) -> npt.NDArray[np.float64]:
    return np.array(text.split(), dtype=np.float64)
