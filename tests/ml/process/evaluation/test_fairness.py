"""How sensitive groups are treated: rates with intervals, calibration, the four-fifths rule."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.fairness import judge, ratio_interval, sensitive_groups, wilson
from headrace.ml.process.evaluation.groups import Measured
from headrace.ml.tables.columns import Column, ColumnKind

CITY = Column("city", ColumnKind.CATEGORY)


def measured(target, scores, metric="accuracy"):
    return Measured(Task.BINARY, target, np.column_stack([1 - scores, scores]), METRICS[metric], 0.5, 0)


def test_rates_of_sensitive_groups_are_counted_by_hand():
    target = np.array([1, 1, 0, 0, 1, 0, 0, 0])
    scores = np.array([1, 1, 1, 0, 1, 0, 0, 0.0])
    frame = pl.DataFrame({"city": ["a"] * 4 + ["b"] * 4})
    a, b = sensitive_groups(frame, [CITY], measured(target, scores))
    assert (a["selection_rate"], a["true_positive_rate"], a["false_positive_rate"]) == (0.75, 1.0, 0.5)
    assert (b["selection_rate"], b["base_rate"]) == (0.25, 0.25)
    assert (a["disparate_impact"], b["disparate_impact"]) == (1.0, pytest.approx(1 / 3))


def test_groups_of_one_class_and_groups_never_selected_have_no_rates_to_divide_by():
    frame = pl.DataFrame({"city": ["a"] * 3})
    (group,) = sensitive_groups(frame, [CITY], measured(np.zeros(3, dtype=np.int64), np.zeros(3), "roc_auc"))
    assert group["true_positive_rate"] is None and group["roc_auc"] is None
    assert "disparate_impact" not in group


def test_a_handful_of_rows_is_no_yardstick_for_the_others():
    scores = np.array([1.0] * 20 + [0.0] * 20 + [1.0] * 10 + [0.0] * 30 + [1.0])
    frame = pl.DataFrame({"city": ["a"] * 40 + ["b"] * 40 + ["c"]})
    groups = sensitive_groups(frame, [CITY], measured((scores > 0).astype(int), scores))
    assert [group["disparate_impact"] for group in groups] == [1.0, 0.5, 2.0]


def test_intervals_hold_the_rates_and_say_what_is_beyond_chance():
    rng = np.random.default_rng(0)
    city = np.repeat(["a", "b", "c"], 500)
    scores = rng.random(1500) * np.where(city == "b", 0.7, 1.0)
    target = (rng.random(1500) < scores).astype(np.int64)
    groups = {g["group"]: g for g in sensitive_groups(pl.DataFrame({"city": city}), [CITY], measured(target, scores))}
    for group in groups.values():
        for name in ("selection_rate", "true_positive_rate", "false_positive_rate", "calibration_gap"):
            assert group[f"{name}_low"] <= group[name] <= group[f"{name}_high"]
        assert abs(group["calibration_gap"]) < 0.06
    assert groups["b"]["judgement"] == "unequal beyond chance"
    assert groups["b"]["disparate_impact_high"] < 0.8
    assert {groups["a"]["judgement"], groups["c"]["judgement"]} == {"equal enough"}


def test_a_small_group_that_is_never_selected_is_not_condemned_on_few_rows():
    scores = np.r_[np.linspace(0, 0.55, 400), np.zeros(25)]
    frame = pl.DataFrame({"city": ["a"] * 400 + ["b"] * 25})
    groups = sensitive_groups(frame, [CITY], measured((scores > 0.3).astype(int), scores))
    small = next(group for group in groups if group["group"] == "b")
    assert small["disparate_impact"] == 0.0
    assert small["judgement"] == "may be unequal"


@pytest.mark.parametrize(("share", "rows"), [(0.05, 200), (0.5, 60), (0.0, 30)])
def test_ratio_intervals_cover_the_true_ratio(share, rows):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        own, other = rng.binomial(rows, share), rng.binomial(400, 0.3)
        low, high = ratio_interval(own / rows, wilson(own, rows), other / 400, wilson(other, 400))
        held += low <= share / 0.3 <= high
    assert held >= 0.93 * 400


def test_the_four_fifths_rule_needs_the_whole_interval():
    assert judge(0.85, 1.1) == "equal enough"
    assert judge(0.7, 0.9) == "may be unequal"
    assert judge(0.7, 0.79) == "unequal beyond chance"


def test_values_have_a_mean_error_with_interval():
    target = np.random.default_rng(0).normal(size=200)
    judged = Measured(Task.REGRESSION, target, target + 0.5, METRICS["rmse"], 0.5, 0)
    (group,) = sensitive_groups(pl.DataFrame({"city": ["a"] * 200}), [CITY], judged)
    assert group["mean_error"] == pytest.approx(0.5)
    assert group["mean_error_low"] <= group["mean_error_high"]
