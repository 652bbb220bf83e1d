"""Features of pairs of numbers: ratios, products and differences for trees; products and squares for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.process.feature_engineering.execution import Block, Execution
from headrace.ml.process.feature_engineering.imputation import ImputedNumbers
from headrace.ml.process.feature_engineering.numbers import moments

OPERATIONS = {"ratio": "/", "product": "×", "difference": "-", "sum": "+"}

Pair = tuple[str, str, str]
"""Operation, left column, right column."""


@dataclass(frozen=True, eq=False)
class NumberPairs:
    """Ratios, products, differences and sums of raw numbers; a missing side makes the result missing."""

    pairs: tuple[Pair, ...]

    @classmethod
    def fit(cls, pairs: Sequence[Pair]) -> NumberPairs:
        """Put pairs of one operation together."""
        return cls(tuple(sorted(pairs, key=lambda pair: list(OPERATIONS).index(pair[0]))))

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of all pairs."""
        return tuple(dict.fromkeys(column for _, *columns in self.pairs for column in columns))

    @property
    def names(self) -> tuple[str, ...]:
        """One name a pair."""
        return tuple(f"{left} {OPERATIONS[operation]} {right}" for operation, left, right in self.pairs)

    def apply(self, run: Execution) -> Block:
        """Compute all pairs of an operation at once."""
        numbers = run.numbers(self.sources)
        place = {column: i for i, column in enumerate(self.sources)}
        blocks = []
        for operation in OPERATIONS:
            wanted = [pair for pair in self.pairs if pair[0] == operation]
            if not wanted:
                continue
            left = run.pick(numbers, [place[a] for _, a, _ in wanted])
            right = run.pick(numbers, [place[b] for _, _, b in wanted])
            match operation:
                case "ratio":
                    blocks.append(left / right)
                case "product":
                    blocks.append(left * right)
                case "difference":
                    blocks.append(left - right)
                case _:
                    blocks.append(left + right)
        return run.join(blocks)


@dataclass(frozen=True, eq=False)
class ScaledProducts:
    """Products (and squares) of imputed, scaled numbers, standardised again."""

    numbers: ImputedNumbers
    left: tuple[int, ...]
    right: tuple[int, ...]
    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, numbers: ImputedNumbers, pairs: Sequence[Pair], values: npt.NDArray[np.float64]) -> ScaledProducts:
        """Learn mean and deviation of each product from imputed numbers [rows, columns]."""
        place = {column: i for i, column in enumerate(numbers.names)}
        left, right = tuple(place[a] for _, a, _ in pairs), tuple(place[b] for _, _, b in pairs)
        return cls(numbers, left, right, *moments(values[:, left] * values[:, right]))

    @property
    def sources(self) -> tuple[str, ...]:
        """All numbers, as any of them may be imputed from any other."""
        return self.numbers.sources

    @property
    def names(self) -> tuple[str, ...]:
        """One name a product."""
        names = self.numbers.names
        return tuple(
            f"{names[i]}²" if i == j else f"{names[i]} × {names[j]}" for i, j in zip(self.left, self.right, strict=True)
        )

    def apply(self, run: Execution) -> Block:
        """Multiply."""
        values = run.of(self.numbers)
        return (run.pick(values, self.left) * run.pick(values, self.right) - self.mean) / self.deviation
