from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.process.training.diagnosis import decompose_classes, decompose_values


def test_squared_error_is_bias_plus_variance() -> None:
    generator = np.random.default_rng(0)
    target = generator.normal(size=200)
    parts = decompose_values(target, target + generator.normal(0.3, 0.5, size=(6, 200)))
    assert parts["error"] == pytest.approx(parts["bias"] + parts["variance"])
    assert parts["variance"] == pytest.approx(0.25 * 5 / 6, rel=0.2)


def test_models_that_agree_have_no_variance() -> None:
    target = np.array([0, 1, 1, 0])
    same = np.tile(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]), (5, 1, 1))
    parts = decompose_classes(target, same)
    assert (parts["bias"], parts["variance"], parts["net_variance"], parts["error"]) == (0.25, 0.0, 0.0, 0.25)


def test_variance_of_votes_adds_to_the_error_where_the_majority_is_right() -> None:
    target = np.array([1])
    votes = np.array([[[0.1, 0.9]], [[0.2, 0.8]], [[0.9, 0.1]]])
    parts = decompose_classes(target, votes)
    assert parts["bias"] == 0.0
    assert parts["variance"] == parts["net_variance"] == parts["error"] == pytest.approx(1 / 3)
    assert parts["log_loss"] > parts["log_loss_of_mean"]


def test_variance_of_votes_lowers_the_error_where_the_majority_is_wrong() -> None:
    parts = decompose_classes(np.array([0]), np.array([[[0.1, 0.9]], [[0.2, 0.8]], [[0.9, 0.1]]]))
    assert parts["bias"] == 1.0
    assert parts["net_variance"] == pytest.approx(-1 / 3)
