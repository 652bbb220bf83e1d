"""Exact Shapley values of tree ensembles, as the boosters' own: features left out follow the rows that were trained on.

A leaf's value is a product over the features of its path: 1 or 0 where the row decides, the share of training rows
where it does not. The Shapley value of a product is the integral of a polynomial, and a Gauss-Legendre sum of half the
path's length gives that integral exactly; no subset is ever listed, and nothing is sampled.
Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020), for the
values (path-dependent TreeSHAP); Owen, Multilinear extensions of games (1972), for the integral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.trees import LEAF, TreeEnsemble
from headrace.ml.contract import Features

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MOST_NODES = 40_000
"""Nodes whose tables are made at once, which bounds memory (about 300 bytes a node and level of depth)."""


def tree_shap(trees: TreeEnsemble, features: Features) -> tuple[Array, Array]:
    """Return contributions [rows, scores, columns] to the raw scores, and the scores' base [scores].

    Base plus a row's contributions is the row's score before the link. The ensemble must know its `cover`.
    """
    rows, columns = features.shape
    contributions = np.zeros((rows, len(trees.starts), columns))
    base = trees.starts.copy()
    for first, last in _chunks(trees):
        table = _Table.of(trees, first, last)
        base += table.base(len(trees.starts))
        for row in range(rows):
            contributions[row] += table.contributions(features[row], len(trees.starts))
    return contributions, base


def _chunks(trees: TreeEnsemble) -> list[tuple[int, int]]:
    """Split the trees into runs of at most `MOST_NODES` nodes, of at least one tree."""
    ends = np.append(trees.roots[1:], len(trees.feature))
    found, first = [], 0
    for tree in range(len(trees.roots)):
        if tree > first and ends[tree] - trees.roots[first] > MOST_NODES:
            found.append((first, tree))
            first = tree
    return [*found, (first, len(trees.roots))] if len(trees.roots) else []


@dataclass(frozen=True, eq=False)
class _Table:
    """Some trees with their nodes sorted by level (`levels` are the slices), and all that no row changes.

    An edge leads to each node but the roots; `previous` is the edge further up that asks the same feature (-1: none).
    `passed` [3, nodes, points] is what an edge multiplies the path's product by: where the row took this edge; where it
    took the previous ones but not this; where it took not even those. `gain` [2, nodes, points] is the weight of the
    subtree's sum in the edge's contribution, where the row took the edge and where it did not.
    """

    levels: list[slice]
    parent: Places
    previous: Places
    column: Places
    split: npt.NDArray[np.bool_]
    feature: Places
    threshold: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    is_left: npt.NDArray[np.bool_]
    children: Places
    score: Places
    values: Array
    passed: Array
    gain: Array
    reached: Array

    @classmethod
    def of(cls, trees: TreeEnsemble, first: int, last: int) -> _Table:
        """Lay out the trees `first` to `last` - 1."""
        start = int(trees.roots[first])
        stop = int(trees.roots[last]) if last < len(trees.roots) else len(trees.feature)
        part = slice(start, stop)
        split = trees.feature[part] != LEAF
        left, right = (np.where(split, side[part] - start, -1) for side in (trees.left, trees.right))
        parent, level = np.full(stop - start, -1), np.zeros(stop - start, np.int64)
        parent[left[split]] = parent[right[split]] = np.flatnonzero(split)
        tree = np.repeat(np.arange(first, last), np.diff(np.append(trees.roots[first:last], stop)))
        found = [trees.roots[first:last].astype(np.int64) - start]
        while len(inner := found[-1][split[found[-1]]]):
            found.append(np.concatenate([left[inner], right[inner]]))
            level[found[-1]] = len(found) - 1
        order = np.concatenate(found)
        place = np.empty(len(order) + 1, np.int64)
        place[order] = np.arange(len(order))
        place[-1] = -1
        ends = np.cumsum([len(each) for each in found])
        levels = [slice(end - len(each), end) for each, end in zip(found, ends, strict=True)]
        parent = place[parent[order]]
        is_left = np.zeros(len(order), np.bool_)
        is_left[place[left[split]]] = True
        feature = trees.feature[part][order].astype(np.int64)
        column = np.where(parent >= 0, feature[parent], -1)
        previous = _previous(parent, column, len(levels))
        assert trees.cover is not None
        cover = trees.cover[part][order].astype(np.float64)
        share = np.ones(len(order))
        with np.errstate(invalid="ignore", divide="ignore"):
            share[parent >= 0] = (cover / cover[parent])[parent >= 0]
        share[np.isnan(share)] = 0.5  # of a subtree that no training row reached, either side will do
        passed, gain, reached = _tables(share, parent, previous, levels)
        leaves = np.where(split, 0, trees.left[part])[order]
        values = np.where(split[order][:, None], 0.0, trees.leaf_values[leaves])
        return cls(
            levels=levels,
            parent=parent,
            previous=previous,
            column=column,
            split=split[order],
            feature=feature,
            threshold=trees.threshold[part][order],
            missing_left=trees.missing_left[part][order],
            is_left=is_left,
            children=place[np.stack([left, right])[:, order]],
            score=trees.outputs[tree[order]].astype(np.int64),
            values=values,
            passed=passed,
            gain=gain,
            reached=reached,
        )

    def base(self, scores: int) -> Array:
        """Return the mean of the trees' values over the training rows, [scores]."""
        total = np.zeros(scores)
        for offset in range(self.values.shape[1]):
            total += np.bincount(self.score + offset, self.reached * self.values[:, offset], minlength=scores)[:scores]
        return total

    def contributions(self, row: npt.NDArray[np.float32], scores: int) -> Array:
        """Return one row's contributions [scores, columns]."""
        numbers = row[np.where(self.split, self.feature, 0)]
        goes_left = (numbers <= self.threshold) | (np.isnan(numbers) & self.missing_left)
        taken = goes_left[self.parent] == self.is_left
        state = np.where(taken, 0, 1)
        product = np.ones(self.passed.shape[1:])
        for part in self.levels[1:]:
            before = self.previous[part]
            missed = (before >= 0) & (state[before] > 0)
            state[part][missed] = 2
            product[part] = product[self.parent[part]] * self.passed[state[part], np.arange(part.start, part.stop)]
        edges = np.arange(self.levels[0].stop, len(self.parent))
        earlier = self.previous[edges]
        repeated = earlier >= 0
        own = self.gain[np.minimum(state[edges], 1), edges]
        own[repeated] -= self.gain[np.minimum(state[earlier[repeated]], 1), earlier[repeated]]
        result = np.zeros((scores, len(row)))
        for offset in range(self.values.shape[1]):
            sums = product * self.values[:, offset, None]
            for part in reversed(self.levels[:-1]):
                inner = np.arange(part.start, part.stop)[self.split[part]]
                sums[inner] = sums[self.children[0, inner]] + sums[self.children[1, inner]]
            amounts = np.einsum("ij,ij->i", own, sums[edges])
            cells = (self.score[edges] + offset) * len(row) + self.column[edges]
            result += np.bincount(cells, amounts, minlength=result.size).reshape(result.shape)
        return result


