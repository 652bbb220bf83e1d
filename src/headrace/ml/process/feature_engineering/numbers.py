"""Features of number columns: raw for trees; winsorised, transformed and standardised for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.process.feature_engineering.execution import Block, Execution

Array = npt.NDArray[np.float64]
Positions = tuple[int, ...]

SAMPLE = 50_000
"""Quantiles are taken from at most so many rows, evenly spaced."""
POWERS = (-1.0, -0.5, -0.25, 1 / 1024, 0.25, 0.5, 1.5, 1.75, 2 + 1 / 1024, 2.25, 2.5, 3.0)
"""Exponents tried by Yeo and Johnson's transform; 1/1024 stands for the logarithm, which it approaches."""


@dataclass(frozen=True, eq=False)
class RawNumbers:
    """Numbers as they are, less a centre where float32 would blur them."""

    sources: tuple[str, ...]
    centres: Array

    @classmethod
    def fit(cls, columns: Sequence[str], values: Array) -> RawNumbers:
        """Centre columns whose spread is small against their magnitude, such as identifiers and epoch seconds."""
        values = finite_sample(values)
        low, middle, high = quantiles(values, (0.25, 0.5, 0.75))
        spread = np.where(high > low, high - low, moments(values)[1])
        return cls(tuple(columns), np.where(np.abs(middle) > 1e3 * spread, np.round(middle), 0.0))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self.sources

    def apply(self, run: Execution) -> Block:
        """Subtract the centres."""
        values = run.numbers(self.sources)
        return values - self.centres if self.centres.any() else values


@dataclass(frozen=True, eq=False)
class ScaledNumbers:
    """Numbers between the quantiles seen, made less skewed where a power helps, with mean 0 and deviation 1; NaN stays.

    The transform is I.-K. Yeo and R. A. Johnson's (Biometrika 87, 2000) of the distance from the bound that the values
    crowd at, in units of the typical distance.
    """

    sources: tuple[str, ...]
    low: Array
    high: Array
    centre: Array
    scale: Array
    skewed: Positions
    exponents: Array
    transformed_mean: Array
    transformed_deviation: Array

    @classmethod
    def fit(cls, columns: Sequence[str], values: Array, *, powers: bool) -> ScaledNumbers:
        """Learn bounds, centre and scale, and with `powers` the exponent of each skewed column."""
        values = finite_sample(values)
        low, high = quantiles(values, (0.001, 0.999))
        least, most = quantiles(values, (0.0, 1.0))
        low, high = np.where(low < high, low, least), np.where(low < high, high, most)
        values = np.clip(values, low, high)
        centre, scale = moments(values)
        skew = skewness((values - centre) / scale)
        skewed, exponents = [], []
        for i in np.flatnonzero(np.abs(skew) > 1.0).tolist() if powers else ():
            bound = low[i] if skew[i] > 0 else high[i]
            unit = typical_distance(values[:, i], bound)
            if (best := best_exponent((values[:, i] - bound) / unit)) is not None:
                centre[i], scale[i] = bound, unit
                skewed.append(i)
                exponents.append(best)
        values = (values - centre) / scale
        power = np.array(exponents)
        mean, deviation = moments(yeo_johnson_array(values[:, skewed], power)) if skewed else (power, power)
        return cls(tuple(columns), low, high, centre, scale, tuple(skewed), power, mean, deviation)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self.sources

    def apply(self, run: Execution) -> Block:
        """Clip, scale, transform."""
        values = (run.clip(run.numbers(self.sources), self.low, self.high) - self.centre) / self.scale
        if not self.skewed:
            return values
        straight = [i for i in range(len(self.sources)) if i not in set(self.skewed)]
        bent = yeo_johnson(run, run.pick(values, self.skewed), self.exponents)
        bent = (bent - self.transformed_mean) / self.transformed_deviation
        if not straight:
            return bent
        return run.pick(run.join([run.pick(values, straight), bent]), np.argsort([*straight, *self.skewed]).tolist())


@dataclass(frozen=True, eq=False)
class Bins:
    """Steps over a number's quantiles: for each edge, whether the value lies above it (0 where missing)."""

    sources: tuple[str, ...]
    columns: tuple[int, ...]
    edges: Array

    @classmethod
    def fit(cls, columns: Sequence[str], values: Array, *, bins: int = 8) -> Bins:
        """Take the inner edges of `bins` bins with equally many rows, fewer for columns of few values."""
        values = finite_sample(values)
        places: list[int] = []
        edges: list[float] = []
        for i in range(values.shape[1]):
            present = values[~np.isnan(values[:, i]), i]
            if not len(present):
                continue
            inner = np.unique(np.quantile(present, np.arange(1, bins) / bins, method="lower"))
            inner = inner[inner < present.max()]
            places += [i] * len(inner)
            edges += inner.tolist()
        return cls(tuple(columns), tuple(places), np.array(edges))

    @property
    def names(self) -> tuple[str, ...]:
        """One name an edge."""
        return tuple(f"{self.sources[c]} > {e:.15g}" for c, e in zip(self.columns, self.edges, strict=True))

    def apply(self, run: Execution) -> Block:
        """Compare with every edge."""
        return run.convert(run.pick(run.numbers(self.sources), self.columns) > self.edges, np.float32)


