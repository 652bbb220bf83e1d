from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto

from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.forms import form_predict, load_form
from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.adapters.trees import TreeEnsemble, first_trees
from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import Task, View
from headrace.ml.process.feature_engineering.fitting import Family
from headrace.ml.process.training.fitting import (
    Fit,
    count_operations,
    find_result,
    measure,
    read_predictions,
    result_folder,
    run_fit,
)


@pytest.fixture(scope="module")
def setting(make_case, workers, tmp_path_factory):
    prepared = make_case(Task.MULTICLASS).setting(workers, tmp_path_factory.mktemp("fits"), ("decision_tree",))
    prepared.prepare_fold()
    return prepared


def describe(setting, **how) -> Fit:
    return setting.fit_of(setting.algorithms[0], {}, setting.folds[0], **how)


def test_equal_fits_have_equal_names_and_others_others(setting) -> None:
    fit = describe(setting)
    assert fit.identity == describe(setting).identity
    assert fit.identity == Fit(**fit.request()).identity
    others = [describe(setting, rows=50), describe(setting, keep=True), describe(setting, resample=1)]
    assert len({fit.identity, *(other.identity for other in others)}) == 4


def test_a_fit_predicts_the_held_rows_and_keeps_its_form(setting) -> None:
    fit = describe(setting, keep=True)
    assert find_result(setting.workspace, fit) is None
    result = run_fit(fit, setting.workspace)
    fold, view = setting.folds[0], setting.algorithms[0].view
    held = read_predictions(setting.workspace, fit)
    assert held.shape == (len(fold.held), 3)
    target = setting.preparation.target[fold.held][fold.scored]
    assert result["score"] == setting.metric.score(target, held[fold.scored], 0.5)
    assert read_predictions(setting.workspace, fit, "in_sample").shape == (len(fold.fit), 3)
    assert result["operations"] > 0
    form = load_form(result_folder(setting.workspace, fit) / "form.npz")
    features = fold.plan.transform(setting.preparation.frame[fold.held], view)
    assert np.allclose(form_predict(form, features, 3), held, atol=1e-5)
    assert find_result(setting.workspace, fit) == result
    assert not list((setting.workspace / "fits").glob(".*"))


def test_a_smaller_fit_uses_the_beginning_of_the_sampling_order(setting) -> None:
    assert run_fit(describe(setting, rows=40), setting.workspace)["rows"] == 40


def test_resamples_differ_and_repeat(setting) -> None:
    first, second = (describe(setting, resample=number, stop_early=False) for number in (1, 2))
    run_fit(first, setting.workspace)
    run_fit(second, setting.workspace)
    predictions = read_predictions(setting.workspace, first)
    assert not np.array_equal(predictions, read_predictions(setting.workspace, second))
    run_fit(first, setting.workspace)
    assert np.array_equal(predictions, read_predictions(setting.workspace, first))


def test_early_stopping_needs_enough_rows_to_look_at(make_case, workers, tmp_path) -> None:
    setting = make_case(rows=60, folds=12).setting(workers, tmp_path, ("gradient_boosting_lightgbm",))
    setting.prepare_fold()
    fit = setting.fit_of(setting.algorithms[0], {"num_iterations": 60}, setting.folds[0])
    assert run_fit(fit, tmp_path)["hyperparameters"]["num_iterations"] == 60


@pytest.mark.parametrize(("categories", "columns"), [("codes", 3), ("one-hot", 5), ("both", 6)])
def test_boosting_reads_categories_as_asked_and_its_form_the_whole_matrix(
    make_case, workers, tmp_path, categories: str, columns: int
) -> None:
    case = make_case()
    case.engineering = replace(case.engineering, specification=(Family("one-hot", View.TREES),))
    setting = case.setting(workers, tmp_path, ("gradient_boosting_lightgbm", "decision_tree"))
    setting.prepare_fold()
    fold = setting.folds[0]
    assert (fold.columns[View.TREES], fold.indicators) == (6, 3)
    asked = {"num_iterations": 10, "categories": categories}
    fit = setting.fit_of(setting.algorithms[0], asked, fold, keep=True)
    assert run_fit(fit, tmp_path)["columns"] == columns
    matrix = np.load(tmp_path / "data" / fold.name / "trees-held.npy")
    form = load_form(result_folder(tmp_path, fit) / "form.npz")
    assert np.allclose(form_predict(form, matrix, 2), read_predictions(tmp_path, fit), atol=1e-5)
    tree = setting.fit_of(setting.algorithms[1], {}, fold)
    assert run_fit(tree, tmp_path)["columns"] == 3


def test_operations_follow_from_the_form_alone() -> None:
    features = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    target = (features[:, 0] + features[:, 1] > 0).astype(np.int64)

    def operations(name: str, **hyperparameters: int) -> int:
        algorithm = find_algorithm(name)(Task.BINARY, 2, seed=0, **hyperparameters)
        measured = measure(algorithm.fit(features, target).form, features)
        assert measured["predict_microseconds"] > 0
        return int(measured["operations"])

    few, many = operations("random_forest", n_estimators=10), operations("random_forest", n_estimators=40)
    assert many == pytest.approx(4 * few, rel=0.2)
    assert operations("linear_logistic") < few
    assert many == operations("random_forest", n_estimators=40)


def test_of_a_large_forest_the_first_trees_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    target = (features[:, 0] + features[:, 1] > 0).astype(np.int64)
    form = find_algorithm("random_forest")(Task.BINARY, 2, seed=0, n_estimators=40).fit(features, target).form
    assert isinstance(form, TreeEnsemble)
    whole = measure(form, features)
    part, share = first_trees(form, len(form.feature) // 4)
    assert isinstance(part, TreeEnsemble)
    assert len(part.roots) == pytest.approx(10, abs=2)
    assert share == len(part.roots) / 40
    assert len(part.feature) == form.roots[len(part.roots)]
    monkeypatch.setattr("headrace.ml.process.training.fitting.MEASURED_NODES", len(form.feature) // 4)
    again = measure(form, features)
    assert (again["operations"], again["bytes"]) == (whole["operations"], whole["bytes"])
    assert again["predict_microseconds"] > 0
    assert first_trees(form, len(form.feature)) == (form, 1.0)


def test_a_constant_costs_next_to_nothing() -> None:
    graph = OnnxGraph()
    source = graph.input("features", TensorProto.FLOAT, ["rows", 2])
    graph.output("prediction", Constant(np.array([0.5, 0.5])).to_onnx(graph, source), TensorProto.FLOAT, ["rows", 2])
    assert count_operations(graph.model()) == 0
