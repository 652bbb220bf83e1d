"""Performance estimated from predictions, and calibration of what is believed."""

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.monitoring.performance import (
    calibrated,
    drop_p_value,
    error_bins,
    expected_performance,
    fit_calibration,
    worse_by,
)


def overconfident(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Class codes, and probabilities that claim more than they know."""
    random = np.random.default_rng(seed)
    odds = random.normal(0, 1, (rows, classes))
    true = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    codes = (random.random((rows, 1)) > np.cumsum(true, axis=1)[:, :-1]).sum(axis=1)
    claimed = np.exp(2.5 * odds) / np.exp(2.5 * odds).sum(axis=1, keepdims=True)
    return codes, claimed


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_corrected_before_they_are_believed(classes: int) -> None:
    task = Task.BINARY if classes == 2 else Task.MULTICLASS
    codes, claimed = overconfident(4000, classes)
    lines = fit_calibration(codes, claimed)
    believed = calibrated(claimed, lines)
    assert believed.sum(axis=1) == pytest.approx(np.ones(4000))
    assert METRICS["log_loss"].score(codes, believed) < METRICS["log_loss"].score(codes, claimed) - 0.05
    later, again = overconfident(4000, classes, 1)
    expected = dict(expected_performance(task, again, 0.5, 0, calibration=lines))
    trusting = dict(expected_performance(task, again, 0.5, 0))
    real = METRICS["accuracy"].score(later, again)
    assert abs(expected["accuracy"].mean() - real) < 0.03
    assert abs(trusting["accuracy"].mean() - real) > 0.05


def test_few_rows_change_little() -> None:
    ((slope, intercept), *_) = fit_calibration(np.array([0, 1]), np.array([[0.2, 0.8], [0.9, 0.1]]))
    assert abs(slope - 1) < 0.2 and abs(intercept) < 0.1


def test_errors_are_expected_as_large_as_for_such_predictions() -> None:
    random = np.random.default_rng(0)
    predictions = random.uniform(1, 10, 5000)
    bins = error_bins(predictions + random.normal(0, predictions), predictions)
    high = random.uniform(8, 10, 1000)
    found = dict(expected_performance(Task.REGRESSION, high, 0.5, 0, errors=bins))
    assert found["rmse"].mean() == pytest.approx(9, rel=0.1)
    assert found["mae"].mean() == pytest.approx(9 * np.sqrt(2 / np.pi), rel=0.1)
    assert expected_performance(Task.REGRESSION, high, 0.5, 0) == []


def test_a_drop_has_a_direction_and_must_matter() -> None:
    assert worse_by("roc_auc", 0.85, 0.845) == (pytest.approx(0.005), False)
    assert worse_by("roc_auc", 0.85, 0.80)[1]
    assert not worse_by("roc_auc", 0.85, 0.90)[1]
    assert not worse_by("rmse", 100, 103)[1]
    assert worse_by("rmse", 100, 110)[1]
    assert drop_p_value(0.0, 0.1) == 0.5
    assert drop_p_value(1.0, 0.1) < 1e-6
    assert drop_p_value(0.1, 0.0) == 0


def test_lines_of_log_odds_are_the_best_ones() -> None:
    generator = np.random.default_rng(4)
    odds = generator.normal(size=400) * 3
    true = generator.random(400) < 1 / (1 + np.exp(-(0.5 * odds + 1)))
    both = 1 / (1 + np.exp(-odds))
    (_, (slope, intercept)) = fit_calibration(true.astype(np.int64), np.column_stack([1 - both, both]))

    def slope_of_loss(line: tuple[float, float]) -> np.ndarray:
        missing = 1 / (1 + np.exp(-(line[0] * odds + line[1]))) - true
        return np.array([missing @ odds, missing.sum()]) + 100 * (np.array(line) - [1, 0])

    assert slope_of_loss((slope, intercept)) == pytest.approx([0, 0], abs=1e-3)
    assert 0.4 < slope < 0.8
    assert 0.2 < intercept < 1.2
