"""Deciding among several classes by what mistakes cost, on probabilities that are true."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headrace.ml.applications.deciding import Request, decide
from headrace.ml.errors import OptionError, SourceError
from headrace.ml.process.business_goals.evidence import EVIDENCE_FILE, Evidence

from .conftest import report

CLASSES = ("urgent", "normal", "spam")
DEAR = {"*": {"*": 1.0}, "urgent": {"*": 20.0}}
MONEY = {"name": "Costs little", "metric": "expected_value", "minimum": -0.7, "maximum": None, "value": None,
         "low": None, "high": None, "status": "missed", "met": False}  # fmt: skip


@pytest.fixture
def make_run(tmp_path):
    """Make the folder of a run with three classes; a `concentration` of many makes all rows alike."""

    def make(rows=4000, concentration=0.5, **goal):
        generator, parts = np.random.default_rng(0), []
        for _ in range(2):
            chances = generator.dirichlet([concentration] * 3, size=rows)
            parts += [(generator.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=2), chances]
        document = report("multiclass", threshold=None, **goal)
        document["steps"]["problem_framing"] = {"classes": list(CLASSES), "positive_class": None}
        (tmp_path / "report.json").write_text(json.dumps(document))
        (tmp_path / EVIDENCE_FILE).write_bytes(Evidence.of(*parts, seed=0).to_bytes())
        return tmp_path

    return make


def test_the_least_expected_cost_beats_the_likeliest_class(make_run):
    found = decide(make_run(), Request(costs=DEAR, currency="EUR"))
    money, costs = found["expected_value"], np.array([list(row.values()) for row in found["costs"].values()])
    assert costs.tolist() == [[0, 20, 20], [1, 0, 1], [1, 1, 0]]
    confusion = np.array(money["confusion"])
    assert confusion.sum() == found["rows"] == 4000
    assert money["value"] == pytest.approx(-(confusion * costs).sum() / 4000)
    assert money["low"] < money["value"] < money["high"] and money["over_likeliest"]["low"] > 0
    assert found["held_out"]["value"] == pytest.approx(money["value"], abs=0.1)
    assert money["best_policy"] == "always urgent" and money["gain"]["low"] > 0
    assert [policy["name"] for policy in money["policies"]] == [f"always {name}" for name in CLASSES]
    assert found["decision"] == "go-with-conditions" and "likeliest class, which is worth" in found["conditions"][0]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_equal_costs_decide_for_the_likeliest_class(make_run):
    found = decide(make_run(costs={"*": {"*": 3}}))
    assert found["expected_value"]["over_likeliest"] == {"value": 0, "low": 0, "high": 0}
    assert found["decision"] == "go" and found["conditions"] == []


def test_a_kpi_of_money_is_held_anew(make_run):
    out = make_run(kpis=[MONEY], costs=DEAR)
    assert [kpi["status"] for kpi in decide(out)["kpis"]] == ["met"]
    found = decide(out, Request(costs={"spam": {"*": 90}, "normal": {"*": 90}}))
    assert found["costs"]["spam"]["normal"] == 90 and found["kpis"][0]["status"] == "missed"
    assert found["decision"] == "no-go"


def test_a_model_that_knows_nothing_is_no_go(make_run):
    assert decide(make_run(concentration=1e6), Request(costs=DEAR))["decision"] == "no-go"


def test_mistakes_without_a_price_are_said(make_run):
    found = decide(make_run(), Request(costs={"urgent": {"spam": 9}}))
    assert any("5 of 6 have no price" in condition for condition in found["conditions"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing says what mistakes cost"),
        ({"costs": {"urgnt": {"spam": 1}}}, "name 'urgnt', which is no class; use some of 'urgent'"),
        ({"costs": DEAR, "cost_fn": 1}, "--cost-fn is not for several classes"),
        ({"costs": DEAR, "capacity": "20%"}, "--capacity is not for several classes"),
        ({"costs": DEAR, "at_least": {"recall": 0.5}}, "--at-least is not for several classes"),
    ],
)
def test_what_does_not_fit_is_refused(make_run, given, said):
    with pytest.raises(OptionError, match=said):
        decide(make_run(), Request(**given))


def test_writing_is_refused(make_run):
    with pytest.raises(OptionError, match="leave --write out"):
        decide(make_run(), Request(costs=DEAR), write=True)


def test_evidence_of_fewer_classes_is_refused(make_run):
    out = make_run()
    document = json.loads((out / "report.json").read_text())
    document["steps"]["problem_framing"]["classes"] = [*CLASSES, "other"]
    (out / "report.json").write_text(json.dumps(document))
    with pytest.raises(SourceError, match="evidence of another task"):
        decide(out, Request(costs=DEAR))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_costs_of_classes_are_refused_for_other_tasks(make_out, task):
    with pytest.raises(OptionError, match="--cost and --costs are for several classes"):
        decide(make_out(task), Request(costs=DEAR))
