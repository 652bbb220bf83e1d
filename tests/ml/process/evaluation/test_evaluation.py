"""Step 8 on a world whose truth is known."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation import evaluate_model


def evaluate(world, sensitive=(), private=frozenset(), seconds=20.0, seed=0):
    return evaluate_model(
        world.preparation, world.framing, world.training, world.model,
        sensitive=sensitive, private=private, seed=seed, seconds=seconds,
    )  # fmt: skip


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_every_metric_of_the_task_is_measured_on_every_part_with_its_interval(make_world, task):
    found = evaluate(make_world(task))
    names = {name for name, metric in METRICS.items() if task in metric.tasks}
    assert set(found.metrics) == {"train", "validation", "test"}
    assert all(set(values) == names for values in found.metrics.values())
    assert set(found.intervals) == names
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics["test"][name] <= high
    assert found.baseline["metrics"].keys() <= names


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_all_but_the_predictions_is_json(make_world, task):
    facts = {name: value for name, value in asdict(evaluate(make_world(task))).items() if name != "test_predictions"}
    assert json.loads(json.dumps(facts, allow_nan=False)).keys() == facts.keys()


def test_the_same_seed_gives_the_same_record(make_world):
    world = make_world()
    first, second = (asdict(evaluate(world, sensitive=("gender",))) for _ in range(2))
    np.testing.assert_equal(first, second)


def test_columns_that_decide_are_important_and_one_that_does_not_is_worth_nothing(make_world):
    found = {row["column"]: row["importance"] for row in evaluate(make_world()).importance}
    assert list(found)[-1] == "noise"
    assert found["noise"] == 0.0 < min(found["income"], found["city"])


def test_explanations_name_source_rows_and_hide_private_values(make_world):
    found = evaluate(make_world(), private=frozenset({"city"})).explanations
    assert {part["why"] for part in found} >= {"highest probability", "lowest probability"}
    assert all(801 <= part["row"] <= 1000 for part in found)
    values = [p["value"] for part in found for p in part["contributions"] if p["column"] == "city"]
    assert values == [None] * len(found)


def test_private_columns_have_no_segments_and_no_sensitive_groups(make_world):
    found = evaluate(make_world(), sensitive=("city", "gender"), private=frozenset({"city", "income"}))
    assert {row["column"] for row in found.segments} <= {"noise"}
    assert {row["column"] for row in found.sensitive_groups} == {"gender"}
    assert any("'city'" in note for note in found.notes)


def test_a_sensitive_column_that_was_dropped_is_said(make_world):
    assert any("'religion'" in note for note in evaluate(make_world(), sensitive=("religion",)).notes)


def test_without_time_the_metrics_stay_and_the_rest_is_left_out_and_said(make_world):
    found = evaluate(make_world(), seconds=0.0)
    assert found.metrics["test"]["roc_auc"] > 0.5
    assert found.segments == () and found.explanations == ()
    assert len(found.notes) >= 2


def test_the_band_of_a_regression_holds_as_often_as_meant(make_world):
    found = evaluate(make_world(Task.REGRESSION, rows=4000)).coverage
    assert found["meant"] == 0.9
    assert found["measured"] == pytest.approx(0.9, abs=0.03)
    assert found["low"] < found["measured"] < found["high"]
    assert found["width"] == pytest.approx(3.29)


def test_a_test_part_of_one_class_is_measured_as_far_as_it_goes(make_world):
    world = make_world(rows=200)
    target = world.preparation.target.copy()
    target[world.preparation.test] = 0
    found = evaluate(replace(world, preparation=replace(world.preparation, target=target)))
    assert "roc_auc" not in found.metrics["test"]
    assert "accuracy" in found.metrics["test"]
    assert found.curves["roc"] == []


@pytest.mark.parametrize("known", [0.0, 0.5])
@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_rows_that_no_member_was_fitted_on_do_not_blur_the_training_figures(make_world, task, known):
    world = make_world(task)
    sample = world.training.in_sample.copy()
    sample[int(known * len(sample)) :] = np.nan
    found = evaluate(replace(world, training=replace(world.training, in_sample=sample))).metrics["train"]
    whole = evaluate(world).metrics["train"]
    name = "roc_auc" if task is Task.BINARY else "r2"
    assert found[name] == pytest.approx(whole[name], abs=0.1)
    assert np.isfinite(list(found.values())).all()
