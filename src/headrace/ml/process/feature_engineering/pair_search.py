"""The search for promising pairs of columns: those whose combination explains what a model of single columns leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, combinations_with_replacement

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.categories import Vocabulary
from headrace.ml.process.feature_engineering.fitting import Family
from headrace.ml.process.feature_engineering.interactions import OPERATIONS, Pair
from headrace.ml.process.feature_engineering.numbers import moments
from headrace.ml.process.feature_engineering.numpy_execution import level_matrix, number_matrix

Array = npt.NDArray[np.float64]

BINS = 20
MOST_COLUMNS = 8
"""Pairs are formed of so many columns, the ones most related to the target."""
MOST_PAIRS = 6
LEAST_SHARE = 0.1
"""A pair that explains less, relative to the best one, is left out."""
LARGEST_TABLE = 2500
"""Combinations that a pair of category columns may have."""


def propose_pairs(
    name: str, view: View, frame: pl.DataFrame, columns: Sequence[str], outcomes: Array, residuals: Array
) -> Family | None:
    """Return the best pairs of `columns` for a family of that name, or None where no pair explains any residual.

    `residuals` [rows, outcomes] are what held-out predictions leave of the `outcomes`.
    """
    if name == "category pairs":
        scored = _category_pairs(frame, columns, outcomes, residuals)
    else:
        values = number_matrix(frame, columns)
        values[~np.isfinite(values)] = np.nan
        relevance = [explained(bins(v), outcomes) for v in values.T]
        best = sorted(np.argsort([-r for r in relevance], kind="stable")[:MOST_COLUMNS].tolist())
        number_scores = _raw_pairs if name == "number pairs" else _products
        scored = number_scores(values, best, columns, residuals)
    ranked = sorted((s for s in scored if s[0] > 0), key=lambda s: (-s[0], s[1]))
    pairs: list[Pair] = []
    for score, pair in ranked:
        if score < LEAST_SHARE * ranked[0][0]:
            break
        if sum({pair[1], pair[2]} == {p[1], p[2]} for p in pairs) < 2 and len(pairs) < MOST_PAIRS:
            pairs.append(pair)
    return Family(name, view, tuple(pairs)) if pairs else None


def _raw_pairs(
    values: Array, best: Sequence[int], columns: Sequence[str], residuals: Array
) -> Iterable[tuple[float, Pair]]:
    with np.errstate(all="ignore"):
        for i, j in combinations(best, 2):
            for operation, a, b in [*((operation, i, j) for operation in OPERATIONS), ("ratio", j, i)]:
                match operation:
                    case "ratio":
                        derived = values[:, a] / values[:, b]
                    case "product":
                        derived = values[:, a] * values[:, b]
                    case "difference":
                        derived = values[:, a] - values[:, b]
                    case _:
                        derived = values[:, a] + values[:, b]
                yield explained(bins(derived), residuals), (operation, columns[a], columns[b])


def _products(
    values: Array, best: Sequence[int], columns: Sequence[str], residuals: Array
) -> Iterable[tuple[float, Pair]]:
    mean, deviation = moments(values)
    scaled = np.nan_to_num((values - mean) / deviation).clip(-5, 5)
    left = residuals - residuals.mean(axis=0)
    total = float((left**2).sum()) + 1e-12
    for i, j in combinations_with_replacement(best, 2):
        product = scaled[:, i] * scaled[:, j]
        product = (product - product.mean()) / (product.std() + 1e-12)
        share = float(((product @ left) ** 2).sum()) / len(product) / total
        yield share - 2 / len(product), ("product", columns[i], columns[j])


def _category_pairs(
    frame: pl.DataFrame, columns: Sequence[str], outcomes: Array, residuals: Array
) -> Iterable[tuple[float, Pair]]:
    vocabulary = Vocabulary.fit(frame, columns)
    codes = level_matrix(frame, vocabulary) - vocabulary.starts
    relevance = [explained(codes[:, i], outcomes) for i in range(codes.shape[1])]
    small = [i for i in np.argsort([-r for r in relevance], kind="stable").tolist() if vocabulary.sizes[i] <= 200]
    for i, j in combinations(sorted(small[: 2 * MOST_COLUMNS]), 2):
        if vocabulary.sizes[i] * vocabulary.sizes[j] <= LARGEST_TABLE:
            joint = codes[:, i] * vocabulary.sizes[j] + codes[:, j]
            yield explained(joint, residuals), ("pair", vocabulary.columns[i], vocabulary.columns[j])


def explained(codes: npt.NDArray[np.int64], outcomes: Array) -> float:
    """Return the share of the outcomes' variance between the groups of `codes`, less what chance explains."""
    _, codes = np.unique(codes, return_inverse=True)
    counts = np.bincount(codes)
    total = float(((outcomes - outcomes.mean(axis=0)) ** 2).sum())
    between = sum(
        float((np.bincount(codes, weights=y - y.mean(), minlength=len(counts)) ** 2 / counts).sum()) for y in outcomes.T
    )
    return between / (total + 1e-12) - (len(counts) - 1) / max(1, len(codes) - 1)


def bins(values: Array) -> npt.NDArray[np.int64]:
    """Return the bin of each value, of about equally many rows each; missing values have their own."""
    present = np.sort(values[~np.isnan(values)])
    if not len(present):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(present[np.arange(1, BINS) * len(present) // BINS])
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values)).astype(np.int64)
