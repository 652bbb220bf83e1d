"""What candidates would earn beside the model, and what limits cost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from headrace.ml.contract import View
from headrace.ml.metrics import METRICS
from headrace.ml.metrics.money import Payoffs, UnitCosts
from headrace.ml.metrics.outcomes import Outcomes
from headrace.ml.process.business_goals.expected_value import money_of_decisions, weigh_limits
from headrace.ml.process.business_goals.goal import Goal
from headrace.ml.process.business_goals.profits import compare_profits
from headrace.ml.process.business_goals.shift import choose_shift, weigh_shift
from headrace.ml.process.business_goals.threshold import pick_threshold
from headrace.ml.process.capacity import parse_capacity
from headrace.ml.process.training import Candidate

GOAL = Goal(Payoffs(90, -40), "EUR")


def candidate(name, score, held_out):
    return Candidate(name, name, {}, View.SCALED, "fitted", score, (score,), score, 1.0, 1.0, 100, held_out)


def test_candidates_are_held_against_the_model_on_the_same_rows(make_world):
    world = make_world(rows=3000)
    training, target = world.training, world.preparation.target[world.training.held_out_rows]
    noise = np.random.default_rng(0).permutation(training.held_out)
    tried = (candidate("worse", 0.5, noise), candidate("same", 0.8, training.held_out), candidate("none", None, None))
    model, *others = compare_profits(GOAL, replace(training, candidates=tried), target, METRICS["roc_auc"])
    assert [row["name"] for row in (model, *others)] == ["the model", "same", "worse"]
    assert others[0]["gain"] == {"value": 0, "low": 0, "high": 0}
    assert others[1]["gain"]["high"] < 0
    assert others[1]["gain"]["value"] == pytest.approx(others[1]["value"] - model["value"])
    assert (model["acted"][0], model["acted"][-1], model["worth"][0]) == (0, len(target), 0)
    assert max(model["worth"]) == pytest.approx(model["value"], abs=2) and len(model["worth"]) <= 61
    assert json.loads(json.dumps(model, allow_nan=False)) == model


def test_a_limit_costs_what_the_threshold_without_it_would_earn_more():
    generator = np.random.default_rng(0)
    scores = generator.random(5000)
    target = (generator.random(5000) < scores).astype(np.int64)
    goal = replace(GOAL, capacity=parse_capacity("10%"))
    threshold = pick_threshold(goal, Outcomes.at_every(target, scores))
    found = weigh_limits(goal, threshold, target, scores)["capacity"]
    free, ours = (money_of_decisions(GOAL, target, scores, t)["value"] for t in (found["threshold"], threshold.value))
    assert found["cost"]["value"] == pytest.approx(free - ours)
    assert 0 < found["cost"]["low"] < found["cost"]["high"]
    assert found["share"]["low"] <= 0.1 and found["allowed"] == 0.1


@pytest.mark.parametrize(("under", "over"), [(1, 1), (9, 1), (1, 4)])
def test_no_other_shift_costs_less(under, over):
    generator = np.random.default_rng(0)
    target, predictions = generator.exponential(size=2001), np.ones(2001)
    costs = UnitCosts(under, over)
    shift = choose_shift(costs, target, predictions)
    best = costs.earned(target, predictions + shift["value"]).mean()
    for other in np.linspace(-1, 3, 81):
        assert costs.earned(target, predictions + other).mean() <= best + 1e-3
    assert shift["low"] <= shift["value"] <= shift["high"]
    brings = weigh_shift(costs, shift["value"], target, predictions)
    assert brings["low"] <= brings["value"] <= brings["high"]


def test_errors_that_cost_nothing_move_nothing():
    assert choose_shift(UnitCosts(), np.ones(5), np.zeros(5))["value"] == 0
