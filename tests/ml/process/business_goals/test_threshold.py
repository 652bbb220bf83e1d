"""The threshold that earns the most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.business_goals import choose_threshold
from headrace.ml.process.business_goals.threshold import _smooth

OFFER = {"true_positive": {"earns": 130, "costs": 40}, "false_positive": {"costs": 40}}


def choose(world):
    return choose_threshold(world.business, world.framing, world.training, world.preparation)


def test_true_probabilities_give_the_threshold_of_the_formula(make_world):
    found = choose(make_world(rows=20_000, charter={"decisions": OFFER}))
    assert found.value == pytest.approx(40 / 130, abs=0.05)
    assert found.expected_value == max(
        point["expected_value"] for point in found.curve if point["threshold"] == found.value
    )


def test_without_money_it_is_the_best_f1_and_says_so(make_world):
    found = choose(make_world())
    assert "F1" in found.chosen_by and found.expected_value is None
    assert "expected_value" not in found.curve[0]


def test_the_curve_is_thin_rising_and_holds_the_chosen_threshold(make_world):
    found = choose(make_world(rows=3000))
    thresholds = [point["threshold"] for point in found.curve]
    assert len(thresholds) <= 200
    assert thresholds == sorted(thresholds)
    assert found.value in thresholds
    assert (found.curve[0]["share"], found.curve[-1]["share"]) == (1.0, 0.0)


def test_acting_never_pays_when_only_mistakes_cost(make_world):
    found = choose(make_world(charter={"decisions": {"false_positive": {"costs": 1}}}))
    assert found.curve[-1]["threshold"] == found.value
    assert found.expected_value == 0.0


def test_a_certain_probability_can_still_be_refused(make_world):
    world = make_world(charter={"decisions": {"true_positive": {"costs": 1}, "false_positive": {"costs": 1}}})
    certain = np.ones_like(world.training.held_out)
    found = choose(replace(world, training=replace(world.training, held_out=certain)))
    assert np.float32(found.value) > 1


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.REGRESSION])
def test_only_two_classes_have_a_threshold(make_world, task):
    assert choose(make_world(task)) is None


def test_one_lucky_row_does_not_decide():
    hill = -((np.arange(1000) - 700) ** 2) / 1e5
    hill[100] = 0.5
    assert abs(_smooth(hill).argmax() - 700) < 5


def test_the_interval_of_the_threshold_holds_it_and_narrows_with_rows(make_world):
    few, many = (choose(make_world(rows=rows, charter={"decisions": OFFER})) for rows in (600, 20_000))
    assert many.low <= many.value <= many.high
    assert many.high - many.low < few.high - few.low


def test_kpis_that_the_threshold_decides_come_before_money(make_world):
    free = choose(make_world(rows=4000, charter={"decisions": OFFER}))
    kpis = [{"metric": "recall", "minimum": 0.95}, {"metric": "roc_auc", "minimum": 0.6}]
    bound = choose(make_world(rows=4000, charter={"decisions": OFFER, "kpis": kpis}))
    assert bound.meets == "surely" and bound.value < free.value == bound.alternatives["kpis"]
    assert "surely meet recall at least 0.95" in bound.chosen_by and "roc" not in bound.chosen_by
    here = next(point for point in bound.curve if point["threshold"] == bound.value)
    assert here["meets"] == "surely" and here["recall"] > 0.95 and here["low"] < here["expected_value"] < here["high"]


def test_kpis_that_cannot_be_met_are_said_and_money_decides(make_world):
    kpis = [{"metric": "recall", "minimum": 0.99}, {"metric": "precision", "minimum": 0.99}]
    found = choose(make_world(charter={"decisions": OFFER, "kpis": kpis}))
    assert (
        found.meets == "no" and "no threshold meets recall at least 0.99 and precision at least 0.99" in found.chosen_by
    )
    assert found.value == choose(make_world(charter={"decisions": OFFER})).value


def test_no_more_rows_are_acted_on_than_there_is_capacity_for(make_world):
    found = choose(make_world(rows=4000, charter={"capacity": "50 a day", "rate": "500 a day"}))
    here = next(point for point in found.curve if point["threshold"] == found.value)
    assert 0.05 < here["share"] <= 0.1
    assert found.alternatives["capacity"] < found.value
    assert found.chosen_by.endswith("with capacity for 50 a day of 500 (10 % of the rows)")


def test_probabilities_that_are_all_the_same_leave_all_or_none(make_world):
    world = make_world(charter={"decisions": OFFER, "capacity": "10%"})
    same = np.full_like(world.training.held_out, 0.5)
    found = choose(replace(world, training=replace(world.training, held_out=same)))
    assert [point["share"] for point in found.curve] == [1.0, 0.0]
    assert found.value > 0.5
