"""Errors of a regression."""

from __future__ import annotations

import numpy as np

from headrace.ml.process.evaluation.residuals import MOST_POINTS, residual_curves


def test_points_are_true_minus_predicted_and_the_histogram_holds_every_row():
    target = np.random.default_rng(0).normal(size=3000)
    found = residual_curves(target, np.zeros(3000), seed=0)["residuals"]
    assert len(found["points"]) == found["sampled"] == MOST_POINTS
    assert all(p["residual"] == p["actual"] - p["predicted"] for p in found["points"])
    assert sum(b["count"] for b in found["histogram"]) == 3000


def test_a_perfect_model_and_a_single_row_have_a_histogram_too():
    for rows in (1, 5):
        found = residual_curves(np.ones(rows), np.ones(rows), seed=0)["residuals"]
        assert sum(b["count"] for b in found["histogram"]) == rows