@dataclass(frozen=True, eq=False)
class MissingIndicators:
    """Whether a number or date is missing, for the columns where some were."""

    sources: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column."""
        return tuple(f"{c} is missing" for c in self.sources)

    def apply(self, run: Execution) -> Block:
        """Mark NaN."""
        return run.convert(run.call("isnan", run.numbers(self.sources)), np.float32)


@dataclass(frozen=True, eq=False)
class MissingCount:
    """How many of a row's numbers and dates are missing."""

    sources: tuple[str, ...]
    names: tuple[str, ...] = ("missing values in the row",)

    def apply(self, run: Execution) -> Block:
        """Count NaN."""
        return run.total(run.convert(run.call("isnan", run.numbers(self.sources)), np.float64))


def yeo_johnson(run: Execution, values: Block, exponents: Array) -> Block:
    """Transform columns by exponents other than 0 and 2; one formula serves both signs, as f(0) = 0 in each."""
    above = run.power(run.clip(values, 0.0, np.inf) + 1.0, exponents) - 1.0
    below = run.power(1.0 - run.clip(values, -np.inf, 0.0), 2.0 - exponents) - 1.0
    return above / exponents - below / (2.0 - exponents)


def yeo_johnson_array(values: Array, exponents: Array) -> Array:
    """Transform as `yeo_johnson` does, outside a plan."""
    above = np.power(np.maximum(values, 0.0) + 1.0, exponents) - 1.0
    below = np.power(1.0 - np.minimum(values, 0.0), 2.0 - exponents) - 1.0
    return np.asarray(above / exponents - below / (2.0 - exponents))


def typical_distance(values: Array, bound: float) -> float:
    """Return the median distance from `bound` of the values that do not lie on it."""
    distance = np.abs(values - bound)
    distance = distance[distance > 0]  # NaN is left out too
    return float(np.median(distance)) if len(distance) else 1.0


def best_exponent(values: Array) -> float | None:
    """Return the exponent of greatest likelihood, or None where leaving the values alone is as good."""
    present = values[~np.isnan(values)][:2000]
    if len(np.unique(present)) < 5:
        return None
    logarithms = float(np.sum(np.sign(present) * np.log1p(np.abs(present))))

    def likelihood(exponent: float) -> float:
        variance = float(np.var(yeo_johnson_array(present, np.float64(exponent))))  # type: ignore[arg-type]
        return float(-len(present) / 2 * np.log(max(variance, 1e-300)) + (exponent - 1) * logarithms)

    best = max(POWERS, key=likelihood)
    return best if likelihood(best) > likelihood(1.0) + 2.0 else None


def finite_sample(values: Array) -> Array:
    """Return evenly spaced rows, with infinities as NaN."""
    rows = values[:: max(1, -(-len(values) // SAMPLE))]
    return np.where(np.isfinite(rows), rows, np.nan)


def quantiles(values: Array, levels: Sequence[float]) -> Array:
    """Return quantiles [levels, columns] of what is not NaN; 0 for a column without values."""
    result = np.zeros((len(levels), values.shape[1]))
    for i in range(values.shape[1]):
        present = values[~np.isnan(values[:, i]), i]
        if len(present):
            result[:, i] = np.quantile(present, levels, method="lower")
    return result


def moments(values: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column, ignoring NaN; 0 and 1 where they say nothing."""
    given = ~np.isnan(values)
    count = np.maximum(given.sum(axis=0), 1)
    mean = np.where(given, values, 0.0).sum(axis=0) / count
    centred = np.where(given, values - mean, 0.0)
    largest = np.abs(centred).max(axis=0, initial=0.0)
    scale = np.where(largest > 1e150, largest, 1.0)  # whose square would overflow
    deviation = np.sqrt(((centred / scale) ** 2).sum(axis=0) / count) * scale
    return mean, np.where((deviation > 0) & np.isfinite(deviation), deviation, 1.0)


def skewness(values: Array) -> Array:
    """Return the third moment of standardised columns."""
    given = ~np.isnan(values)
    return np.asarray((np.where(given, values, 0.0) ** 3).sum(axis=0) / np.maximum(given.sum(axis=0), 1))