def _previous(parent: Places, column: Places, depth: int) -> Places:
    """Find, for each edge, the nearest edge above it that asks the same feature; -1 where there is none."""
    previous, above = np.full(len(parent), -1), parent.copy()
    for _ in range(depth):
        same = (previous < 0) & (above >= 0) & (column[above] == column) & (column >= 0)
        previous[same] = above[same]
        above = np.where(above >= 0, parent[above], -1)
    return previous


def _tables(share: Array, parent: Places, previous: Places, levels: list[slice]) -> tuple[Array, Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(max(1, len(levels) // 2))
    points, weights = (points + 1) / 2, weights / 2
    free, reached = share.copy(), share.copy()
    for part in levels[1:]:
        before = previous[part]
        free[part] *= np.where(before >= 0, free[before], 1.0)
        reached[part] *= reached[parent[part]]
    took = free[:, None] + points * (1 - free[:, None])
    left_out = free[:, None] * (1 - points)
    again = (previous >= 0)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        passed = np.stack([
            np.where(again, took / took[previous], took),
            np.where(again, left_out / took[previous], left_out),
            np.where(again, np.where(left_out[previous] > 0, left_out / left_out[previous], 0.0), 1.0),
        ])  # fmt: skip
    gain = np.stack([weights * (1 - free[:, None]) / took, np.broadcast_to(-weights / (1 - points), took.shape)])
    return passed, gain, reached
