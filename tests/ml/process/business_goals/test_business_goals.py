"""Step 9 on a world whose truth is known."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.business_goals import choose_threshold, evaluate_business_goals
from headrace.ml.process.business_goals.findings import Findings, weigh_capacity
from headrace.ml.process.evaluation import evaluate_model

OFFER = {"true_positive": {"earns": 130, "costs": 40}, "false_positive": {"costs": 40}}


def judge(world, microseconds=100.0, suspicious=None):
    threshold = choose_threshold(world.business, world.framing, world.training, world.preparation)
    evaluation = evaluate_model(
        world.preparation, world.framing, world.training, world.model,
        sensitive=(), private=frozenset(), seed=0, seconds=20.0,
    )  # fmt: skip
    return evaluate_business_goals(
        world.business, world.framing, world.preparation, world.training, evaluation, threshold,
        predict_microseconds=microseconds, seed=0, suspicious=suspicious,
    )  # fmt: skip


def kpi(metric, **bound):
    return {"kpis": [{"metric": metric, **bound}]}


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_a_good_model_without_a_charter_is_a_go_by_beating_the_baseline(make_world, task):
    found = judge(make_world(task))
    assert found.decision == "go"
    assert found.conditions == ()
    assert "better than the baseline" in found.reasons[0]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
@pytest.mark.parametrize("seed", range(5))
def test_noise_is_a_no_go(make_world, task, seed):
    found = judge(make_world(task, signal=1.0, true_signal=0.0, seed=seed))
    assert found.decision == "no-go"
    assert "cannot be told from the baseline" in found.reasons[0] or "luck of the search" in found.reasons[0]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_the_record_is_json(make_world, task):
    facts = asdict(judge(make_world(task)))
    assert json.loads(json.dumps(facts, allow_nan=False)).keys() == facts.keys()


def test_a_kpi_within_its_interval_is_a_go(make_world):
    found = judge(make_world(charter=kpi("roc_auc", minimum=0.6)))
    assert (found.decision, found.kpis[0]["status"]) == ("go", "met")


def test_a_kpi_inside_the_interval_is_a_condition(make_world):
    value = judge(make_world(charter=kpi("roc_auc", minimum=0.6))).kpis[0]["value"]
    found = judge(make_world(charter=kpi("roc_auc", minimum=value - 0.001)))
    assert (found.decision, found.kpis[0]["status"]) == ("go-with-conditions", "uncertain")
    assert len(found.conditions) == 1


def test_a_missed_kpi_is_a_no_go_and_says_which(make_world):
    found = judge(make_world(charter=kpi("roc_auc", minimum=0.99, name="Ranks well")))
    assert (found.decision, found.kpis[0]["status"]) == ("no-go", "missed")
    assert "Ranks well" in found.reasons[0] and "at least 0.99" in found.reasons[0]


def test_an_upper_bound_is_held_too(make_world):
    assert judge(make_world(charter=kpi("log_loss", maximum=0.69))).kpis[0]["status"] == "met"
    assert judge(make_world(charter=kpi("log_loss", maximum=0.01))).decision == "no-go"


def test_a_tiny_test_part_is_never_a_go(make_world):
    found = judge(make_world(rows=140, signal=3.0, charter=kpi("roc_auc", minimum=0.6)))
    assert found.decision == "go-with-conditions"
    assert found.kpis[0]["status"] == "uncertain"
    assert "only 28 rows" in " ".join(found.conditions)


def test_money_is_weighed_against_policies_without_a_model(make_world):
    charter = {"decisions": OFFER, "kpis": [{"metric": "expected_value", "minimum": 1}], "currency": "EUR"}
    found = judge(make_world(charter=charter, rows=3000))
    money = found.expected_value
    assert {policy["name"] for policy in money["policies"]} == {"act on all", "act on none"}
    assert money["low"] <= money["value"] <= money["high"]
    best = max(policy["value"] for policy in money["policies"])
    assert money["gain"]["value"] == pytest.approx(money["value"] - best)
    assert found.currency == money["currency"] == "EUR"
    assert found.decision == "go"


def test_a_model_that_earns_less_than_acting_on_all_is_a_no_go(make_world):
    decisions = {"true_positive": {"earns": 1000}, "false_positive": {"earns": 999}}
    found = judge(make_world(charter={"decisions": decisions}))
    assert found.decision == "no-go"
    assert "'act on all'" in found.reasons[0]


def test_mistakes_among_classes_cost_money(make_world):
    charter = {"costs": {"*": {"*": 10}}, "kpis": [{"metric": "expected_value", "minimum": -9}], "currency": "EUR"}
    found = judge(make_world(Task.MULTICLASS, charter=charter))
    money = found.expected_value
    assert money["value"] < 0 < money["gain"]["low"] and money["over_likeliest"]["value"] == 0
    assert sum(map(sum, money["confusion"])) == money["rows"]
    assert (found.decision, found.conditions) == ("go", ())


def test_errors_of_a_regression_cost_money(make_world):
    charter = {"error_cost": {"under": 2, "over": 1}, "kpis": [{"metric": "expected_value", "minimum": -5}]}
    found = judge(make_world(Task.REGRESSION, charter=charter))
    assert found.expected_value["value"] < 0 < found.expected_value["gain"]["low"]
    assert found.threshold is None
    assert found.decision == "go"
    assert found.advice[0].startswith("Add 0.") and "as too low a one costs more" in found.advice[0]


def test_the_capacity_is_held_on_the_test_part_and_its_price_said(make_world):
    charter = {"decisions": OFFER, "capacity": "100 a week", "rate": "1000 a week"}
    found = judge(make_world(charter=charter, rows=5000))
    assert found.decision == "go" and found.limits["capacity"]["allowed"] == 0.1
    assert any("there is capacity for 100 a week of 1,000" in reason for reason in found.reasons)
    assert {row["about"] for row in found.findings} == {"baseline", "money", "capacity"}
    assert found.profits[0]["name"] == "the model"


def test_more_than_the_capacity_is_a_condition():
    findings = Findings()
    share = {"value": 0.3, "low": 0.25, "high": 0.35}
    weigh_capacity(findings, {"share": share, "allowed": 0.2, "text": "200 a week of 1,000", "cost": {}})
    assert findings.decision == "go-with-conditions"
    assert "Raise the threshold or the capacity: on the test part 30 %" in findings.reasons[0]


def test_limits_of_latency_and_cost_are_held_against_what_was_measured(make_world):
    charter = {"latency_limit_ms": 1, "cost_limit_per_1000": 1.5, "compute_price_per_hour": 3600}
    fast, slow = (judge(make_world(charter=charter), microseconds) for microseconds in (500.0, 2000.0))
    assert [row["status"] for row in fast.kpis] == ["met", "met"]
    assert [row["status"] for row in slow.kpis] == ["missed", "missed"]
    assert slow.decision == "no-go"
    assert slow.serving == pytest.approx({"latency_ms": 2.0, "cost_per_1000": 2.0})


def test_a_charter_that_speaks_against_machine_learning_can_not_end_in_a_go(make_world):
    found = judge(make_world(charter={"fixed_rule_is_enough": True}))
    assert found.decision == "go-with-conditions"
    assert "fixed rule" in found.conditions[0]


@pytest.mark.parametrize(("algorithm", "decision"), [("linear_logistic", "go"), ("random_forest", "no-go")])
def test_required_interpretability_is_held_against_the_chosen_models(make_world, algorithm, decision):
    found = judge(make_world(charter={"interpretability": "required"}, algorithm=algorithm))
    assert found.decision == decision


def test_the_learning_curve_says_whether_more_rows_would_help(make_world):
    found = judge(make_world()).more_data
    assert 0 < found["slope"] < 0.01
    assert "Twice the rows would change" in found["reading"] and "800" in found["reading"]


def test_a_test_part_much_worse_than_held_out_rows_is_a_condition(make_world):
    world = make_world(rows=3000)
    preparation = world.preparation
    target = preparation.target.copy()
    generator = np.random.default_rng(0)
    some = generator.choice(preparation.test, 200, replace=False)
    target[some] = 1 - target[some]
    found = judge(replace(world, preparation=replace(preparation, target=target, split="by time, the newest rows")))
    assert found.decision == "go-with-conditions"
    assert not found.generalisation["holds"] and found.generalisation["newest"]
    assert "newest rows" in found.conditions[0]


def test_a_column_that_may_leak_is_a_condition_where_it_is_learnt_from(make_world):
    world = make_world(Task.BINARY)
    name = world.preparation.columns[0].name
    found = judge(world, suspicious={name: "it knows too much", "dropped": "the same"})
    assert found.decision == "go-with-conditions"
    assert f"the values of '{name}' are known before the target is" in found.conditions[0]


def test_luck_of_the_search_is_told_from_luck_on_the_test_part(make_world):
    world = make_world(Task.BINARY)
    lucky = replace(world.training, held_out=np.full_like(world.training.held_out, 0.5))
    found = judge(replace(world, training=lucky))
    assert found.decision == "no-go"
    assert "on the held-out rows that it was chosen by, the difference (0, standard error 0)" in found.reasons[0]
    assert "may be chance" not in found.reasons[0]
