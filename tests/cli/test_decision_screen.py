"""How decisions taken anew are shown."""

from __future__ import annotations

import io

import pytest

from headrace.cli.decision_screen import number, show

FIGURE = {"value": 12.5, "low": 10.0, "high": 15.0}
MONEY = FIGURE | {"best_policy": "act on [all]", "gain": {"value": -3.0, "low": -4.0, "high": -2.0}}


def shown(found):
    stream = io.StringIO()
    show(found, stream)
    return " ".join(stream.getvalue().split())


@pytest.fixture
def yes_no():
    point = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "meets": "narrowly", "low": 1.0, "high": 2.0}
    curve = [point | {"threshold": t / 10, "share": 1 - t / 10, "expected_value": t * (9.0 - t)} for t in range(10)]
    limit = {"threshold": 0.2, "cost": FIGURE | {"unit": "EUR a decision"}}
    kpi = {"name": "Finds [them]", "metric": "recall", "minimum": 0.4, "maximum": None, "status": "uncertain"} | FIGURE
    return {
        "task": "binary", "decision": "no-go", "reasons": ["It earns [nothing]."], "currency": "EUR", "rows": 1234,
        "was": {"decision": "go", "threshold": 0.5, "expected_value": 3.0}, "positive_class": "[yes]",
        "threshold": {"value": 0.3, "low": 0.2, "high": 0.4, "chosen_by": "most money", "held_out_value": 18.0},
        "expected_value": MONEY, "share": FIGURE | {"value": 0.7}, "against_earlier": FIGURE,
        "capacity": {"share": 0.8, "text": "80 a week of 100", "period": "week", "arrivals": 100.0},
        "confusion": {"true_positive": 1000, "false_positive": 200, "false_negative": 30, "true_negative": 4},
        "kpis": [kpi], "limits": {"capacity": limit}, "curve": curve,
        "candidates": [{"name": "the model", "value": 18.0}, {"name": "lightgbm-1", "value": 18.5}],
    }  # fmt: skip


def test_yes_no_decisions_are_told_with_their_figures(yes_no):
    said = shown(yes_no)
    for part in ("NO-GO (the run said go)", "It earns [nothing].", "0.3 (95 % interval 0.2 … 0.4), was 0.5",
                 "3 less (95 % interval of the difference -4 … -2) than 'act on [all]'", "12.5 more", "1,000",
                 "about 70 a week of 100", "capacity costs 12.5 EUR a decision", "is '[yes]'", "Finds [them] ≥ 0.4",
                 "▶ 0.300", "met?", "lightgbm-1 would do best: 18.5 EUR a decision, the model 18"):  # fmt: skip
        assert part in said


def test_candidates_that_are_no_better_are_not_praised(yes_no):
    candidates = [{"name": "the model", "value": 18.0}, {"name": "lightgbm-1", "value": 18.0}]
    assert "None of the run's candidates would do better than the model: 18 EUR" in shown(
        yes_no | {"candidates": candidates}
    )


def test_without_money_and_kpis_f1_is_shown(yes_no):
    curve = [
        {name: value for name, value in point.items() if name not in ("expected_value", "meets")}
        for point in yes_no["curve"]
    ]
    bare = {"expected_value": {}, "against_earlier": None, "capacity": None, "kpis": [], "limits": {}, "candidates": []}
    said = shown(yes_no | bare | {"curve": curve, "decision": "go"})
    assert "worth" in said and "EUR" not in said and "GO (the" not in said


def test_classes_are_told_with_the_mistakes_and_their_prices():
    money = MONEY | {
        "best_policy": "always [a]", "over_likeliest": FIGURE, "likeliest": FIGURE | {"value": 0.5},
        "policies": [FIGURE | {"name": "always [a]"}, FIGURE | {"name": "always b", "value": -7.0}],
        "confusion": [[1000, 20], [3, 4]],
    }  # fmt: skip
    said = shown(
        {"task": "multiclass", "decision": "go", "reasons": ["It earns."], "was": {"decision": "go"}, "currency": "EUR",
         "classes": ["[a]", "b"], "costs": {"[a]": {"[a]": 0, "b": 5}, "b": {"[a]": 0, "b": 0}}, "rows": 1027,
         "expected_value": money, "held_out": FIGURE, "kpis": []}
    )  # fmt: skip
    for part in ("12.5 more (95 % interval of the difference 10 … 15) than deciding for the likeliest class",
                 "[a] 1,000 20 × 5", "b 3 4", "always [a] 12.5 10 … 15 the likeliest class 0.5", "for [a]"):  # fmt: skip
        assert part in said


def test_a_shift_of_predicted_numbers_is_told():
    said = shown(
        {"task": "regression", "decision": "go", "reasons": ["It earns."], "was": {"decision": "go"}, "currency": "EUR",
         "shift": FIGURE | {"level": 0.75}, "unit_costs": {"under": 3.0, "over": 1.0}, "expected_value": MONEY,
         "against_unshifted": FIGURE, "rows": 12}
    )  # fmt: skip
    assert "add 12.5 to every prediction" in said and "a unit too low costs 3, one too high 1" in said


def test_figures_are_short():
    assert [number(value) for value in (None, 0.12345, 1234.5, 123456.7, -0.5)] == [
        "",
        "0.1235",
        "1,234",
        "123,457",
        "-0.5",
    ]
