"""What comes after training is planned by the rows and the speed of the moment."""

from __future__ import annotations

import pytest

from headrace.ml.applications.automl.closing import closing_seconds, evaluation_seconds


def test_more_rows_and_texts_take_longer() -> None:
    assert closing_seconds(5_000) < closing_seconds(5_000, 1) < closing_seconds(5_000, 2) < 5
    assert closing_seconds(10**6, 1) < closing_seconds(10**6) + 5
    assert evaluation_seconds(12.0, 6.0, 5_000, 1) < evaluation_seconds(12.0, 6.0, 5_000)
    assert 0 < closing_seconds(100) < closing_seconds(50_000) < closing_seconds(1_000_000) < 30


@pytest.mark.parametrize("rows", [100, 50_000, 200_000])
def test_the_evaluation_leaves_time_for_the_goals_and_the_report(rows: int) -> None:
    assert evaluation_seconds(600.0, 1.0, rows) == 20.0
    assert 0 < evaluation_seconds(12.0, 6.0, rows) < evaluation_seconds(12.0, 1.0, rows) < 12.0
    assert evaluation_seconds(-3.0, 6.0, rows) == 0.0
