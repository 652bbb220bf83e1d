"""Filling in missing numbers, for models that need complete rows: every strategy works on scaled numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.process.feature_engineering.execution import Block, Execution
from headrace.ml.process.feature_engineering.numbers import ScaledNumbers

Array = npt.NDArray[np.float64]

WIDEST = 200
"""With more columns, relations between them are not learnt, and the median is used."""
NEIGHBOURS = 5
REFERENCE_ROWS = 200
ROUNDS = 3
RIDGE = 1.0
LARGEST = 10.0
"""Scaled values, and what is filled in, stay within so many standard deviations."""


@dataclass(frozen=True, eq=False)
class ImputedNumbers:
    """Scaled numbers without gaps: `fill` is each column's own value, where no strategy says better."""

    scaled: ScaledNumbers
    fill: Array

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns."""
        return self.scaled.sources

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self.scaled.names

    def apply(self, run: Execution) -> Block:
        """Fill the gaps."""
        values = run.clip(run.of(self.scaled), -LARGEST, LARGEST)
        gaps = run.call("isnan", values)
        return self.complete(run, gaps, run.where(gaps, self.fill, values))

    def complete(self, run: Execution, gaps: Block, filled: Block) -> Block:
        """Improve on what `fill` put into the `gaps`."""
        del run, gaps
        return filled


@dataclass(frozen=True, eq=False)
class NeighbourNumbers(ImputedNumbers):
    """Fills gaps with the mean of reference rows, weighted by how near they are in the columns that are there.

    The weights fall off as exp(-distance² / width), not with a rank, so that rows at nearly equal distance cannot
    change places between two executions. `reference` [rows, columns] are the only training rows that a plan keeps:
    at most 200, scaled, numbers only.
    """

    reference: Array
    width: float

    def complete(self, run: Execution, gaps: Block, filled: Block) -> Block:
        """Weigh the reference rows: |x - r|² over given columns is g·r² - 2 x·r, and a term that is equal for all r."""
        given = 1.0 - run.convert(gaps, np.float64)
        scores = run.dot(run.join([filled * given, given]), np.vstack([2 * self.reference.T, -(self.reference.T**2)]))
        weights = run.softmax(scores / self.width)
        return run.where(gaps, run.dot(weights, self.reference), filled)


@dataclass(frozen=True, eq=False)
class RegressedNumbers(ImputedNumbers):
    """Fills gaps with linear regressions on the other columns, in a fixed number of rounds."""

    weights: tuple[Array, ...]
    shift: Array

    def complete(self, run: Execution, gaps: Block, filled: Block) -> Block:
        """Predict every column from the others, round by round."""
        for weights in self.weights:
            predicted = run.clip(run.dot(filled - self.shift, weights) + self.shift, -LARGEST, LARGEST)
            filled = run.where(gaps, predicted, filled)
        return filled


def fit_imputation(strategy: str, scaled: ScaledNumbers, values: Array, seed: int) -> ImputedNumbers:
    """Learn `strategy` (median, most_frequent, knn or iterative) from scaled numbers [rows, columns] with gaps."""
    values = np.clip(values, -LARGEST, LARGEST)
    fill = most_frequent(values) if strategy == "most_frequent" else medians(values)
    gaps = np.isnan(values)
    columns = values.shape[1]
    if columns == 1 or columns > WIDEST or not len(values):
        return ImputedNumbers(scaled, fill)
    filled = np.where(gaps, fill, values)
    if strategy == "knn":
        return _neighbours(scaled, fill, gaps, filled, seed)
    if strategy == "iterative":
        return _regressions(scaled, fill, gaps, filled)
    return ImputedNumbers(scaled, fill)


def _neighbours(
    scaled: ScaledNumbers, fill: Array, gaps: npt.NDArray[np.bool_], filled: Array, seed: int
) -> ImputedNumbers:
    order = np.random.default_rng(seed).permutation(len(filled))[: 20 * REFERENCE_ROWS]
    order = order[np.argsort(gaps[order].sum(axis=1), kind="stable")][:REFERENCE_ROWS]
    reference = filled[order]
    squares = (reference**2).sum(axis=1)
    distances = np.sort(squares[:, None] + squares - 2 * reference @ reference.T, axis=1)
    width = float(np.median(distances[:, min(NEIGHBOURS, len(reference) - 1)]))
    return NeighbourNumbers(scaled, fill, reference, max(width, 1e-3))


def _regressions(scaled: ScaledNumbers, fill: Array, gaps: npt.NDArray[np.bool_], filled: Array) -> ImputedNumbers:
    shift = filled.mean(axis=0)
    columns = filled.shape[1]
    rounds: list[Array] = []
    for _ in range(ROUNDS):
        centred = filled - shift
        precision = np.linalg.inv(centred.T @ centred + RIDGE * np.eye(columns))
        weights = -precision / np.diag(precision)
        np.fill_diagonal(weights, 0.0)
        rounds.append(weights)
        filled = np.where(gaps, np.clip(centred @ weights + shift, -LARGEST, LARGEST), filled)
    return RegressedNumbers(scaled, fill, tuple(rounds), shift)


def medians(values: Array) -> Array:
    """Return each column's median, 0 where it has no value."""
    given = ~np.isnan(values)
    return np.array([np.median(v[g]) if g.any() else 0.0 for v, g in zip(values.T, given.T, strict=True)])


def most_frequent(values: Array) -> Array:
    """Return each column's most frequent value (the smallest of equals), 0 where it has none."""
    modes = np.zeros(values.shape[1])
    for i, column in enumerate(values.T):
        distinct, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        if len(distinct):
            modes[i] = distinct[counts.argmax()]
    return modes
