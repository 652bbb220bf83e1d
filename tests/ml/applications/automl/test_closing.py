"""What comes after training is planned by the rows and the speed of the moment."""

from __future__ import annotations

import pytest

from headrace.ml.applications.automl.closing import MOST_ROWS, closing_seconds, evaluation_seconds


def test_more_rows_take_longer_up_to_those_that_are_sampled() -> None:
    assert 0 < closing_seconds(100) < closing_seconds(50_000) < closing_seconds(MOST_ROWS)
    assert closing_seconds(MOST_ROWS) == closing_seconds(10 * MOST_ROWS)


@pytest.mark.parametrize("rows", [100, 50_000, 5_000_000])
def test_the_evaluation_leaves_time_for_the_goals_and_the_report(rows: int) -> None:
    assert evaluation_seconds(600.0, 1.0, rows) == 20.0
    assert 0 < evaluation_seconds(12.0, 6.0, rows) < evaluation_seconds(12.0, 1.0, rows) < 12.0
    assert evaluation_seconds(-3.0, 6.0, rows) == 0.0
