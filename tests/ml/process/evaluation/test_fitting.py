"""Over- and underfitting, and what the curves of training say."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.fitting import judge_fitting, read_bias_variance


def rows(strength, seed, count=600):
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 2, count)
    scores = 1 / (1 + np.exp(-strength * (2 * target - 1) - generator.normal(size=count)))
    return target, np.column_stack([1 - scores, scores])


@pytest.mark.parametrize(
    ("seen", "unseen", "verdict"), [(1.0, 1.0, "good"), (3.0, 0.4, "overfitting"), (0.0, 0.0, "underfitting")]
)
def test_the_verdict_follows_the_gap_and_the_progress(seen, unseen, verdict):
    held_out = rows(unseen, 1)
    found = judge_fitting(METRICS["roc_auc"], rows(seen, 2), held_out, np.full((600, 2), 0.5), 0.5, seed=0)
    assert found["verdict"] == verdict
    assert "ROC AUC is" in found["evidence"]


def test_a_gap_within_the_noise_is_good():
    found = judge_fitting(METRICS["roc_auc"], rows(1.0, 0), rows(0.7, 1, 12), np.full((12, 2), 0.5), 0.5, seed=0)
    assert found["verdict"] == "good"


def test_errors_are_judged_in_their_own_direction():
    target = np.random.default_rng(0).normal(size=400)
    noise = np.random.default_rng(1).normal(size=400)
    found = judge_fitting(METRICS["rmse"], (target, target), (target, target + 0.9 * noise), np.zeros(400), 0.5, seed=0)
    assert found["verdict"] == "overfitting"


def test_one_class_cannot_be_judged_and_is_said():
    one = np.zeros(20, dtype=np.int64), np.full((20, 2), 0.5)
    assert "cannot be computed" in judge_fitting(METRICS["roc_auc"], one, one, one[1], 0.5, seed=0)["evidence"]


def test_bias_and_variance_are_read_in_plain_words():
    assert "more rows" in read_bias_variance({"bias": 0.1, "variance": 0.3})
    assert "better features" in read_bias_variance({"bias": 0.3, "variance": 0.1})
    assert read_bias_variance({}) == read_bias_variance({"bias": None, "variance": 1.0}) == ""
