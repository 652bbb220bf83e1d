"""A random cut forest as ONNX: all trees are walked at once, level by level, as they stand (it learns no more)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headrace.ml.contract import Graph

if TYPE_CHECKING:
    from headrace.ml.adapters.cut_forest import CutForest

_FLOAT, _INTEGER = 1, 7  # TensorProto.FLOAT, TensorProto.INT64


def cut_forest_to_onnx(forest: CutForest, graph: Graph, features: str) -> str:
    """Write the score of the points `features` [rows, dimensions]; returns a tensor [rows, 1].

    From the root down, a point is parted from a node's box with probability outside / (lengths + outside), which adds
    that probability over the depth: what the forest computes from the leaf up. A point that a leaf holds scores by the
    leaf's depth and mass.
    """
    nodes = _Nodes(forest)
    trees = nodes.roots
    names = {
        name: graph.constant(getattr(nodes, name), name)
        for name in ("low", "high", "lengths", "left", "right", "dimension", "cut", "held")
    }
    axis, zero = graph.constant(np.array([2], np.int64), "axis"), graph.constant(np.array(0, np.float32), "zero")
    tiny = graph.constant(np.array(1e-30, np.float32), "tiny")
    first = graph.node("Unsqueeze", [features, graph.constant(np.array([1], np.int64), "axis")])
    start = graph.node("Shape", [features], start=0, end=1)
    shape = graph.node("Concat", [start, graph.constant(np.array([len(trees)], np.int64), "trees")], axis=0)
    node = graph.node("Expand", [graph.constant(trees[None, :], "roots"), shape])
    alive = graph.node("Expand", [graph.constant(np.ones((1, 1), np.float32), "one"), shape])
    total = graph.node("Expand", [graph.constant(np.zeros((1, 1), np.float32), "none"), shape])
    beyond = ""
    for depth in range(nodes.depth + 1):
        below = graph.node("Sub", [graph.node("Gather", [names["low"], node], axis=0), first])
        above = graph.node("Sub", [first, graph.node("Gather", [names["high"], node], axis=0)])
        beyond = graph.node("ReduceSum", [graph.node("Max", [below, above, zero]), axis], keepdims=0)
        lengths = graph.node("Gather", [names["lengths"], node], axis=0)
        apart = graph.node("Div", [beyond, graph.node("Max", [graph.node("Add", [lengths, beyond]), tiny])])
        share = graph.node("Mul", [alive, apart])
        weight = graph.constant(np.array(1 / (depth + 1), np.float32), "depth")
        total = graph.node("Add", [total, graph.node("Mul", [share, weight])])
        alive = graph.node("Sub", [alive, share])
        if depth < nodes.depth:
            dimension = graph.node("Gather", [names["dimension"], node], axis=0)
            value = graph.node("GatherElements", [features, dimension], axis=1)
            left = graph.node("LessOrEqual", [value, graph.node("Gather", [names["cut"], node], axis=0)])
            node = graph.node(
                "Where",
                [
                    left,
                    graph.node("Gather", [names["left"], node], axis=0),
                    graph.node("Gather", [names["right"], node], axis=0),
                ],
            )
    inside = graph.node("Equal", [beyond, zero])
    held = graph.node("Gather", [names["held"], node], axis=0)
    score = graph.node("Where", [inside, held, total])
    factors = graph.constant(nodes.factors[None, :], "factors")
    columns = graph.constant(np.array([1], np.int64), "axis")
    return graph.node("ReduceMean", [graph.node("Mul", [score, factors]), columns], keepdims=1)


class _Nodes:
    """The nodes of all trees that have any, with their boxes; a leaf is its own child."""

    def __init__(self, forest: CutForest) -> None:
        trees, samples = forest.sampled.shape
        inner = trees * (samples - 1)
        count = inner + trees * samples
        held = np.flatnonzero(forest.leaf_point >= 0)
        self.roots = forest.roots[forest.roots >= 0].astype(np.int64)
        width = forest.points.shape[1]
        self.low, self.high = np.zeros((count, width), np.float32), np.zeros((count, width), np.float32)
        self.low[inner + held] = self.high[inner + held] = forest.points[forest.leaf_point[held]]
        own = np.arange(count)
        self.left, self.right = own.copy(), own.copy()
        branching = np.flatnonzero(forest.left >= 0)
        self.left[branching], self.right[branching] = forest.left[branching], forest.right[branching]
        self.dimension, self.cut = np.zeros(count, np.int64), np.zeros(count, np.float32)
        self.dimension[branching], self.cut[branching] = forest.dimension[branching], forest.cut[branching]
        self.lengths = np.zeros(count, np.float32)
        self.lengths[branching] = forest.lengths[branching]
        mass = np.bincount(forest.sampled[forest.sampled >= 0], minlength=count).astype(np.float64)
        levels = self._levels()
        for level in reversed(levels):
            nodes = level[self.left[level] != level]
            one, other = self.left[nodes], self.right[nodes]
            self.low[nodes] = np.minimum(self.low[one], self.low[other])
            self.high[nodes] = np.maximum(self.high[one], self.high[other])
            mass[nodes] = mass[one] + mass[other]
        self.depth = len(levels) - 1
        self.factors = np.log2(1.0 + mass[self.roots]).astype(np.float32)
        self.held = self._held(levels, mass)

    def _levels(self) -> list[NDArray[np.int64]]:
        levels, level = [], self.roots
        while len(level):
            levels.append(level)
            branching = level[self.left[level] != level]
            level = np.concatenate([self.left[branching], self.right[branching]])
        return levels

    def _held(self, levels: list[NDArray[np.int64]], mass: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the score, before the factor, of a point that a leaf holds [nodes]."""
        held, whole = np.zeros(len(mass)), np.zeros(len(mass))
        whole[self.roots] = mass[self.roots]
        for depth, level in enumerate(levels):
            leaves = level[self.left[level] == level]
            held[leaves] = (1 - mass[leaves] / (2 * whole[leaves])) / (depth + np.log2(1 + mass[leaves]))
            branching = level[self.left[level] != level]
            whole[self.left[branching]] = whole[self.right[branching]] = whole[branching]
        return held.astype(np.float32)
