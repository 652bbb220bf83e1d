"""Drift between two sets of rows, of which only sketches are kept: what columns held, and how far they moved."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

Numbers = npt.NDArray[np.float64]

SKETCH_SIZE = 2048
BUCKETS = 10
MOST_CATEGORIES = 120
"""Distinct texts of a column up to which it is a category, whose values are counted."""
CORRECTION = 1.8
INTEGRAL = r"^\s*[+-]?\d+\s*$"
FRACTIONAL = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"


class ValueType(StrEnum):
    """What the values of a column are; UNKNOWN where it has none."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Sketch:
    """A sample of numbers by which their distribution is told: each of `levels[i]` stands for 2**i of them.

    Exact up to `SKETCH_SIZE` numbers. Source: Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams" (KLL).
    """

    levels: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, values: Numbers, seed: int = 0) -> Sketch:
        """Return the sketch of finite numbers; the same numbers give the same one."""
        chance = random.Random(seed)
        rest, levels = np.sort(values), []
        while len(rest) > SKETCH_SIZE:
            odd = len(rest) % 2
            levels.append(tuple(rest[:odd].tolist()))
            rest = rest[odd + chance.randrange(2) :: 2]
        return cls((*levels, tuple(rest.tolist())))

    def weighted(self) -> tuple[Numbers, Numbers]:
        """Return the numbers in ascending order, and how many each stands for."""
        values = np.concatenate([np.asarray(level, dtype=np.float64) for level in self.levels] or [np.empty(0)])
        weights = np.concatenate([np.full(len(level), 2.0**i) for i, level in enumerate(self.levels)] or [np.empty(0)])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    @property
    def count(self) -> float:
        """How many numbers it stands for."""
        return float(sum(len(level) * 2**i for i, level in enumerate(self.levels)))

    def buckets(self) -> list[tuple[float, float, float]]:
        """Return (lower bound, upper bound, count) of buckets of equal width; the last holds its upper bound."""
        values, weights = self.weighted()
        if not len(values):
            return []
        edges = 2 * np.linspace(values[0] / 2, values[-1] / 2, BUCKETS + 1)  # halves, as the range may overflow
        places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BUCKETS - 1)
        counts = np.bincount(places, weights=weights, minlength=BUCKETS)
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True)
class NumberMeasures:
    """Mean, sum, standard deviation (of the population), smallest and largest of numbers, and their sketch.

    The first three are not finite where they are beyond what a double holds.
    """

    mean: float
    sum: float
    std_dev: float
    min: float
    max: float
    sketch: Sketch


@dataclass(frozen=True)
class Measured:
    """What one column of texts held: its `type` is the narrowest that all its values have.

    `types` counts values by the type that each has alone, `numbers` measures those that are numbers (None: there is
    none); `categories` counts values, most frequent first, and is empty where there are more than MOST_CATEGORIES.
    """

    name: str
    type: ValueType
    present: int
    missing: int
    distinct: int
    types: Mapping[ValueType, int] = field(default_factory=dict)
    numbers: NumberMeasures | None = None
    categories: Mapping[str, int] = field(default_factory=dict)

    @property
    def completeness(self) -> float:
        """The share of rows with a value."""
        return self.present / (self.present + self.missing) if self.present + self.missing else 0.0

    def share_of(self, wanted: ValueType) -> float:
        """Return the share of values that can be read as a type: an integer is a fraction, and anything a string."""
        if not self.present or wanted in (ValueType.STRING, ValueType.UNKNOWN):
            return 1.0
        fitting = self.types[ValueType.INTEGRAL]
        if wanted is ValueType.FRACTIONAL:
            fitting += self.types[ValueType.FRACTIONAL]
        return fitting / self.present


def measure(values: pl.Series) -> Measured:
    """Measure a column of texts, null where a row has no value."""
    given = values.drop_nulls()
    whole = given.str.contains(INTEGRAL)
    numeric = given.str.contains(FRACTIONAL)
    types = {
        ValueType.INTEGRAL: int(whole.sum()),
        ValueType.FRACTIONAL: int((numeric & ~whole).sum()),
        ValueType.STRING: int((~numeric).sum()),
    }
    counts = given.value_counts(name="rows").sort(["rows", given.name], descending=[True, False])
    few = counts.height <= MOST_CATEGORIES
    return Measured(
        name=values.name,
        type=next(
            (kind for kind in (ValueType.STRING, ValueType.FRACTIONAL, ValueType.INTEGRAL) if types[kind]),
            ValueType.UNKNOWN,
        ),
        present=given.len(),
        missing=values.len() - given.len(),
        distinct=counts.height,
        types=types,
        numbers=_measure_numbers(given.filter(numeric)),
        categories=dict(counts.iter_rows()) if few else {},
    )


def number_distance(one: Sketch, other: Sketch, *, robust: bool = True) -> float:
    """Return the largest difference of two distribution functions, 0 to 1.

    `robust` takes off what chance explains at the sizes of both. Source: the two-sample Kolmogorov-Smirnov test, as
    Deequ's "Distance" computes it.
    """
    (first, first_weights), (second, second_weights) = one.weighted(), other.weighted()
    points = np.union1d(first, second)
    shares = [
        np.concatenate([[0.0], np.cumsum(weights)])[np.searchsorted(values, points, side="right")] / weights.sum()
        for values, weights in ((first, first_weights), (second, second_weights))
    ]
    simple = float(np.abs(shares[0] - shares[1]).max(initial=0.0))
    return _corrected(simple, one.count, other.count) if robust else simple


def category_distance(one: Mapping[str, int], other: Mapping[str, int], *, robust: bool = True) -> float:
    """Return the largest difference of a category's shares (L-infinity), 0 to 1; `robust` as for numbers."""
    first, second = sum(one.values()), sum(other.values())
    simple = max((abs(one.get(each, 0) / first - other.get(each, 0) / second) for each in {*one, *other}), default=0.0)
    return _corrected(simple, first, second) if robust else simple


def category_probability(expected: Mapping[str, int], observed: Mapping[str, int]) -> float:
    """Return the p-value of Pearson's chi-squared test that the observed come from the expected shares."""
    from scipy.stats import chi2

    total, seen = sum(expected.values()), sum(observed.values())
    if any(each not in expected for each in observed):
        return 0.0
    wanted = [(count / total * seen, observed.get(each, 0)) for each, count in expected.items()]
    statistic = sum((got - awaited) ** 2 / awaited for awaited, got in wanted if awaited)
    return float(chi2.sf(statistic, max(1, len(wanted) - 1)))


def is_domain(categories: Mapping[str, int]) -> bool:
    """Tell whether the counted values are all that a column is likely to hold: hardly one was seen only once."""
    single = sum(count == 1 for count in categories.values())
    return bool(categories) and single <= 0.1 * len(categories)


def outside(categories: Mapping[str, int], domain: Sequence[str]) -> float:
    """Return the share of counted values that are not in a domain."""
    known = set(domain)
    total = sum(categories.values())
    return sum(count for each, count in categories.items() if each not in known) / total if total else 0.0


def _measure_numbers(texts: pl.Series) -> NumberMeasures | None:
    import polars as pl

    numbers = texts.str.strip_chars().cast(pl.Float64).to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        sums = float(numbers.mean()), float(numbers.sum()), float(numbers.std())
    return NumberMeasures(*sums, float(numbers.min()), float(numbers.max()), Sketch.of(numbers))


def _corrected(simple: float, first: float, second: float) -> float:
    return max(0.0, simple - CORRECTION * math.sqrt((first + second) / (first * second)))
