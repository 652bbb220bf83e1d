"""Calibrators give the same in NumPy and in the graph, keep the order of rows, and are saved as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.ml.adapters.calibrators import (
    BetaCalibrator,
    Calibrator,
    IsotonicCalibrator,
    OneVersusRestCalibrator,
    TemperatureCalibrator,
)
from headrace.ml.adapters.forms import form_predict, load_form, save_form
from headrace.ml.adapters.piecewise import Piecewise, piecewise_values

BINARY = [
    BetaCalibrator(0.8, 1.3, -0.4),
    BetaCalibrator(0.001, 2.0, 0.1),
    IsotonicCalibrator(np.array([-4.0, -2.0, 0.5, 3.0]), np.array([-5.0, -1.0, 0.2, 2.0])),
    IsotonicCalibrator(np.array([0.3]), np.array([-1.0])),
]
SEVERAL = [
    TemperatureCalibrator(1.7),
    OneVersusRestCalibrator(np.array([0.9, 1.1, 1.4]), np.array([1.0, 0.7, 1.2]), np.array([0.0, 0.3, -0.2])),
]


def chances(classes: int) -> np.ndarray:
    """Return probabilities, the extremes among them."""
    random = np.random.default_rng(classes)
    rows = random.dirichlet(np.full(classes, 0.4), 400)
    rows[:classes] = np.eye(classes)
    return rows.astype(np.float32)


@pytest.mark.parametrize("calibrator", [*BINARY, *SEVERAL])
def test_the_graph_gives_what_training_gives(calibrator: Calibrator, tmp_path: Path) -> None:
    given = chances(3 if calibrator in SEVERAL else 2)
    native = calibrator.apply(given.astype(np.float64))
    save_form(calibrator, tmp_path / "form.npz")
    served = form_predict(load_form(tmp_path / "form.npz"), given, given.shape[1])
    assert np.abs(native - served).max() < 2e-6
    assert np.allclose(native.sum(axis=1), 1)
    assert ((native >= 0) & (native <= 1)).all()


@pytest.mark.parametrize("calibrator", BINARY)
def test_two_classes_keep_the_order_of_rows_without_ties(calibrator: Calibrator) -> None:
    scores = np.sort(np.random.default_rng(0).random(500))
    calibrated = calibrator.apply(np.column_stack([1 - scores, scores]))[:, 1]
    assert (np.diff(calibrated) > 0).all()


def test_temperature_one_changes_nothing() -> None:
    given = chances(3).astype(np.float64)
    assert np.allclose(TemperatureCalibrator(1.0).apply(given), given, atol=1e-6)


def test_lines_between_knots_and_level_ends() -> None:
    knots, values = np.array([1.0, 2.0, 4.0]), np.array([10.0, 30.0, 20.0])
    numbers = np.array([0.0, 1.0, 1.5, 3.0, 9.0])
    assert piecewise_values(numbers, knots, values, 0.0).tolist() == [10, 10, 20, 25, 20]
    assert piecewise_values(numbers, knots, values, 2.0).tolist() == [8, 10, 20, 25, 30]
    served = form_predict(Piecewise(knots, values), numbers[:, None].astype(np.float32))
    assert served.tolist() == [10, 10, 20, 25, 20]
