from __future__ import annotations

import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.process.training.limits import FEWEST_ROWS, Limits, choose_limits, estimate_seconds

BOOSTING = ["gradient_boosting_lightgbm", "gradient_boosting_catboost"]


def test_without_a_budget_there_is_no_limit_but_the_algorithms_own() -> None:
    limits = choose_limits(None, 500_000, 20, 2, 5, BOOSTING)
    assert limits == Limits()
    assert limits.rows_for(find_algorithm("gradient_boosting_lightgbm"), 500_000, 20, 2) == 500_000
    neighbours = find_algorithm("k_nearest_neighbors")
    assert limits.rows_for(neighbours, 500_000, 20, 2) == neighbours.largest


@pytest.mark.parametrize("budget", [15.0, 60.0, 300.0, 7200.0])
@pytest.mark.parametrize(("rows", "columns"), [(20, 3), (4_000, 20), (35_000, 15), (350_000, 20), (700, 10_000)])
def test_some_algorithm_is_tried_at_every_shape_within_its_time(budget: float, rows: int, columns: int) -> None:
    limits = choose_limits(budget, rows, columns, 2, 5, BOOSTING)
    assert limits.folds is not None and 1 <= limits.folds <= 5
    assert limits.rows is not None and limits.rows >= min(rows, FEWEST_ROWS)
    fitted = min(rows, limits.rows)
    for name in ("linear_logistic", "gradient_boosting_lightgbm", "random_forest"):
        most = limits.rows_for(find_algorithm(name), fitted, columns, 2)
        if name == "linear_logistic":
            assert most is not None
        if most is not None:
            assert 0 < most <= fitted
            assert estimate_seconds(name, most, columns, 2) <= 0.1 + max(limits.fit_seconds, budget / 4)


def test_more_budget_never_means_fewer_rows_or_folds() -> None:
    chosen = [choose_limits(budget, 350_000, 20, 2, 5, BOOSTING) for budget in (15, 60, 300, 3600)]
    assert [limits.rows for limits in chosen] == sorted(limits.rows or 0 for limits in chosen)
    assert [limits.folds for limits in chosen] == sorted(limits.folds or 0 for limits in chosen)


def test_large_data_is_sampled_and_wide_data_keeps_its_rows() -> None:
    assert choose_limits(15.0, 350_000, 20, 2, 1, BOOSTING).rows == 150_000
    assert (choose_limits(15.0, 700, 10_000, 2, 5, BOOSTING).rows or 0) >= 700


def test_small_data_keeps_three_folds_where_there_is_time() -> None:
    assert choose_limits(60.0, 4_500, 120, 0, 5, BOOSTING).folds == 3
    assert choose_limits(15.0, 1_640, 80, 0, 5, BOOSTING).folds == 1
    assert choose_limits(60.0, 1_640, 80, 0, 1, BOOSTING).folds == 1


def test_boosting_of_many_classes_is_estimated_to_cost_a_tree_for_each() -> None:
    assert estimate_seconds(BOOSTING[0], 10_000, 20, 10) > 5 * estimate_seconds(BOOSTING[0], 10_000, 20, 2)
    assert estimate_seconds("random_forest", 10_000, 20, 10) == estimate_seconds("random_forest", 10_000, 20, 2)


def test_what_would_take_too_long_even_on_few_rows_is_not_tried() -> None:
    limits = Limits(rows=2_000, folds=1, fit_seconds=0.1)
    assert limits.rows_for(find_algorithm("random_forest"), 2_000, 500, 2) is None
