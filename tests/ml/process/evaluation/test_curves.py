"""Curves of classifiers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.metrics import METRICS
from headrace.ml.metrics.calibration import reliability as calibration
from headrace.ml.process.evaluation.curves import MOST_POINTS, classification_curves, thin


def two(scores):
    return np.column_stack([1 - scores, scores])


def test_curves_of_a_small_case_by_hand():
    target, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.9])
    curves = classification_curves(("no", "yes"), target, two(scores), 0.4)
    points = [(p["false_positive_rate"], p["true_positive_rate"]) for p in curves["roc"][0]["points"]]
    assert points == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]
    assert [p["precision"] for p in curves["precision_recall"][0]["points"]] == [1, 2 / 3, 0.5]
    assert curves["confusion_matrix"] == {"classes": ["no", "yes"], "counts": [[1, 1], [0, 2]], "threshold": 0.4}
    assert curves["gain"][0]["points"][0] == {"share": 0.25, "gain": 0.5, "lift": 2.0}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=4, max_size=60))
def test_the_area_under_the_drawn_curve_is_the_metric(rows):
    target = np.array([int(label) for label, _ in rows])
    scores = np.array([score / 20 for _, score in rows])
    curves = classification_curves(("no", "yes"), target, two(scores), 0.5)
    if 0 < target.sum() < len(target):
        points = curves["roc"][0]["points"]
        x = [p["false_positive_rate"] for p in points]
        area = np.trapezoid([p["true_positive_rate"] for p in points], x)
        assert np.isclose(area, METRICS["roc_auc"].score(target, two(scores)))
    else:
        assert curves["roc"] == []
    assert np.sum(curves["confusion_matrix"]["counts"]) == len(rows)


def test_long_curves_are_thinned_and_keep_their_ends():
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, 5000)
    points = classification_curves(("no", "yes"), target, two(generator.random(5000)), 0.5)["roc"][0]["points"]
    assert len(points) <= MOST_POINTS + 1
    assert points[-1]["true_positive_rate"] == points[-1]["false_positive_rate"] == 1.0
    assert thin(3).tolist() == [0, 1, 2]


def test_calibration_bins_hold_all_rows_and_true_probabilities_lie_on_the_diagonal():
    generator = np.random.default_rng(0)
    scores = generator.random(20_000)
    bins = calibration(generator.random(20_000) < scores, scores)
    assert sum(b["count"] for b in bins) == 20_000
    assert all(abs(b["predicted"] - b["observed"]) < 0.03 for b in bins)


def test_calibration_of_one_constant_score_is_one_bin():
    assert calibration(np.array([True, False]), np.array([0.3, 0.3])) == [
        {"predicted": 0.3, "observed": 0.5, "count": 2}
    ]


def test_several_classes_have_a_curve_each():
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, 300)
    curves = classification_curves(("a", "b", "c"), target, generator.dirichlet(np.ones(3), 300), 0.5)
    assert [curve["class"] for curve in curves["roc"]] == ["a", "b", "c"]
    assert np.shape(curves["confusion_matrix"]["counts"]) == (3, 3)
