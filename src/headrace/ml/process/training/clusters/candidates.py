"""The candidates of a clustering: each algorithm with each number of clusters, and the evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headrace.ml.adapters.threads import import_library
from headrace.ml.algorithms.gaussian_mixture import GaussianMixture
from headrace.ml.algorithms.hdbscan import Hdbscan
from headrace.ml.algorithms.k_means import KMeans
from headrace.ml.contract import Algorithm, Features, Fitted, Task
from headrace.ml.errors import DataError
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.clusters import ClusterCandidate
from headrace.ml.process.training.clusters.evidence import (
    Codes,
    Points,
    halves_agree,
    row_silhouettes,
    scatter_within,
    without_clusters,
)
from headrace.ml.process.training.turns import Turns

ALGORITHMS: dict[str, type[Algorithm]] = {"k_means": KMeans, "gaussian_mixture": GaussianMixture, "hdbscan": Hdbscan}
_REFERENCES = ("normal", "uniform") * 3
_HALVES = 5
_SHARE = 0.6
"""Of the time left, for all candidates; the rest is for the final clusters, their evaluation and the report."""
_CROWDS = (0.02, 0.05, 0.1)
"""Shares of the rows that HDBSCAN is asked to find together."""


@dataclass(frozen=True)
class References:
    """Silhouettes and scatter of k-means on data without clusters, by the number of clusters [references]."""

    silhouettes: dict[int, Points]
    scatters: dict[int, Points]


def fit_clusters(algorithm: str, points: Features, seed: int, values: dict[str, Any]) -> Fitted:
    """Fit one algorithm on float32 points [rows, columns]."""
    return ALGORITHMS[algorithm](Task.CLUSTERING, seed=seed, **values).fit(points, np.zeros(len(points)))


def try_candidates(
    matrix: Points, directions: Points, groups: Sequence[Sequence[int]], most: int, *, seed: int, progress: Progress
) -> tuple[list[ClusterCandidate], str]:
    """Try 2 to `most` clusters on the rows of `matrix` [rows, features], projected on `directions`.

    Returns what was found, and a sentence about what there was no time for: k-means comes first, with few clusters
    before many, then HDBSCAN, then the Gaussian mixture, which takes longest.
    """
    points = matrix @ directions
    distinct = len(np.unique(points.round(9), axis=0))
    counts = range(2, min(most, distinct - 1, len(points) // 4) + 1)
    random = np.random.default_rng(seed)
    drawn = [without_clusters(matrix, groups, kind, random) @ directions for kind in _REFERENCES]
    references = References({}, {})
    plan = _in_order_of_worth(counts, points)
    for library in ("sklearn.cluster", "sklearn.metrics", "sklearn.mixture"):  # or the first turn would seem long
        import_library(library)
    turns, found = Turns(progress, _SHARE), []
    while turns.taken < len(plan) and turns.another():
        algorithm, values = plan[turns.taken - 1]
        progress.tell(f"trying {_named(algorithm, values)}", fraction=(turns.taken - 1) / len(plan))
        if algorithm == "k_means":
            _measure_references(references, drawn, values["clusters"], seed)
        if (candidate := _try(points, algorithm, values, references, seed)) is not None:
            found.append(candidate)
    found.sort(key=lambda c: (c.algorithm == "hdbscan", c.hyperparameters.get("clusters", 0)))
    left = plan[turns.taken :]
    untried = f"The time was up before these were tried: {', '.join(_named(*each) for each in left)}." if left else ""
    return found, untried


def _in_order_of_worth(counts: Sequence[int], points: Points) -> list[tuple[str, dict[str, Any]]]:
    rows, columns = points.shape
    crowds = dict.fromkeys(max(5, round(share * rows)) for share in _CROWDS if counts)
    shapes = {count: "full" if rows > 10 * count * columns else "diag" for count in counts}
    return [
        *(("k_means", {"clusters": count}) for count in counts),
        *(("hdbscan", {"smallest": crowd}) for crowd in crowds),
        *(("gaussian_mixture", {"clusters": count, "shape": shape}) for count, shape in shapes.items()),
    ]


def _named(algorithm: str, values: dict[str, Any]) -> str:
    words = algorithm.replace("_", " ")
    return f"{words} with {values['clusters']}" if "clusters" in values else f"{words} from {values['smallest']} rows"


def _measure_references(references: References, drawn: Sequence[Points], count: int, seed: int) -> None:
    silhouettes, scatters = [], []
    for points in drawn:
        codes = _codes(fit_clusters("k_means", points.astype(np.float32), seed, {"clusters": count}), points)
        silhouettes.append(row_silhouettes(points, codes).mean())
        scatters.append(scatter_within(points, codes))
    references.silhouettes[count], references.scatters[count] = np.array(silhouettes), np.array(scatters)


def _codes(fitted: Fitted, points: Points) -> Codes:
    return np.asarray(fitted.predict(points.astype(np.float32)).argmax(axis=1), np.int64)


def _try(
    points: Points, algorithm: str, values: dict[str, Any], references: References, seed: int
) -> ClusterCandidate | None:
    """Fit on all rows and on halves; None where it finds one cluster, or more than were compared."""
    try:
        fitted = fit_clusters(algorithm, points.astype(np.float32), seed, values)
    except (DataError, ValueError):
        return None
    memberships = fitted.predict(points.astype(np.float32))
    codes = np.asarray(memberships.argmax(axis=1), np.int64)
    none = memberships.shape[1] - 1 if algorithm == "hdbscan" else None
    inside = codes if none is None else codes[codes != none]
    clusters = len(np.unique(inside))
    if not 2 <= clusters <= max(references.silhouettes):
        return None
    nearest = min(references.silhouettes, key=lambda count: abs(count - clusters))
    reference, scatters = references.silhouettes[nearest], references.scatters[nearest][1::2]
    stability = halves_agree(points, _fit_half(algorithm, values), seed, _HALVES)
    gap = None
    if algorithm == "k_means":
        gap = float(np.log(np.maximum(scatters, 1e-300)).mean() - np.log(max(scatter_within(points, codes), 1e-300)))
    return ClusterCandidate(
        algorithm=algorithm,
        clusters=clusters,
        hyperparameters=values,
        silhouette=float(row_silhouettes(points, codes, none).mean()),
        reference=float(max(reference[::2].mean(), reference[1::2].mean())),
        reference_high=float(reference.max()),
        stability=float(stability.mean()),
        stability_low=float(stability.min()),
        noise=0.0 if none is None else float((codes == none).mean()),
        gap=gap,
        bic=fitted.hyperparameters.get("bic"),
    )


def _fit_half(algorithm: str, values: dict[str, Any]) -> Callable[[Points, int], Callable[[Points], Codes]]:
    if algorithm == "hdbscan":
        values = {"smallest": max(3, values["smallest"] // 2)}

    def fit(rows: Points, turn: int) -> Callable[[Points], Codes]:
        try:
            fitted = fit_clusters(algorithm, rows.astype(np.float32), turn, values)
        except DataError as error:
            raise ValueError(str(error)) from error
        return lambda points: _codes(fitted, points)

    return fit
