"""Symmetric trees look their leaves up by the bits of their questions."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.adapters.forms import form_predict
from headrace.ml.adapters.symmetric_trees import SymmetricTree, join_symmetric_trees


def random_trees(depths: list[int], outputs: int) -> list[SymmetricTree]:
    """Return trees over four columns with borders from a small set."""
    random = np.random.default_rng(1)
    return [
        SymmetricTree(
            random.integers(0, 4, depth).astype(np.int32),
            random.choice([-0.5, 0.0, 0.25, 1.0], depth).astype(np.float32),
            random.normal(size=(2**depth, outputs)),
        )
        for depth in depths
    ]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("depths", [[3, 3], [0, 2, 6, 1], [0, 0], [], [1]])
def test_scores_are_the_sums_of_leaves(depths: list[int], outputs: int) -> None:
    trees = random_trees(depths, outputs)
    starts = np.arange(outputs, dtype=np.float64) + 0.5
    features = np.random.default_rng(2).normal(size=(40, 4)).astype(np.float32)
    features[::5, 1] = np.nan
    features[3] = [-0.5, 0.0, 0.25, 1.0]
    expected = np.tile(starts, (40, 1))
    for tree in trees:
        leaf = np.zeros(40, int)
        for bit, (column, border) in enumerate(zip(tree.columns, tree.borders, strict=True)):
            leaf += (features[:, column] > border).astype(int) << bit
        expected += tree.leaf_values[leaf]
    form = join_symmetric_trees(trees, starts, "identity")
    predicted = form_predict(form, features, 0 if outputs == 1 else outputs)
    assert np.allclose(predicted, expected[:, 0] if outputs == 1 else expected, rtol=1e-6, atol=1e-6)


def test_equal_questions_are_asked_once() -> None:
    one = SymmetricTree(np.array([2], np.int32), np.array([0.5], np.float32), np.array([[1.0], [2.0]]))
    form = join_symmetric_trees([one, one, one], np.zeros(1), "identity")
    assert form.column.tolist() == [2]
    assert form.questions.tolist() == [[0, 0, 0]]
    assert form_predict(form, np.array([[0, 0, 0.4], [0, 0, 0.6]], np.float32)).tolist() == [3.0, 6.0]
