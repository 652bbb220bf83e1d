"""The form of every tree model, single or ensemble, written as one TreeEnsembleRegressor and a link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.links import link_to_onnx
from headrace.ml.contract import Form, Graph

LEAF = -1


@dataclass(frozen=True, eq=False)
class TreeEnsemble(Form):
    """Trees as flat node arrays; a row's scores are `starts` plus the values of the leaf it reaches in each tree.

    Node i with `feature[i]` >= 0 sends a row to `left[i]` when its value is <= `threshold[i]`, or is NaN and
    `missing_left[i]` holds; to `right[i]` otherwise. A leaf has feature -1, and `left[i]` is its row of
    `leaf_values` [leaves, width]. Tree t starts at node `roots[t]` and ends before the next root; its leaves' values
    are added to the scores `outputs[t]`, `outputs[t] + 1`, … `starts` [scores] is where each score begins. `cover` is
    how many training rows reached each node, as the library weighs them; models of old have none.
    """

    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    leaf_values: npt.NDArray[np.float64]
    roots: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.int32]
    starts: npt.NDArray[np.float64]
    link: str
    cover: npt.NDArray[np.float32] | None = None

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the trees with one comparison mode throughout: ONNX Runtime's fast path.

        NaN fails every comparison, so it goes right by itself. Where a column's nodes send it as they would some
        number, that number replaces it beforehand; only otherwise is ONNX's tracking of missing values used, which
        costs a fifth of the speed.
        """
        starts = graph.constant(self.starts.astype(np.float32)[None, :], "starts")
        if len(self.roots) == 0:
            rows = graph.node("Shape", [features], start=0, end=1)
            width = graph.constant(np.array([len(self.starts)], np.int64))
            shape = graph.node("Concat", [rows, width], axis=0)
            return link_to_onnx(graph, self.link, graph.node("Expand", [starts, shape]))
        stand_ins = self._missing_stand_ins()
        if stand_ins is not None:
            features = _filled(graph, features, stand_ins)
        sums = graph.node(
            "TreeEnsembleRegressor",
            [features],
            domain="ai.onnx.ml",
            n_targets=len(self.starts),
            **self._node_attributes(track_missing=stand_ins is None),
            **self._leaf_attributes(),
        )
        return link_to_onnx(graph, self.link, graph.node("Add", [sums, starts]))

    def _tree_of_nodes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return each node's tree, and its number within the tree."""
        sizes = np.diff(np.append(self.roots, len(self.feature)))
        tree = np.repeat(np.arange(len(self.roots)), sizes)
        return tree, np.arange(len(self.feature)) - self.roots[tree]

    def _missing_stand_ins(self) -> npt.NDArray[np.float32] | None:
        """Return a number a column (NaN: none needed) that every node routes as it routes NaN, or None if one lacks.

        The smallest threshold that sends NaN left will do, where it lies above all that send it right.
        """
        splits = self.feature != LEAF
        columns, thresholds, left = self.feature[splits], self.threshold[splits], self.missing_left[splits]
        lowest_left = np.full(columns.max() + 1, np.inf, np.float32)
        highest_right = -lowest_left
        np.minimum.at(lowest_left, columns[left], thresholds[left])
        np.maximum.at(highest_right, columns[~left], thresholds[~left])
        sent_left = np.isfinite(lowest_left)
        if (lowest_left <= highest_right)[sent_left].any():
            return None
        return np.where(sent_left, lowest_left, np.float32(np.nan)).astype(np.float32)

    def _node_attributes(self, *, track_missing: bool) -> dict[str, Any]:
        tree, number = self._tree_of_nodes()
        splits = self.feature != LEAF
        root = self.roots[tree]
        attributes: dict[str, Any] = {
            "nodes_treeids": tree,
            "nodes_nodeids": number,
            "nodes_featureids": np.where(splits, self.feature, 0),
            "nodes_values": np.where(splits, self.threshold, np.float32(0)).astype(np.float32),
            "nodes_modes": np.where(splits, "BRANCH_LEQ", "LEAF"),
            "nodes_truenodeids": np.where(splits, self.left - root, 0),
            "nodes_falsenodeids": np.where(splits, self.right - root, 0),
        }
        if track_missing:
            attributes["nodes_missing_value_tracks_true"] = np.where(splits, self.missing_left, False).astype(np.int64)
        return attributes

    def _leaf_attributes(self) -> dict[str, Any]:
        tree, number = self._tree_of_nodes()
        leaves = np.flatnonzero(self.feature == LEAF)
        width = self.leaf_values.shape[1]
        scores = self.outputs[tree[leaves]][:, None] + np.arange(width)
        return {
            "target_treeids": np.repeat(tree[leaves], width),
            "target_nodeids": np.repeat(number[leaves], width),
            "target_ids": scores.ravel(),
            "target_weights": self.leaf_values[self.left[leaves]].astype(np.float32).ravel(),
        }


