"""Thresholds, missing values and sums of tree ensembles come out exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.ml.adapters.forms import form_predict
from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees, just_below, rounded_down

doubles = st.floats(-(2.0**100), 2.0**100)
singles = st.floats(-(2.0**100), 2.0**100, width=32)


def stump(feature: int, threshold: float, missing_left: bool) -> Tree:
    """Return a tree that answers 1 on the left and 2 on the right."""
    return Tree(
        feature=np.array([feature, LEAF, LEAF]),
        threshold=np.array([threshold, 0, 0], np.float32),
        left=np.array([1, 0, 1]),
        right=np.array([2, 0, 0]),
        missing_left=np.array([missing_left, False, False]),
        leaf_values=np.array([[1.0], [2.0]]),
    )


def operators(form: TreeEnsemble) -> dict[str, list[str]]:
    """Return the attributes of each operator in the form's graph."""
    graph = OnnxGraph()
    graph.output("y", form.to_onnx(graph, graph.input("x", 1, ["rows", 2])), 1, ["rows", 1])
    return {node.op_type: [attribute.name for attribute in node.attribute] for node in graph.model().graph.node}


@given(doubles, singles)
def test_rounded_down_routes_as_the_double_does(threshold: float, value: float) -> None:
    rounded = rounded_down(np.array([threshold]))[0]
    assert (value <= float(rounded)) == (value <= threshold)


@given(doubles)
def test_rounded_down_routes_the_nearest_floats(threshold: float) -> None:
    rounded = rounded_down(np.array([threshold]))[0]
    assert float(rounded) <= threshold < float(np.nextafter(rounded, np.float32(np.inf)))


@given(singles, singles)
def test_just_below_turns_less_into_less_or_equal(threshold: float, value: float) -> None:
    assert (np.float32(value) <= just_below(np.array([threshold], np.float32))[0]) == (value < threshold)


def test_a_value_at_the_threshold_goes_left() -> None:
    form = join_trees([stump(0, 0.5, False)], np.zeros(1), "identity")
    above = np.nextafter(np.float32(0.5), np.float32(1))
    assert form_predict(form, np.array([[0.5], [above]], np.float32)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("trees", "tracked", "filled"),
    [
        ([(0, 0.5, False), (0, 1.5, False)], False, False),
        ([(0, 0.5, True), (0, 1.5, True)], False, True),
        ([(0, -0.5, False), (0, 1.5, True)], False, True),
        ([(0, -0.5, True), (0, 1.5, False)], True, False),
        ([(0, 0.5, True), (1, 0.5, False)], False, True),
        ([(1, 0.5, True), (0, 0.5, False)], False, True),
    ],
)
def test_missing_values_go_where_each_node_says(trees: list[Any], tracked: bool, filled: bool) -> None:
    form = join_trees([stump(*tree) for tree in trees], np.zeros(1), "identity")
    features = np.array([[np.nan, np.nan], [np.nan, 0], [0, np.nan], [1, 1], [2, -2], [-2, 2]], np.float32)
    expected = []
    for row in features:
        values = [(row[c], t, left) for c, t, left in trees]
        expected.append(sum(1 if (left if np.isnan(x) else x <= t) else 2 for x, t, left in values))
    assert form_predict(form, features).tolist() == expected
    found = operators(form)
    assert ("nodes_missing_value_tracks_true" in found["TreeEnsembleRegressor"]) == tracked
    assert ("IsNaN" in found) == filled


def test_trees_of_one_leaf_become_the_start() -> None:
    empty = np.zeros(1)
    leaf = Tree(np.array([LEAF]), empty, np.array([0]), np.array([0]), empty, np.array([[4.0]]))
    alone = join_trees([leaf], np.array([1.0]), "identity")
    assert len(alone.roots) == 0
    assert form_predict(alone, np.zeros((3, 2), np.float32)).tolist() == [5.0, 5.0, 5.0]
    both = join_trees([leaf, stump(0, 0.0, False)], np.array([1.0]), "identity")
    assert form_predict(both, np.array([[-1], [1]], np.float32)).tolist() == [6.0, 7.0]


def test_large_offsets_do_not_cost_digits() -> None:
    random = np.random.default_rng(0)
    trees = []
    for _ in range(300):
        tree = stump(0, float(random.normal()), False)
        trees.append(Tree(**{**vars(tree), "leaf_values": 1e4 + random.normal(size=(2, 1))}))
    form = join_trees(trees, np.zeros(1), "identity")
    features = random.normal(size=(50, 1)).astype(np.float32)
    exact = [sum(t.leaf_values[0 if x <= t.threshold[0] else 1, 0] for t in trees) for x in features[:, 0]]
    assert np.allclose(form_predict(form, features), exact, rtol=1e-7, atol=0)


def test_each_tree_adds_to_its_own_output() -> None:
    trees = [Tree(**{**vars(stump(0, 0.0, False)), "output": output}) for output in (0, 2, 2)]
    form = join_trees(trees, np.zeros(3), "identity")
    assert form_predict(form, np.array([[-1], [1]], np.float32), 3).tolist() == [[1, 0, 2], [2, 0, 4]]
