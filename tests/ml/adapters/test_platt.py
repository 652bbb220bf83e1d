"""Platt scaling finds the log-odds of decision values."""

from __future__ import annotations

import numpy as np

from headrace.ml.adapters.links import sigmoid
from headrace.ml.adapters.platt import held_out_platt, platt_scaling


def test_finds_the_slope_and_offset_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    decisions = random.normal(size=20_000) * 2
    slope, offset = platt_scaling(decisions, random.random(20_000) < sigmoid(1.5 * decisions - 0.7))
    assert abs(slope - 1.5) < 0.1
    assert abs(offset + 0.7) < 0.1


def test_separable_and_constant_decisions_stay_finite() -> None:
    decisions = np.linspace(-1, 1, 20)
    assert np.isfinite(platt_scaling(decisions, decisions > 0)).all()
    slope, offset = platt_scaling(np.zeros(20), np.arange(20) < 5)
    assert slope == 0
    assert abs(sigmoid(np.array([offset]))[0] - 6 / 22) < 0.05


def test_calibrates_on_rows_that_the_fit_did_not_see() -> None:
    seen: list[tuple[set[float], set[float]]] = []

    def fit_decide(features: np.ndarray, target: np.ndarray, rows: np.ndarray) -> np.ndarray:
        assert set(target) == {0, 1, 2}
        seen.append((set(features[:, 0].tolist()), set(rows[:, 0].tolist())))
        return np.repeat(rows, 3, axis=1)

    features = np.arange(30, dtype=np.float32)[:, None]
    slopes, offsets = held_out_platt(fit_decide, features, np.arange(30) % 3, seed=1)
    assert slopes.shape == offsets.shape == (3,)
    assert all(not fitted & held_out for fitted, held_out in seen)
    assert set.union(*(held_out for _, held_out in seen)) == set(range(30))
