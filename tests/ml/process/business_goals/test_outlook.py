"""What to do next, and what is said about the groups that are treated unlike others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.ml.metrics import METRICS
from headrace.ml.process.business_goals.outlook import advise, weigh_more_data
from headrace.ml.process.evaluation import evaluate_model

METRIC = METRICS["roc_auc"]


@pytest.fixture
def evaluated(make_world):
    world = make_world(rows=3000)
    return world, evaluate_model(
        world.preparation, world.framing, world.training, world.model,
        sensitive=(), private=frozenset(), seed=0, seconds=20.0,
    )  # fmt: skip


def advice_of(world, evaluation):
    return advise(world.business, world.preparation, evaluation, weigh_more_data(evaluation, METRIC, 2400))


@pytest.mark.parametrize(("slope", "helps"), [(0.05, True), (1e-6, False), (-0.01, False)])
def test_more_rows_help_where_the_slope_exceeds_the_noise(evaluated, slope, helps):
    evaluation = replace(evaluated[1], fitting={"verdict": "good", "learning_curve": {"slope": slope, "reading": ""}})
    found = weigh_more_data(evaluation, METRIC, 2400)
    assert found["helps"] is helps
    assert found["expected_gain"] >= 0


def test_without_a_learning_curve_it_is_not_known(evaluated):
    assert weigh_more_data(replace(evaluated[1], fitting={}), METRIC, 2400)["helps"] is None


def test_important_columns_with_holes_are_to_be_filled(evaluated):
    said = " ".join(advice_of(*evaluated))
    assert "Collect more columns about what" in said
    assert "Fill 'city' more often: it matters, and is missing in 2" in said


def test_unequal_treatment_and_weak_segments_are_said(evaluated):
    world, evaluation = evaluated
    group = {
        "column": "sex", "group": "f", "rows": 300, "disparate_impact": 0.5, "selection_rate": 0.2, "base_rate": 0.1,
    }  # fmt: skip
    most = group | {"group": "m", "disparate_impact": 1.0, "selection_rate": 0.4, "base_rate": 0.3}
    few = group | {"group": "x", "rows": 3, "disparate_impact": 2.0, "selection_rate": 0.8}
    weak = {"segment": "'city' is 'south'", "rows": 300, "reason": "few rows", "confirmed": True}
    said = " ".join(advice_of(world, replace(evaluation, sensitive_groups=(group, most, few), weak_segments=(weak,))))
    assert "Rows where 'sex' is f are selected 0.50 times as often as those where it is m (20.0% against 40.0%" in said
    assert "weakest where 'city' is 'south' (300 test rows; few rows)" in said


def test_small_groups_are_not_called_unequal(evaluated):
    world, evaluation = evaluated
    group = {"column": "sex", "group": "f", "rows": 3, "disparate_impact": 0.5}
    assert "selected" not in " ".join(advice_of(world, replace(evaluation, sensitive_groups=(group,))))
