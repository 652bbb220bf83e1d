"""The exact contributions of trees are the boosters' own, and follow from the definition."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from headrace.ml.adapters.catboost_trees import catboost_form
from headrace.ml.adapters.lightgbm_trees import lightgbm_form
from headrace.ml.adapters.sklearn_trees import sklearn_trees_form
from headrace.ml.adapters.trees import LEAF, Tree, TreeEnsemble, join_trees
from headrace.ml.adapters.xgboost_trees import xgboost_form
from headrace.ml.explanation import tree_shap as module
from headrace.ml.explanation.tree_shap import tree_shap

ROWS = 6


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """Make features with gaps and repeated values, and targets of each kind."""
    random = np.random.default_rng(0)
    features = random.normal(size=(400, 5)).astype(np.float32)
    features[random.random(features.shape) < 0.1] = np.nan
    features[:, 3] = np.round(features[:, 3])
    filled = np.nan_to_num(features)
    values = filled[:, 0] * filled[:, 1] + filled[:, 2] + random.normal(size=400) / 4
    return {"features": features, 0: values, 2: (values > 0).astype(int), 3: np.digitize(values, [-1, 1])}


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_lightgbm(table: dict[str, Any], classes: int) -> None:
    import lightgbm

    objective = {0: {"objective": "regression"}, 2: {"objective": "binary"}}.get(
        classes, {"objective": "multiclass", "num_class": classes}
    )
    options = {**objective, "num_threads": 1, "verbosity": -1, "num_leaves": 12, "bagging_fraction": 0.7}
    data = lightgbm.Dataset(table["features"], table[classes])
    booster = lightgbm.train(options | {"bagging_freq": 1}, data, 12)
    own = booster.predict(table["features"][:ROWS], pred_contrib=True, num_threads=1)
    assert _same(lightgbm_form(booster, "identity"), table["features"][:ROWS], own, 1e-10)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_xgboost(table: dict[str, Any], classes: int) -> None:
    import xgboost

    objective = {0: {"objective": "reg:squarederror"}, 2: {"objective": "binary:logistic"}}.get(
        classes, {"objective": "multi:softprob", "num_class": classes}
    )
    data = xgboost.DMatrix(table["features"], table[classes])
    booster = xgboost.train({**objective, "nthread": 1, "max_depth": 5}, data, 10)
    own = booster.predict(xgboost.DMatrix(table["features"][:ROWS]), pred_contribs=True)
    form = xgboost_form(booster, "sigmoid" if classes == 2 else "identity")
    assert _same(form, table["features"][:ROWS], own, 1e-5)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_catboost(table: dict[str, Any], classes: int) -> None:
    import catboost

    loss = {0: "RMSE", 2: "Logloss"}.get(classes, "MultiClass")
    model = catboost.CatBoost(
        {"loss_function": loss, "iterations": 12, "depth": 4, "verbose": 0, "thread_count": 1}
        | {"allow_writing_files": False}
    )
    model.fit(table["features"], table[classes])
    own = model.get_feature_importance(catboost.Pool(table["features"][:ROWS]), type="ShapValues", thread_count=1)
    assert _same(catboost_form(model, "identity").as_trees(), table["features"][:ROWS], own, 1e-10)


def test_a_forest_adds_up_in_however_many_pieces(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(6, random_state=0).fit(table["features"], table[3])
    form = sklearn_trees_form(forest.estimators_, 3)
    whole, base = tree_shap(form, table["features"][:ROWS])
    assert np.allclose(whole.sum(axis=2) + base, forest.predict_proba(table["features"][:ROWS]), atol=1e-12)
    monkeypatch.setattr(module, "MOST_NODES", 10)
    pieces, again = tree_shap(form, table["features"][:ROWS])
    assert np.allclose(pieces, whole, atol=1e-12)
    assert np.allclose(again, base, atol=1e-12)


def test_the_definition_by_all_orders() -> None:
    """Two questions about column 0 around one about column 1, and a node that no training row reached."""
    tree = Tree(
        feature=np.array([0, 1, LEAF, 0, LEAF, LEAF, LEAF]),
        threshold=np.array([0.5, 0.0, 0, -0.5, 0, 0, 0], np.float32),
        left=np.array([1, 3, 0, 4, 1, 2, 3]),
        right=np.array([2, 6, 0, 5, 0, 0, 0]),
        missing_left=np.zeros(7, np.bool_),
        leaf_values=np.array([[4.0], [1.0], [-2.0], [7.0]]),
        cover=np.array([10, 6, 4, 6, 2, 4, 0]),
    )
    form = join_trees([tree], np.zeros(1), "identity")
    for row in ([-1.0, -1.0], [0.0, 1.0], [2.0, 0.0], [0.0, np.nan]):
        features = np.array([row], np.float32)
        found, base = tree_shap(form, features)
        expected = np.zeros(2)
        for order in permutations(range(2)):
            known: set[int] = set()
            for column in order:
                before = _expected(tree, 0, features[0], known)
                known.add(column)
                expected[column] += (_expected(tree, 0, features[0], known) - before) / 2
        assert np.allclose(found[0, 0], expected)
        assert base[0] == pytest.approx(_expected(tree, 0, features[0], set()))


def test_no_trees_explain_nothing() -> None:
    form = join_trees([], np.array([3.0]), "identity")
    found, base = tree_shap(form, np.zeros((2, 4), np.float32))
    assert found.shape == (2, 1, 4)
    assert not found.any()
    assert base.tolist() == [3.0]


def _expected(tree: Tree, node: int, row: np.ndarray, known: set[int]) -> float:
    if tree.feature[node] == LEAF:
        return float(tree.leaf_values[tree.left[node], 0])
    left, right = int(tree.left[node]), int(tree.right[node])
    if tree.feature[node] in known:
        goes_left = row[tree.feature[node]] <= tree.threshold[node]
        return _expected(tree, left if goes_left else right, row, known)
    assert tree.cover is not None
    share = tree.cover[left] / tree.cover[node]
    return float(share * _expected(tree, left, row, known) + (1 - share) * _expected(tree, right, row, known))


def _same(form: TreeEnsemble, features: np.ndarray, own: np.ndarray, tolerance: float) -> bool:
    own = np.asarray(own).reshape(len(features), -1, features.shape[1] + 1)
    found, base = tree_shap(form, features)
    return bool(np.abs(found - own[:, :, :-1]).max() < tolerance and np.abs(base - own[:, :, -1]).max() < tolerance)
