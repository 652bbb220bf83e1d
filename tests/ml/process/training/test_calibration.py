"""Calibration is chosen on rows that the curve did not see, and only where it helps beyond chance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from headrace.ml.adapters.links import sigmoid
from headrace.ml.contract import Task
from headrace.ml.metrics import find_metric
from headrace.ml.process.training import Training
from headrace.ml.process.training.calibration import NONE, calibrate, choose_calibration
from headrace.ml.process.training.calibration_curves import fit_beta, fit_isotonic, fit_temperature

AUC, LOSS = find_metric("roc_auc", Task.BINARY), find_metric("log_loss", Task.MULTICLASS)


def binary(rows: int, stretch: float, shift: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw targets of known log-odds, and probabilities whose log-odds are stretched and shifted."""
    random = np.random.default_rng(seed)
    odds = random.normal(-0.5, 1.5, rows)
    target = (random.random(rows) < sigmoid(odds)).astype(np.int64)
    told = sigmoid(stretch * odds + shift)
    return target, np.column_stack([1 - told, told])


def several(rows: int, stretch: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    scores = random.normal(0, 1.5, (rows, 3))
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    target = (random.random((rows, 1)) > true.cumsum(axis=1)).sum(axis=1)
    told = true**stretch
    return target, told / told.sum(axis=1, keepdims=True)


def test_true_probabilities_are_left_alone() -> None:
    for (target, given), metric, classes in ((binary(1500, 1.0), AUC, 2), (several(1500, 1.0), LOSS, 3)):
        found, answer = choose_calibration(tuple("abc"[:classes]), target, given, metric, seed=0)
        assert found.method == NONE
        assert found.calibrator is None
        assert answer is given
        assert "beyond chance" in found.reason


@pytest.mark.parametrize("classes", [2, 3])
def test_sure_probabilities_are_corrected(classes: int) -> None:
    (target, given), metric = (binary(1500, 2.0), AUC) if classes == 2 else (several(1500, 2.0), LOSS)
    found, answer = choose_calibration(tuple("abc"[:classes]), target, given, metric, seed=0)
    assert found.method != NONE
    assert found.calibrator is not None
    figures = {each["name"]: each for each in found.methods}
    assert figures[found.method]["log_loss"] < figures[NONE]["log_loss"]
    assert figures[found.method]["calibration_error"] < figures[NONE]["calibration_error"] / 2
    assert answer.sum(axis=1) == pytest.approx(np.ones(len(answer)))
    assert found.before
    assert found.after
    # A fresh draw is corrected as well: the choice is no luck of these rows.
    fresh, told = binary(4000, 2.0, seed=1) if classes == 2 else several(4000, 2.0)
    assert _loss(fresh, found.calibrator.apply(told)) < _loss(fresh, told)


def test_the_order_of_rows_is_kept() -> None:
    target, given = binary(1500, 2.0, 0.7)
    for fit in (fit_beta, fit_isotonic):
        calibrated = fit(target, given).apply(given)
        assert AUC.score(target, calibrated) == AUC.score(target, given)


def test_isotonic_follows_what_beta_cannot() -> None:
    random = np.random.default_rng(0)
    told = random.random(6000)
    target = (random.random(6000) < np.where(told < 0.5, 0.05, 0.6)).astype(np.int64)
    given = np.column_stack([1 - told, told])
    found, _ = choose_calibration(("no", "yes"), target, given, AUC, seed=0)
    assert found.method == "isotonic"


def test_the_temperature_is_found() -> None:
    target, given = several(4000, 2.0)
    assert fit_temperature(target, given).temperature == pytest.approx(2.0, abs=0.15)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "positives", "words"),
    [
        (150, 60, "150 held-out rows are too few"),
        (500, 12, "the rarer class has 12"),
        (500, 0, "the rarer class has 0"),
    ],
)
def test_few_rows_are_not_calibrated_and_it_is_said(rows: int, positives: int, words: str) -> None:
    target = np.zeros(rows, np.int64)
    target[:positives] = 1
    given = np.random.default_rng(0).dirichlet([1, 1], rows)
    found, answer = choose_calibration(("no", "yes"), target, given, AUC, seed=0)
    assert found.method == NONE
    assert words in found.reason
    assert answer is given


def test_one_answer_for_all_rows_is_left_alone() -> None:
    target = np.arange(400) % 2
    found, _ = choose_calibration(("no", "yes"), target, np.full((400, 2), 0.5), AUC, seed=0)
    assert "same probabilities" in found.reason


def test_a_class_without_rows_does_not_stop_it() -> None:
    target, given = several(900, 2.0)
    target = np.where(target == 2, 1, target)
    found, _ = choose_calibration(("a", "b", "c"), target, given, LOSS, seed=0)
    assert {each["name"] for each in found.methods} == {NONE, "temperature"}


def test_held_out_predictions_are_corrected_by_curves_of_other_rows() -> None:
    target, given = binary(1200, 2.0)
    preparation = SimpleNamespace(target=target)
    framing = SimpleNamespace(task=Task.BINARY, classes=("no", "yes"), metric="roc_auc")
    rows = np.arange(len(target))
    training = Training((), (), None, rows, given, given[:5], given, None, (), {}, True, ())  # type: ignore[arg-type]
    found = calibrate(training, preparation, framing, seed=0)  # type: ignore[arg-type]
    assert found.calibration is not None
    assert found.calibration.calibrator is not None
    everything = found.calibration.calibrator.apply(given)
    assert not np.allclose(found.held_out, everything)  # each row's curve lacks the row
    assert np.abs(found.held_out - everything).max() < 0.1
    assert np.array_equal(found.in_sample, everything[:5])
    again = calibrate(training, preparation, framing, seed=0)  # type: ignore[arg-type]
    assert np.array_equal(again.held_out, found.held_out)


def test_a_busy_machine_fits_its_curves_on_fewer_rows() -> None:
    target, given = binary(4000, 2.0)
    preparation, rows = SimpleNamespace(target=target), np.arange(4000)
    framing = SimpleNamespace(task=Task.BINARY, classes=("no", "yes"), metric="roc_auc")
    training = Training((), (), None, rows, given, given[:5], given, None, (), {}, True, ())  # type: ignore[arg-type]
    found = calibrate(training, preparation, framing, seed=0, spares=lambda _: False)  # type: ignore[arg-type]
    assert found.calibration is not None
    assert found.calibration.rows < 2000


def _loss(target: np.ndarray, answer: np.ndarray) -> float:
    return float(-np.log(answer[np.arange(len(target)), target]).mean())
