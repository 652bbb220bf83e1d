"""Bands and prediction sets hold as many new rows as meant, and adapt where that pays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.adapters.forms import form_predict
from headrace.ml.contract import Task, View
from headrace.ml.prediction.sets import CUMULATIVE, LEAST_AMBIGUOUS, REGULARISED, SetRule
from headrace.ml.process.training import Training
from headrace.ml.process.training.intervals import (
    BY_FEATURES,
    BY_PREDICTION,
    CONSTANT,
    NONE,
    Intervals,
    conformal_quantile,
    fit_intervals,
    too_few,
)
from headrace.ml.process.training.prediction_sets import choose_sets


class OneColumn:
    """A plan that passes the column x on, beside a target encoding."""

    def names(self, view: View) -> list[str]:
        return ["city: mean target less overall mean", "x"]

    def transform(self, frame: pl.DataFrame, view: View) -> np.ndarray:
        return np.column_stack([np.zeros(frame.height), frame["x"].to_numpy()]).astype(np.float32)


def bands(
    rows: int, noise: Any, coverage: float = 0.9, *, busy: bool = False
) -> tuple[Intervals, np.ndarray, np.ndarray, np.ndarray]:
    """Fit on `rows` rows whose errors have the scale noise(prediction, x); return also as many new rows."""
    random = np.random.default_rng(0)
    predictions, x = random.uniform(0, 10, 2 * rows), random.uniform(0, 1, 2 * rows)
    target = predictions + random.normal(size=2 * rows) * noise(predictions, x)
    preparation = SimpleNamespace(task=Task.REGRESSION, target=target[:rows], frame=pl.DataFrame({"x": x[:rows]}))
    members = (SimpleNamespace(view=View.TREES),)
    training = Training(
        (), members, OneColumn(), np.arange(rows), predictions[:rows], predictions[:0], predictions, None, (), {}, True,
        (),
    )  # type: ignore[arg-type] # fmt: skip
    spares = (lambda _: False) if busy else (lambda _: True)
    answer = fit_intervals(training, preparation, coverage=coverage, seed=0, spares=spares)  # type: ignore[arg-type]
    assert len(answer.notes) == busy
    found = answer.conformal
    assert isinstance(found, Intervals)
    return found, target[rows:], predictions[rows:], x[rows:]


def half_widths(found: Intervals, predictions: np.ndarray, x: np.ndarray) -> np.ndarray:
    assert found.band is not None
    if found.band.difficulty is None:
        return np.full(len(x), found.band.factor)
    features = predictions[:, None] if found.band.view is None else np.column_stack([np.zeros(len(x)), x])
    return found.band.factor * form_predict(found.band.difficulty, features.astype(np.float32))


@pytest.mark.parametrize(
    ("noise", "method"),
    [
        (lambda p, x: 1.0 + 0 * x, CONSTANT),
        (lambda p, x: 0.2 + p, BY_PREDICTION),
        (lambda p, x: 0.1 + 3 * x**2, BY_FEATURES),
    ],
)
def test_the_band_follows_what_the_errors_follow_and_holds_as_meant(noise: Any, method: str) -> None:
    found, target, predictions, x = bands(3000, noise)
    assert found.method == method
    half = half_widths(found, predictions, x)
    assert (np.abs(target - predictions) <= half).mean() == pytest.approx(0.9, abs=0.025)
    widths = {each["name"]: each["width"] for each in found.methods}
    if method != CONSTANT:
        assert widths[method] < 0.95 * widths[CONSTANT]
        assert 2 * half.mean() == pytest.approx(widths[method], rel=0.1)


def test_a_busy_machine_does_without_the_features_and_says_so() -> None:
    found, *_ = bands(1200, lambda p, x: 0.1 + 3 * x**2, busy=True)
    assert {each["name"] for each in found.methods} == {CONSTANT, BY_PREDICTION}


def test_target_encodings_are_not_read_by_the_model_of_the_errors() -> None:
    found, *_ = bands(1500, lambda p, x: 0.1 + 3 * x**2)
    assert found.band is not None
    assert set(found.band.difficulty.feature.tolist()) == {-1, 1}  # type: ignore[union-attr]


@pytest.mark.parametrize(("rows", "coverage"), [(10, 0.9), (50, 0.99)])
def test_too_few_rows_give_no_band_and_say_so(rows: int, coverage: float) -> None:
    found, *_ = bands(rows, lambda p, x: 1.0, coverage)
    assert found.method == NONE
    assert found.band is None
    assert f"{rows} held-out rows are too few to promise a coverage of {coverage:g}" in found.reason


def test_few_rows_have_one_width() -> None:
    found, *_ = bands(100, lambda p, x: 0.2 + p)
    assert found.method == CONSTANT
    assert "too few to learn where" in found.reason


def test_an_exact_model_has_no_band() -> None:
    found, *_ = bands(100, lambda p, x: 0.0)
    assert found.band is None
    assert "exact" in found.reason


def test_the_quantile_counts_the_new_row() -> None:
    scores = np.arange(1.0, 10.0)
    assert conformal_quantile(scores, 0.8) == 8.0
    assert conformal_quantile(scores, 0.9) == 9.0
    assert too_few(9, 0.9, 1) == ""
    assert too_few(8, 0.9, 1)


def chances(rows: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    given = random.dirichlet(np.full(classes, 0.5), rows)
    return (random.random((rows, 1)) > given.cumsum(axis=1)).sum(axis=1), given


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_sets_hold_the_true_class_as_often_as_meant(classes: int, coverage: float) -> None:
    found = choose_sets(*chances(3000, classes, 0), coverage)
    assert found.rule is not None
    target, given = chances(6000, classes, 1)
    inside = found.rule.members(given)
    assert inside[np.arange(len(target)), target].mean() >= coverage - 0.015
    assert (inside.sum(axis=1) >= 1).all()
    sizes = {each["name"]: each["size"] for each in found.methods}
    assert sizes[found.method] == min(sizes.values())
    assert inside.sum(axis=1).mean() == pytest.approx(sizes[found.method], abs=0.05)


def test_rules_by_hand() -> None:
    given = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert SetRule(LEAST_AMBIGUOUS, 0.7).scores(given) == pytest.approx(1 - given)
    assert SetRule(LEAST_AMBIGUOUS, 0.1).members(given).tolist() == [[True, False, False], [False, True, False]]
    assert SetRule(CUMULATIVE, 0.8).scores(given) == pytest.approx(np.array([[0.5, 0.8, 1.0], [0.9, 0.8, 1.0]]))
    assert SetRule(REGULARISED, 1, 0.1, 1).scores(given)[0] == pytest.approx([0.5, 0.9, 1.2])


def test_too_few_rows_give_no_sets() -> None:
    found = choose_sets(*chances(40, 3, 0), 0.9)
    assert found.rule is None
    assert "40 held-out rows are too few" in found.reason
