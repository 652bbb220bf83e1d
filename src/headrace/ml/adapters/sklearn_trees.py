"""scikit-learn's trees and forests as a form."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.ml.adapters.links import COMPLEMENT, IDENTITY
from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees, rounded_down


def sklearn_trees_form(estimators: list[Any], classes: int) -> TreeEnsemble:
    """Return the mean of the fitted trees: of their values, or of their class shares (`classes` > 0)."""
    outputs = classes if classes > 2 else 1
    trees = [_tree(estimator.tree_, classes, len(estimators)) for estimator in estimators]
    return join_trees(trees, np.zeros(outputs), COMPLEMENT if classes == 2 else IDENTITY, centred=not classes)


def _tree(tree: Any, classes: int, share: int) -> Tree:
    values = tree.value[tree.children_left < 0, 0]
    if classes:
        values = values / values.sum(axis=1, keepdims=True)
    if classes == 2:
        values = values[:, 1:]
    return sklearn_tree(tree, values / share)


def sklearn_tree(tree: Any, leaf_values: Any) -> Tree:
    """Return one fitted tree with `leaf_values` [leaves, width], in the order of its nodes."""
    leaves = tree.children_left < 0
    return Tree(
        feature=np.where(leaves, LEAF, tree.feature),
        threshold=rounded_down(tree.threshold),
        left=np.where(leaves, np.cumsum(leaves) - 1, tree.children_left),
        right=tree.children_right,
        missing_left=tree.missing_go_to_left.astype(np.bool_),
        leaf_values=leaf_values,
        cover=tree.weighted_n_node_samples,
    )
