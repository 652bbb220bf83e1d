"""Whether machine learning fits, what was assumed, and how long it takes."""

from __future__ import annotations

import pytest

from headrace.ml.process.business_problem import Charter, define_business_problem, estimate_timeline


@pytest.mark.parametrize(
    ("answers", "verdict", "reason"),
    [
        ({}, "use ml", "too complex"),
        ({"fixed_rule_is_enough": True}, "do not use ml", "fixed rule"),
        ({"data_changes": False}, "do not use ml", "Nothing changes"),
        ({"requires_full_accuracy": True}, "do not use ml", "must be right"),
        ({"complex_logic": False, "scale": False}, "do not use ml", "Nothing calls for it"),
        ({"complex_logic": False, "scale": False, "responsiveness": True}, "use ml", "faster"),
        ({"interpretability": "required"}, "use interpretable ml", "can be read"),
        ({"interpretability": "preferred"}, "use ml", "too complex"),
        ({"interpretability": "required", "fixed_rule_is_enough": True}, "do not use ml", "fixed rule"),
    ],
)
def test_the_verdict_follows_the_answers_and_says_why(answers, verdict, reason):
    found = define_business_problem(Charter(**answers))
    assert found.verdict == verdict
    assert reason in " ".join(found.reasons)


def test_without_a_charter_everything_is_assumed_and_said():
    found = define_business_problem(None)
    assert found.charter == Charter()
    assert found.assumed[0].startswith("No charter was given")
    assert len(found.assumed) > 5


def test_what_was_given_is_not_called_assumed():
    given = {"kpis": [{"metric": "rmse", "maximum": 1}], "error_cost": {"under": 1}, "currency": "EUR"}
    assumed = " ".join(define_business_problem(Charter.model_validate(given)).assumed)
    assert "Success was not defined" not in assumed and "No money" not in assumed
    assert "0.1 EUR an hour" in assumed


def test_the_timeline_has_a_phase_for_each_part_in_half_weeks():
    weeks = dict(estimate_timeline(7043, 20, 0.01))
    assert len(weeks) == 6
    assert all(value > 0 and value * 2 == int(value * 2) for value in weeks.values())


@pytest.mark.parametrize(
    "worse",
    [
        {"rows": 500},
        {"rows": 50_000_000},
        {"columns": 2000},
        {"missing_share": 0.5},
        {"readiness_problems": 4},
    ],
)
def test_worse_data_takes_longer(worse):
    usual = {"rows": 10_000, "columns": 20, "missing_share": 0.0}
    assert sum(w for _, w in estimate_timeline(**usual | worse)) > sum(w for _, w in estimate_timeline(**usual))