def _filled(graph: Graph, features: str, stand_ins: npt.NDArray[np.float32]) -> str:
    """Replace NaN in the first columns by the stand-ins; what trees do not read is cut off."""
    if np.isnan(stand_ins).all():
        return features
    ends = [np.array([end], np.int64) for end in (0, len(stand_ins), 1)]
    used = graph.node("Slice", [features, *(graph.constant(end, "end") for end in ends)])
    missing = graph.node("IsNaN", [used])
    return graph.node("Where", [missing, graph.constant(stand_ins[None, :], "stand_ins"), used])


@dataclass(frozen=True)
class Tree:
    """One tree of a library, in the terms of `TreeEnsemble`: child and leaf numbers count from 0 within the tree."""

    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    left: npt.NDArray[Any]
    right: npt.NDArray[Any]
    missing_left: npt.NDArray[Any]
    leaf_values: npt.NDArray[Any]
    output: int = 0
    cover: npt.NDArray[Any] | None = None


def join_trees(trees: list[Tree], starts: npt.NDArray[Any], link: str, *, centred: bool = True) -> TreeEnsemble:
    """Lay the trees end to end; a tree of a single leaf is added to `starts` instead.

    Where `centred`, the mean of each tree's leaves moves to `starts` as well, so that float32 sums stay small and the
    answers exact; probabilities stay as they are, so that their sums never fall below 0.
    """
    starts = np.array(starts, dtype=np.float64)
    grown: list[Tree] = []
    leaf_values: list[npt.NDArray[np.float64]] = []
    for tree in trees:
        values = np.asarray(tree.leaf_values, dtype=np.float64).reshape(-1, np.shape(tree.leaf_values)[-1])
        middle = values.mean(axis=0) if centred or len(values) == 1 else np.zeros(values.shape[1])
        starts[tree.output : tree.output + len(middle)] += middle
        if len(values) > 1:
            grown.append(tree)
            leaf_values.append(values - middle)
    nodes = np.cumsum([0] + [len(tree.feature) for tree in grown])
    leaves = np.cumsum([0] + [len(values) for values in leaf_values])
    splits = [tree.feature != LEAF for tree in grown]
    lefts = [
        np.where(split, tree.left + node, tree.left + leaf)
        for tree, split, node, leaf in zip(grown, splits, nodes, leaves, strict=False)
    ]
    rights = [np.where(split, tree.right + node, 0) for tree, split, node in zip(grown, splits, nodes, strict=False)]
    return TreeEnsemble(
        feature=_joined([tree.feature for tree in grown], np.int32),
        threshold=_joined([tree.threshold for tree in grown], np.float32),
        left=_joined(lefts, np.int32),
        right=_joined(rights, np.int32),
        missing_left=_joined([tree.missing_left for tree in grown], np.bool_),
        leaf_values=np.concatenate(leaf_values) if leaf_values else np.zeros((0, 1)),
        roots=nodes[:-1].astype(np.int32),
        outputs=np.array([tree.output for tree in grown], np.int32),
        starts=starts,
        link=link,
        cover=_joined_cover([tree.cover for tree in grown]),
    )


def first_trees(form: Form, nodes: int) -> tuple[Form, float]:
    """Return an ensemble's first trees, which together have at most about so many nodes, and their share of all trees.

    What is no ensemble of trees, or has no more nodes, stays whole.
    """
    if not isinstance(form, TreeEnsemble) or len(form.feature) <= nodes:
        return form, 1.0
    count = max(1, int(np.searchsorted(form.roots, nodes, side="right")) - 1)
    end = int(form.roots[count]) if count < len(form.roots) else len(form.feature)
    cut = {name: getattr(form, name)[:end] for name in ("feature", "threshold", "left", "right", "missing_left")}
    part = replace(form, roots=form.roots[:count], outputs=form.outputs[:count], cover=None, **cut)
    return part, count / len(form.roots)


def _joined(parts: list[npt.NDArray[Any]], kind: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)


def _joined_cover(parts: list[npt.NDArray[Any] | None]) -> npt.NDArray[np.float32] | None:
    known = [part for part in parts if part is not None]
    return _joined(known, np.float32) if len(known) == len(parts) else None


def rounded_down(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the largest float32 at or below each double: float32 values compare with it as with the double."""
    nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest.astype(np.float64) > thresholds, below, nearest).astype(np.float32)


def just_below(thresholds: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the float32 before each threshold t, so that `<=` it means `< t` for every float32."""
    return np.nextafter(thresholds.astype(np.float32), np.float32(-np.inf))
