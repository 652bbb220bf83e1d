"""How strongly each column is associated with the target, on a scale from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Task

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BINS = 16
LARGEST_SAMPLE = 20_000
MOST_CELLS = 10_000_000
_BLOCK = 256
_MOST_CATEGORIES = 500
_FEW_CATEGORIES = 32


@dataclass(frozen=True)
class Relevance:
    """A column's association with the target, 0 (none) to 1 (determines it), how it was measured, on how many rows."""

    value: float
    measure: str
    rows: int = 0


def sample_rows(rows: int, columns: int, seed: int, *, largest: int = LARGEST_SAMPLE) -> Codes | None:
    """Return sorted positions of a random sample that keeps rows × columns affordable, or None where all rows are."""
    size = min(largest, max(500, MOST_CELLS // max(columns, 1)))
    if rows <= size:
        return None
    return np.sort(np.random.default_rng(seed).choice(rows, size=size, replace=False)).astype(np.int64)


def category_codes(values: pl.Series) -> Codes:
    """Number the distinct values 0, 1, … in sorted order; null and "" count as a value."""
    filled = values.fill_null("") if values.dtype == pl.String else values
    return filled.rank("dense").fill_null(0).to_numpy().astype(np.int64) - int(filled.null_count() == 0)


def quantile_bins(frame: pl.DataFrame) -> tuple[Codes, Numbers]:
    """Cut numbers into quantile bins: codes [rows, columns], `BINS` for missing, and average ranks, NaN for missing."""
    ranks = frame.select(pl.all().rank("average").cast(pl.Float64)).to_numpy()
    given = np.maximum((~np.isnan(ranks)).sum(axis=0), 1)
    codes = np.floor((ranks - 0.5) / given * BINS)
    return np.nan_to_num(codes, nan=BINS).astype(np.int64), ranks


def cramers_v(tables: Numbers) -> Numbers:
    """Bias-corrected Cramér's V of contingency tables [tables, rows, columns].

    Bergsma 2013, "A bias-correction for Cramér's V and Tschuprow's T".
    """
    total = np.maximum(tables.sum(axis=(1, 2)), 2)
    row, column = tables.sum(axis=2), tables.sum(axis=1)
    expected = row[:, :, None] * column[:, None, :] / total[:, None, None]
    squares = np.divide((tables - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    r, k = (row > 0).sum(axis=1), (column > 0).sum(axis=1)
    phi = np.maximum(0.0, squares.sum(axis=(1, 2)) / total - (r - 1) * (k - 1) / (total - 1))
    smaller = np.minimum(r - (r - 1) ** 2 / (total - 1), k - (k - 1) ** 2 / (total - 1)) - 1
    ratio = np.divide(phi, smaller, out=np.zeros_like(phi), where=smaller > 1e-12)
    return np.asarray(np.sqrt(np.clip(ratio, 0.0, 1.0)), dtype=np.float64)


def correlation_ratio(groups: Codes, values: Numbers) -> Numbers:
    """Bias-corrected correlation ratio of values [rows] given groups [rows, columns].

    The root of epsilon squared: Kelley 1935, "An unbiased correlation ratio measure". It is 0 where nearly every
    row is a group of its own, which would explain any values.
    """
    columns, size = groups.shape[1], int(groups.max(initial=0)) + 1
    flat = (groups + np.arange(columns) * size).ravel()
    count = np.bincount(flat, minlength=columns * size).reshape(columns, size)
    centred = values - values.mean()
    if (largest := float(np.abs(centred).max(initial=0.0))) > 1e150:
        centred = centred / largest  # so that squares stay finite
    sums = np.bincount(flat, weights=np.repeat(centred, columns), minlength=columns * size).reshape(columns, size)
    between = np.divide(sums**2, count, out=np.zeros_like(sums), where=count > 0).sum(axis=1)
    total, filled = float((centred**2).sum()), (count > 0).sum(axis=1)
    if total <= 0:
        return np.zeros(columns)
    spare = len(values) - filled
    explained = 1 - (1 - between / total) * (len(values) - 1) / np.maximum(spare, 1)
    explained[spare < len(values) / 4] = 0.0
    return np.asarray(np.sqrt(np.clip(explained, 0.0, 1.0)), dtype=np.float64)


def correlations(left: Numbers, right: Numbers) -> Numbers:
    """Pearson correlations of the columns of two matrices over the rows where both are given; 0 where undefined."""
    a, b = np.isfinite(left), np.isfinite(right)
    x, y = np.where(a, left, 0.0), np.where(b, right, 0.0)
    x = np.where(a, x - x.sum(axis=0) / np.maximum(a.sum(axis=0), 1), 0.0)
    y = np.where(b, y - y.sum(axis=0) / np.maximum(b.sum(axis=0), 1), 0.0)
    x, y = (
        x / np.maximum(np.abs(x).max(axis=0, initial=0), 1e-300),
        y / np.maximum(np.abs(y).max(axis=0, initial=0), 1e-300),
    )
    m, w = a.astype(np.float64), b.astype(np.float64)
    n = np.maximum(m.T @ w, 1)
    sx, sy = x.T @ w, m.T @ y
    covariance = x.T @ y - sx * sy / n
    variance = np.maximum((x**2).T @ w - sx**2 / n, 0) * np.maximum(m.T @ (y**2) - sy**2 / n, 0)
    defined = variance > 1e-24
    return np.where(defined, np.clip(covariance / np.sqrt(np.where(defined, variance, 1.0)), -1, 1), 0.0)


def measure_relevance(frame: pl.DataFrame, target: npt.NDArray[Any], task: Task) -> dict[str, Relevance]:
    """Measure every column of `frame` (typed, as in `Dataset.frame`) against the target of the same rows.

    Numbers and dates: the larger of Cramér's V over quantile bins and |2 AUC - 1| (classes), or of the correlation
    ratio over quantile bins and |Spearman| (values). Text: Cramér's V, or the correlation ratio.
    """
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    found: dict[str, Relevance] = {}
    if frame.height < 2:
        return {name: Relevance(0.0, "too few rows") for name in frame.columns}
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        found.update(zip(block, _relevance_of_numbers(frame.select(block), target, task), strict=True))
    texts = [name for name, kind in frame.schema.items() if kind != pl.Float64]
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        found.update(zip(block, _relevance_of_categories(frame.select(block), target, task), strict=True))
    return {name: replace(found[name], rows=frame.height) for name in frame.columns}


def relevance_of_sample(frame: pl.DataFrame, target: npt.NDArray[Any], task: Task) -> dict[str, Relevance]:
    """Measure the relevance on a fixed random sample of the rows, small enough for wide and long tables."""
    rows = sample_rows(frame.height, frame.width, seed=0)
    return (
        measure_relevance(frame, target, task) if rows is None else measure_relevance(frame[rows], target[rows], task)
    )


def _relevance_of_numbers(block: pl.DataFrame, target: npt.NDArray[Any], task: Task) -> list[Relevance]:
    codes, ranks = quantile_bins(block)
    binned, name = _grouped(codes, target, task)
    ordered, other = binned, name
    if task not in CLASSIFICATION:
        target_ranks = pl.Series(target).rank("average").to_numpy()
        ordered, other = np.abs(correlations(ranks, target_ranks[:, None]))[:, 0], "|Spearman|"
    elif int(target.max()) == 1:
        ordered, other = np.abs(2 * _auc(ranks, target == 1) - 1), "|2 AUC - 1|"
    return [Relevance(float(max(b, o)), name if b >= o else other) for b, o in zip(binned, ordered, strict=True)]


def _grouped(codes: Codes, target: npt.NDArray[Any], task: Task) -> tuple[Numbers, str]:
    """Associate groups [rows, columns] with the target: Cramér's V or the correlation ratio of every column."""
    if task not in CLASSIFICATION:
        return correlation_ratio(codes, target), "correlation ratio"
    columns, size, classes = codes.shape[1], int(codes.max(initial=0)) + 1, int(target.max()) + 1
    cells = (np.arange(columns) * size + codes) * classes + target[:, None]
    tables = np.bincount(cells.ravel(), minlength=columns * size * classes).reshape(columns, size, classes)
    return cramers_v(tables.astype(np.float64)), "Cramér's V"


def _auc(ranks: Numbers, positive: npt.NDArray[np.bool_]) -> Numbers:
    """Area under the ROC curve of each column by the Mann-Whitney U statistic; 0.5 where undefined."""
    given = ~np.isnan(ranks)
    hits = (given & positive[:, None]).sum(axis=0)
    misses = given.sum(axis=0) - hits
    above = np.where(given & positive[:, None], ranks, 0.0).sum(axis=0) - hits * (hits + 1) / 2
    pairs = hits * misses
    area = np.full(ranks.shape[1], 0.5)
    np.divide(above, pairs, out=area, where=pairs > 0)
    return area


def _relevance_of_categories(block: pl.DataFrame, target: npt.NDArray[Any], task: Task) -> list[Relevance]:
    codes = block.select(pl.all().fill_null("").rank("dense").cast(pl.Int64) - 1).to_numpy()
    many = codes.max(axis=0, initial=0) >= _FEW_CATEGORIES
    result = np.zeros(block.width)
    name = "correlation ratio"
    if not many.all():
        result[~many], name = _grouped(codes[:, ~many], target, task)
    for position in np.flatnonzero(many):
        one, name = _grouped(lump_rare(codes[:, position])[:, None], target, task)
        result[position] = one[0]
    return [Relevance(float(value), name) for value in result]


def contingency(left: Codes, right: Codes) -> Numbers:
    """Count the pairs of two code columns: [left codes, right codes]."""
    rows, columns = int(left.max(initial=0)) + 1, int(right.max(initial=0)) + 1
    return np.bincount(left * columns + right, minlength=rows * columns).reshape(rows, columns).astype(np.float64)


def lump_rare(codes: Codes, most: int = _MOST_CATEGORIES) -> Codes:
    """Number the `most` most frequent codes 0, 1, … and put all others together under the last number."""
    counts = np.bincount(codes)
    if len(counts) <= most:
        return codes
    place = np.full(len(counts), most, dtype=np.int64)
    place[np.argsort(-counts, kind="stable")[:most]] = np.arange(most)
    return place[codes]
