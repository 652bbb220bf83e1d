"""Deciding anew on predictions whose truth is known."""

from __future__ import annotations

import json

import pytest

from headrace.ml.applications.deciding import Request, decide
from headrace.ml.errors import NotBuiltError, OptionError, SourceError

from .conftest import MONEY

AUC = {"name": "ROC AUC", "metric": "roc_auc", "minimum": 0.7, "maximum": None, "value": 0.83, "low": 0.8, "high": 0.86,
       "status": "met", "met": True}  # fmt: skip
RECALL = AUC | {"name": "Finds them", "metric": "recall", "minimum": 0.9, "value": 0.5, "status": "missed"}


def test_true_probabilities_give_the_threshold_of_the_formula(make_out):
    found = decide(make_out(), Request(cost_fn=500, cost_fp=20))
    assert found["threshold"]["value"] == pytest.approx(20 / 520, abs=0.03)
    assert found["threshold"]["low"] <= found["threshold"]["value"] <= found["threshold"]["high"]
    money = found["expected_value"]
    assert money["low"] < money["value"] < money["high"]
    counts = found["confusion"]
    assert sum(counts.values()) == found["rows"] == 4000
    assert money["value"] == pytest.approx((-500 * counts["false_negative"] - 20 * counts["false_positive"]) / 4000)
    assert found["against_earlier"]["low"] > 0
    assert found["decision"] == "go" and found["was"] == {"decision": "go", "threshold": 0.5, "expected_value": None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_not_given_stays_as_the_charter_has_it(make_out):
    out = make_out(money=MONEY)
    assert decide(out)["threshold"]["value"] == pytest.approx(40 / 130, abs=0.05)
    found = decide(out, Request(cost_fp=90, currency="CHF"))
    assert found["payoffs"] == {"true_positive": 90, "false_positive": -90, "false_negative": 0, "true_negative": 0}
    assert (found["currency"], found["expected_value"]["currency"]) == ("CHF", "CHF")


def test_capacity_is_kept_and_its_price_is_said(make_out):
    found = decide(make_out(money=MONEY), Request(capacity="200 a week", rate="1000 a week"))
    assert found["share"]["value"] == pytest.approx(0.2, abs=0.02)
    limit = found["limits"]["capacity"]
    assert limit["cost"]["low"] > 0 and limit["allowed"] == 0.2
    assert any("The limit costs" in reason and "200 a week of 1,000" in reason for reason in found["reasons"])
    assert {policy["name"] for policy in found["expected_value"]["policies"]} == {
        "act on 20 % at random",
        "act on none",
    }
    free = decide(make_out(money=MONEY, capacity="200 a week", rate="1000 a week"), Request(capacity="none"))
    assert free["capacity"] is None and free["share"]["value"] > 0.5


def test_candidates_stay_within_the_capacity_too(make_out):
    out = make_out(money=MONEY)
    document = json.loads((out / "report.json").read_text())
    profit = {"name": "the model", "algorithm": "", "weight": None, "acted": [0, 10, 50, 100], "found": [0, 9, 30, 40]}
    document["business"]["profits"] = [profit, profit | {"name": "other", "found": [0, 5, 40, 40]}]
    (out / "report.json").write_text(json.dumps(document))
    assert [row["share"] for row in decide(out)["candidates"]] == [0.5, 0.5]
    assert [row["share"] for row in decide(out, Request(capacity="20%"))["candidates"]] == [0.1, 0.1]


def test_a_moved_threshold_asks_for_the_mitigation_anew(make_out):
    out = make_out(money=MONEY)
    document = json.loads((out / "report.json").read_text())
    (out / "report.json").write_text(json.dumps(document | {"mitigation": {"column": "gender"}}))
    assert any("Run again with --mitigate gender" in condition for condition in decide(out)["conditions"])
    assert decide(out, Request(threshold=0.5))["conditions"] == []


def test_a_kpi_moves_the_threshold_to_where_it_is_met(make_out):
    out = make_out(money=MONEY, kpis=[AUC, RECALL])
    found = decide(out, Request(at_least={"recall": 0.95}))
    assert found["threshold"]["meets"] == "surely"
    statuses = {kpi["metric"]: kpi["status"] for kpi in found["kpis"]}
    assert statuses == {"roc_auc": "met", "recall": "met"}
    assert found["limits"]["kpis"]["cost"]["value"] > 0
    assert found["decision"] == "go"


def test_kpis_stay_as_the_run_measured_them_where_the_threshold_does(make_out):
    out = make_out(money=MONEY)
    document = json.loads((out / "report.json").read_text())
    document["business"] |= {"threshold": decide(out)["threshold"]["value"], "kpis": [RECALL | {"minimum": 0.2}]}
    (out / "report.json").write_text(json.dumps(document))
    assert decide(out)["kpis"][0]["value"] == RECALL["value"]
    assert decide(out, Request(cost_fp=100))["kpis"][0]["value"] != RECALL["value"]


def test_bounds_that_no_threshold_meets_are_a_no_go(make_out):
    found = decide(make_out(), Request(at_least={"recall": 0.99, "precision": 0.9}))
    assert found["threshold"]["meets"] == "no" and found["decision"] == "no-go"
    assert "no threshold meets precision at least 0.9 and recall at least 0.99" in found["threshold"]["chosen_by"]


def test_a_threshold_can_be_looked_at(make_out):
    found = decide(make_out(money=MONEY), Request(threshold=0.9))
    assert found["threshold"]["value"] == 0.9 and found["against_earlier"]["high"] < 0
    assert "the best one would be 0.3" in found["threshold"]["chosen_by"]


def test_unequal_prices_of_errors_move_predicted_numbers(make_out):
    found = decide(make_out("regression"), Request(cost_under=3, cost_over=1))
    assert found["shift"]["value"] == pytest.approx(0.6745, abs=0.08)
    assert found["shift"]["low"] <= found["shift"]["value"] <= found["shift"]["high"]
    assert found["against_unshifted"]["low"] > 0
    assert found["decision"] == "go"


@pytest.mark.parametrize(
    ("task", "request_", "said"),
    [
        ("binary", {"cost_under": 1.0}, "--cost-under is for predicted numbers"),
        ("binary", {"rate": "1000 a week"}, "add --capacity"),
        ("binary", {"capacity": "200 a week"}, "add the rate"),
        ("binary", {"capacity": "0 a week", "rate": "10 a week"}, "allows no action at all"),
        ("binary", {"capacity": "soon"}, "is not a capacity"),
        ("binary", {"capacity": "10 a day", "rate": "never"}, "rate 'never'"),
        ("regression", {}, "nothing says what an error costs"),
        ("regression", {"cost_fn": 1.0}, "--cost-fn is for yes/no decisions"),
        ("regression", {"threshold": 0.0}, "--threshold is for yes/no decisions"),
    ],
)
def test_what_does_not_fit_the_run_is_refused(make_out, task, request_, said):
    with pytest.raises(OptionError, match=said):
        decide(make_out(task), Request(**request_))


def test_a_shift_is_not_written_into_a_model(make_out):
    with pytest.raises(OptionError, match="leave --write out"):
        decide(make_out("regression"), Request(cost_under=1), write=True)


def test_tasks_without_decisions_are_refused_with_a_sentence(make_out):
    with pytest.raises(NotBuiltError, match="decide works for yes/no decisions, several classes and predicted numbers"):
        decide(make_out("clustering"))


def test_folders_that_are_none_of_a_run_are_refused(make_out, tmp_path):
    with pytest.raises(SourceError, match="is no folder"):
        decide(tmp_path / "absent")
    with pytest.raises(SourceError, match="cannot be read"):
        decide(tmp_path)
    out = make_out()
    (out / "evidence.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(SourceError, match="is damaged"):
        decide(out)
    (out / "evidence.npz").unlink()
    with pytest.raises(SourceError, match=r"has no evidence\.npz"):
        decide(out)


@pytest.mark.parametrize("path", ["business", "steps"])
def test_a_report_that_is_damaged_is_refused(make_out, path):
    out = make_out()
    document = json.loads((out / "report.json").read_text())
    (out / "report.json").write_text(json.dumps(document | {path: {}}))
    with pytest.raises(SourceError, match=r"report\.json is damaged"):
        decide(out)


def test_evidence_of_another_task_is_refused(make_out):
    out = make_out("regression")
    kept = (out / "evidence.npz").read_bytes()
    make_out("binary")
    (out / "evidence.npz").write_bytes(kept)
    with pytest.raises(SourceError, match="another task"):
        decide(out)
