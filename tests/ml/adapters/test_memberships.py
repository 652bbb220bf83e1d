"""Forms of clusterings give the memberships of the libraries."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.adapters.memberships import NearestMember, Projected
from headrace.ml.algorithms.gaussian_mixture import GaussianMixture
from headrace.ml.algorithms.hdbscan import Hdbscan
from headrace.ml.algorithms.k_means import KMeans
from headrace.ml.compiler.parity import run_form
from headrace.ml.contract import Task
from headrace.ml.errors import DataError

RANDOM = np.random.default_rng(0)
ROWS = np.concatenate([RANDOM.normal(0, 1, (60, 2)), RANDOM.normal(8, 1, (60, 2))]).astype(np.float32)


@pytest.mark.parametrize(
    ("algorithm", "values"),
    [(KMeans, {"clusters": 2}), (GaussianMixture, {"clusters": 2}), (GaussianMixture, {"clusters": 2, "shape": "diag"}),
     (Hdbscan, {"smallest": 10})],
)  # fmt: skip
def test_forms_agree_with_the_libraries(algorithm, values):
    fitted = algorithm(Task.CLUSTERING, seed=1, **values).fit(ROWS, None)
    new = np.concatenate([ROWS[::5], ROWS[::7] + 0.3, [[99, -99]]]).astype(np.float32)
    native = fitted.predict(new)
    assert np.allclose(native.sum(axis=1), 1)
    assert np.allclose(run_form(fitted.form, new), native, atol=1e-5)
    assert len(set(native[:24].argmax(axis=1))) == 2


def test_a_row_beyond_reach_belongs_to_none():
    form = NearestMember(np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([0, 1]), np.array([1.0, 1.0]), 2)
    assert run_form(form, np.array([[0, 0.5], [5, 5], [2, 2]], np.float32)).argmax(axis=1).tolist() == [0, 1, 2]


def test_a_projection_comes_first():
    form = NearestMember(np.array([[0.0], [5.0]]), np.array([0, 1]), np.array([1.0, 1.0]), 2)
    projected = Projected(np.array([[1.0], [0.0]]), form)
    assert run_form(projected, np.array([[5, 99]], np.float32)).argmax(axis=1).tolist() == [1]


def test_no_crowd_is_said():
    with pytest.raises(DataError, match="crowd together"):
        Hdbscan(Task.CLUSTERING, smallest=25).fit(RANDOM.random((30, 2)).astype(np.float32) * 1e3, None)
