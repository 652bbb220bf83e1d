"""What twice the rows would bring, by a power law with an interval."""

import numpy as np
import pytest

from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.learning_curve import read_learning_curve

ROWS = np.array([125, 250, 500, 1000])


def curve(scores, noise=None, seed=0):
    points = [{"rows": int(r), "validation_score": float(s)} for r, s in zip(ROWS, scores, strict=True)]
    if noise is not None:
        drawn = np.asarray(scores)[:, None] + np.random.default_rng(seed).normal(0, noise, (len(scores), 100))
        points = [point | {"replicates": each.tolist()} for point, each in zip(points, drawn, strict=True)]
    return points


@pytest.mark.parametrize(("metric", "sign"), [("roc_auc", 1), ("rmse", -1)])
def test_a_power_law_is_carried_on(metric, sign):
    scores = 0.9 - 0.5 * ROWS**-0.4
    found = read_learning_curve(curve(sign * scores), METRICS[metric])
    expected = 0.5 * (1000**-0.4 - 2000**-0.4)
    assert found["slope"] == pytest.approx(expected, rel=0.1)
    assert ("+" if sign > 0 else "-") in found["reading"]


def test_the_interval_holds_the_truth_and_shrinks_with_the_noise():
    scores = 0.9 - 0.5 * ROWS**-0.4
    expected = 0.5 * (1000**-0.4 - 2000**-0.4)
    wide, narrow = (read_learning_curve(curve(scores, noise), METRICS["roc_auc"]) for noise in (0.005, 0.0005))
    assert wide["low"] < expected < wide["high"]
    assert narrow["high"] - narrow["low"] < (wide["high"] - wide["low"]) / 3
    assert narrow["low"] > 0


def test_a_flat_curve_may_bring_nothing():
    found = read_learning_curve(curve([0.8, 0.801, 0.799, 0.8], 0.004), METRICS["roc_auc"])
    assert found["low"] < 0 < found["high"]
    assert "may as well be nothing" in found["reading"]


@pytest.mark.parametrize(
    "points", [[], [{"rows": 10, "validation_score": 1.0}], [{"rows": 10, "validation_score": None}] * 3]
)
def test_too_few_points_say_nothing(points):
    assert read_learning_curve(points, METRICS["roc_auc"]) == {}


def test_two_points_suffice_for_a_guess_without_interval():
    points = [{"rows": 100, "validation_score": 0.7}, {"rows": 200, "validation_score": 0.72}]
    found = read_learning_curve(points, METRICS["roc_auc"])
    assert 0 < found["slope"] < 0.02
    assert found["low"] is None
