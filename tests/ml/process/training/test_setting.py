from __future__ import annotations

import numpy as np

from headrace.ml.contract import Task, View
from headrace.ml.process.training.limits import Limits
from headrace.ml.process.training.setting import count_classes


def test_held_rows_are_those_that_folds_are_scored_on_and_the_validation_part(make_case, workers, tmp_path) -> None:
    case = make_case()
    setting = case.setting(workers, tmp_path, ("decision_tree", "linear_logistic"))
    expected = np.union1d(case.preparation.train, case.preparation.validation)
    assert setting.held_rows.tolist() == expected.tolist()
    assert setting.held_target.tolist() == case.preparation.target[expected].tolist()
    assert set(setting.views) == {View.TREES, View.SCALED}
    assert setting.fold_count == 3


def test_a_hold_out_plan_holds_the_validation_part_only(make_case, workers, tmp_path) -> None:
    case = make_case(folds=1)
    setting = case.setting(workers, tmp_path, ("decision_tree",))
    assert setting.held_rows.tolist() == case.preparation.validation.tolist()
    setting.prepare_fold()
    assert setting.folds[0].scored.tolist() == list(range(len(case.preparation.validation)))


def test_limits_sample_rows_and_save_folds(make_case, workers, tmp_path) -> None:
    case = make_case()
    setting = case.setting(workers, tmp_path, ("decision_tree",), limits=Limits(rows=50, folds=1))
    setting.prepare_fold()
    assert len(setting.folds[0].fit) == 50
    assert np.isin(setting.folds[0].fit, case.preparation.folds[0][0]).all()
    assert setting.fold_count == 1
    assert len(setting.final_rows) == 62
    assert set(setting.held_rows) == {*case.preparation.folds[0][1], *case.preparation.validation}


def test_the_seed_of_a_fit_follows_from_the_run_and_the_configuration(make_case, workers, tmp_path) -> None:
    case = make_case()
    setting = case.setting(workers, tmp_path, ("decision_tree",))
    setting.prepare_fold()
    tree, fold = setting.algorithms[0], setting.folds[0]
    seed = setting.fit_of(tree, {"max_depth": 3}, fold).seed
    assert seed == setting.fit_of(tree, {"max_depth": 3}, fold, rows=20).seed
    assert seed != setting.fit_of(tree, {"max_depth": 4}, fold).seed
    other = case.setting(workers, tmp_path, ("decision_tree",), seed=8)
    assert seed != other.fit_of(tree, {"max_depth": 3}, fold).seed
    assert 0 <= seed < 2**31


def test_regression_has_no_classes(make_case) -> None:
    regression, multiclass = make_case(Task.REGRESSION), make_case(Task.MULTICLASS)
    assert count_classes(regression.preparation, regression.framing.classes) == 0
    assert count_classes(multiclass.preparation, multiclass.framing.classes) == 3
