"""Detectors score strange rows higher, and their forms say what the libraries say."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.compiler.parity import run_form
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.anomalies import ENSEMBLE, Detector, choose_detector
from headrace.ml.process.training.anomalies.detectors import fit_detector, names_of, robust_z
from headrace.ml.process.training.anomalies.planting import area, compare, plant


def usual(rows: int = 300, columns: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


@pytest.mark.parametrize("name", ["isolation_forest", "random_cut_forest", ENSEMBLE])
def test_strange_rows_score_higher_in_both_executions(name):
    features = usual()
    fitted = fit_detector(name, features, 0)
    rows = np.concatenate([usual(20, seed=1), np.full((5, 3), 9, np.float32)])
    scores = fitted.score(rows)
    assert scores[20:].min() > scores[:20].max()
    compiled = np.mean([run_form(form, rows)[:, 0] for form in fitted.forms], axis=0)
    assert np.allclose(scores, compiled, rtol=1e-3, atol=1e-3)


def test_planted_rows_are_strange_and_repeat():
    features = usual()
    strange = plant(features[:40], features, np.random.default_rng(0))
    assert (strange != features[:40]).any(axis=1).mean() > 0.9
    assert np.array_equal(strange, plant(features[:40], features, np.random.default_rng(0)))
    assert area(robust_z(features[:40]), robust_z(strange)) > 0.6


def test_of_detectors_within_an_error_the_faster_is_kept():
    near = [Detector("isolation_forest", 0.80, 0.01, 0.9), Detector("random_cut_forest", 0.805, 0.01, 0.9)]
    assert choose_detector(near)[0] == "isolation_forest"
    far = [Detector("isolation_forest", 0.70, 0.01, 0.9), Detector("random_cut_forest", 0.805, 0.01, 0.9)]
    assert choose_detector(far)[0] == "random_cut_forest"


def test_wide_tables_do_without_the_cut_forest():
    names, notes = names_of(500)
    assert names == ("isolation_forest",)
    assert "500 features" in notes[0]


def test_where_the_time_is_up_only_the_first_detector_is_tried():
    late = Progress(budget=1.0, started=-1e6)
    names = ("isolation_forest", "random_cut_forest", ENSEMBLE)
    found = compare(usual(60), usual(20, seed=1), names, seed=0, progress=late)
    assert [each.algorithm for each in found] == ["isolation_forest"]
    assert choose_detector(found)[0] == "isolation_forest"
