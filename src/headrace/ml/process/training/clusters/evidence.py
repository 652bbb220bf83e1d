"""Evidence for clusters: silhouettes, agreement of halves, and the same data without clusters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.threads import import_library

Points = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MOST_DIRECTIONS = 15
_KEPT_VARIANCE = 0.95
_DISCRETE = 10
"""A column with at most so many different values is taken for categories by the reference."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the libraries' warnings, and keep them to one thread: small fits gain nothing from more."""
    limits = import_library("threadpoolctl").threadpool_limits(1)
    with limits, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def principal_directions(matrix: Points) -> Points:
    """Return the directions [columns, fewer] that hold 95 % of the variance, at most 15."""
    centred = matrix - matrix.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    shares = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
    count = min(MOST_DIRECTIONS, int(np.searchsorted(shares, _KEPT_VARIANCE)) + 1, len(sizes))
    kept = directions[:count]
    signs = np.sign(kept[np.arange(count), np.abs(kept).argmax(axis=1)])
    return np.ascontiguousarray((kept * signs[:, None]).T)


def groups_of(names: Sequence[str], matrix: Points) -> list[list[int]]:
    """Return the positions of features that are categories, those of one column together; the others are numbers."""
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if len(np.unique(matrix[:, position])) <= _DISCRETE:
            groups.setdefault(name.rpartition(" = ")[0] or name, []).append(position)
    return list(groups.values())


def without_clusters(matrix: Points, groups: Sequence[Sequence[int]], kind: str, random: np.random.Generator) -> Points:
    """Return rows of the same spread as `matrix` [rows, columns] that hold no clusters.

    Numbers are drawn along their principal components: from a normal distribution of the same covariance, or
    uniformly over the same range (the reference of Tibshirani, Walther and Hastie's gap statistic, 2001). Categories
    are shuffled, each column by itself.
    """
    result = matrix.copy()
    discrete = {position for group in groups for position in group}
    numbers = [position for position in range(matrix.shape[1]) if position not in discrete]
    if numbers:
        block = matrix[:, numbers]
        mean = block.mean(axis=0)
        _, _, directions = np.linalg.svd(block - mean, full_matrices=False)
        scores = (block - mean) @ directions.T
        if kind == "normal":
            drawn = random.normal(size=scores.shape) * scores.std(axis=0)
        else:
            drawn = random.uniform(scores.min(axis=0), scores.max(axis=0), scores.shape)
        result[:, numbers] = drawn @ directions + mean
    for group in groups:
        result[:, group] = matrix[random.permutation(len(matrix))][:, group]
    return result


def row_silhouettes(points: Points, codes: Codes, none: int | None = None) -> Points:
    """Return each row's silhouette (Rousseeuw 1987) [rows]; 0 for rows in no cluster, and where there is only one."""
    metrics = import_library("sklearn.metrics")
    values = np.zeros(len(points))
    inside = np.ones(len(points), bool) if none is None else codes != none
    found, counts = np.unique(codes[inside], return_counts=True)
    if len(found) > 1 and counts.sum() > len(found):
        values[inside] = metrics.silhouette_samples(points[inside], codes[inside])
    return values


def agreement(one: Codes, other: Codes) -> float:
    """Return the adjusted Rand index of two clusterings of the same rows (Hubert and Arabie 1985)."""
    return float(import_library("sklearn.metrics").adjusted_rand_score(one, other))


def halves_agree(
    points: Points, fit: Callable[[Points, int], Callable[[Points], Codes]], seed: int, times: int
) -> Points:
    """Return the agreement on all rows of clusterings learnt from two random halves, `times` over [times]."""
    values = []
    for turn in range(times):
        order = np.random.default_rng([seed, turn]).permutation(len(points))
        half = len(points) // 2
        try:
            one, other = fit(points[order[:half]], turn), fit(points[order[half:]], turn)
        except ValueError:
            values.append(0.0)
            continue
        values.append(agreement(one(points), other(points)))
    return np.array(values)


def scatter_within(points: Points, codes: Codes) -> float:
    """Return the sum of squared distances from the rows to their cluster's mean."""
    return float(sum(((points[codes == c] - points[codes == c].mean(axis=0)) ** 2).sum() for c in np.unique(codes)))
