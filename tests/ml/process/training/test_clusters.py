"""Clusters are found where there are some, and none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.process.progress import Progress
from headrace.ml.process.training.clusters import choose_clusters
from headrace.ml.process.training.clusters.candidates import try_candidates
from headrace.ml.process.training.clusters.evidence import (
    groups_of,
    principal_directions,
    quiet,
    row_silhouettes,
    without_clusters,
)


def blobs(rows: int = 120, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.array([[0, 0, 0], [4, 4, 0], [0, 4, 4]])
    return centres[np.arange(rows) % 3] + random.normal(0, 0.5, (rows, 3))


def chosen(matrix: np.ndarray, most: int = 4):
    names = [str(i) for i in range(matrix.shape[1])]
    with quiet():
        candidates, untried = try_candidates(
            matrix, principal_directions(matrix), groups_of(names, matrix), most, seed=0, progress=Progress(budget=None)
        )
    assert not untried
    return choose_clusters(candidates)


def test_three_clusters_are_found():
    found, reason = chosen(blobs())
    assert found is not None
    assert found.clusters == 3
    assert found.stability > 0.9
    assert found.silhouette > found.reference_high
    assert "3 clusters" in reason


@pytest.mark.parametrize("kind", ["normal", "uniform", "flags"])
def test_noise_has_no_clusters(kind):
    random = np.random.default_rng(1)
    matrix = {
        "normal": random.normal(size=(120, 3)),
        "uniform": random.random((120, 2)),
        "flags": (random.random((120, 4)) < 0.4) * 1.0,
    }[kind]
    found, reason = chosen(matrix, most=3)
    assert found is None
    assert reason.startswith("There are no clusters here")


def test_the_reference_has_the_spread_and_keeps_the_categories():
    matrix = np.column_stack([blobs(), np.arange(120) % 2])
    groups = groups_of(["a", "b", "c", "d = x"], matrix)
    assert groups == [[3]]
    for kind in ("normal", "uniform"):
        drawn = without_clusters(matrix, groups, kind, np.random.default_rng(0))
        assert np.allclose(drawn.mean(axis=0), matrix.mean(axis=0), atol=1.5)
        assert sorted(drawn[:, 3]) == sorted(matrix[:, 3])


def test_rows_in_no_cluster_have_no_silhouette():
    points, codes = blobs(30), np.arange(30) % 3
    codes[0] = 3
    values = row_silhouettes(points, codes, none=3)
    assert values[0] == 0.0
    assert values[1:].min() > 0


def test_what_there_is_no_time_for_is_named_and_the_rest_is_as_ever():
    matrix, late = blobs(60), Progress(budget=1.0, started=-1e6)
    with quiet():
        found, untried = try_candidates(matrix, principal_directions(matrix), [], 3, seed=0, progress=late)
        free, _ = try_candidates(matrix, principal_directions(matrix), [], 3, seed=0, progress=Progress(budget=None))
    assert found == free[:1]
    assert [c.algorithm for c in free[:3]] == ["k_means", "gaussian_mixture", "k_means"]
    assert untried.startswith("The time was up before these were tried: k means with 3, hdbscan from 5 rows")
