"""Features of category columns: codes, frequencies, target encodings, one-hot, and pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.feature_engineering.execution import Block, Execution

Codes = npt.NDArray[np.int64]
Table = npt.NDArray[np.float32]

LARGEST_VOCABULARY = 10_000
"""Levels of a column beyond so many, by frequency, are treated as unseen."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The levels of category columns, most frequent first, and how often each occurred.

    Codes are numbered across all columns: a column's levels in order, then one code for unseen levels, one for missing.
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, columns: Sequence[str]) -> Vocabulary:
        """Count the levels; columns of few levels come first, as they share a lookup in ONNX."""
        found: dict[str, tuple[str, ...]] = {}
        for column in columns:
            counts = frame[column].drop_nulls().value_counts(name="rows").filter(pl.col(column) != "")
            if counts.height > LARGEST_VOCABULARY:
                counts = counts.filter(pl.col("rows") >= counts["rows"].top_k(LARGEST_VOCABULARY).min())
            ordered = counts.sort(["rows", column], descending=[True, False]).head(LARGEST_VOCABULARY)
            found[column] = tuple(ordered[column])
        order = sorted(columns, key=lambda c: len(found[c]) > 300)
        return cls(tuple(order), tuple(found[c] for c in order))

    @cached_property
    def sizes(self) -> Codes:
        """How many codes each column has."""
        return np.array([len(levels) + 2 for levels in self.levels], dtype=np.int64)

    @cached_property
    def starts(self) -> Codes:
        """The first code of each column."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    @cached_property
    def size(self) -> int:
        """How many codes there are in all."""
        return int(self.sizes.sum())

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    def apply(self, run: Execution) -> Block:
        """Read the codes."""
        return run.levels(self)

    def narrowed(self, places: Sequence[int], codes: Codes) -> tuple[Vocabulary, Codes]:
        """Return the vocabulary of some columns, and these columns of `codes` renumbered for it."""
        narrow = Vocabulary(tuple(self.columns[i] for i in places), tuple(self.levels[i] for i in places))
        return narrow, codes[:, list(places)] - self.starts[list(places)] + narrow.starts

    def counts(self, codes: Codes) -> Codes:
        """Count the rows of each code."""
        return sum(
            (np.bincount(codes[:, i], minlength=self.size) for i in range(codes.shape[1])), np.zeros(self.size, int)
        )


@dataclass(frozen=True, eq=False)
class Encodings:
    """Columns of a table that gives each code its numbers: order, frequency, target means."""

    vocabulary: Vocabulary
    table: Table
    kept: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns whose encodings are kept."""
        width = self.table.shape[1]
        return tuple(dict.fromkeys(self.vocabulary.columns[k // width] for k in self.kept))

    def apply(self, run: Execution) -> Block:
        """Look up every code once, and keep what is wanted."""
        block = run.look_up(self.table, run.of(self.vocabulary))
        full = len(self.vocabulary.columns) * self.table.shape[1]
        return block if self.kept == tuple(range(full)) else run.pick(block, self.kept)


@dataclass(frozen=True, eq=False)
class OneHot:
    """One feature a frequent level; rare and unseen levels share one."""

    vocabulary: Vocabulary
    buckets: Codes
    places: tuple[int, ...]
    wanted: Codes
    names: tuple[str, ...]

    @classmethod
    def fit(
        cls, vocabulary: Vocabulary, codes: Codes, columns: Sequence[int], *, least: int = 5, widest: int = 1500
    ) -> OneHot:
        """Give a feature to each level with at least `least` rows, to 'other' and to missing where they occur.

        Of two features of a column that always sum to 1, one is left out. With more than `widest` features in all, the
        rarest are dropped.
        """
        counts = vocabulary.counts(codes)
        buckets = np.arange(vocabulary.size)
        found: list[tuple[int, int, str, int]] = []
        for i in columns:
            name, levels, start = vocabulary.columns[i], vocabulary.levels[i], int(vocabulary.starts[i])
            other = start + len(levels)
            own = np.arange(start, other)
            buckets[own[counts[own] < least]] = other
            rows = np.bincount(buckets[codes[:, i]], minlength=vocabulary.size)[start : other + 2]
            used = [k for k in range(len(rows)) if rows[k]]
            labels = [*levels, "(other)", "(missing)"]
            shown = used[1:] if len(used) == 2 else used
            found += [(i, start + k, f"{name} = {labels[k]}", int(rows[k])) for k in shown]
        if len(found) > widest:
            bound = sorted((rows for *_, rows in found), reverse=True)[widest - 1]
            found = [f for f in found if f[3] >= bound][:widest]
        wanted = np.array([code for _, code, _, _ in found], dtype=np.int64)
        return cls(vocabulary, buckets, tuple(i for i, *_ in found), wanted, tuple(name for _, _, name, _ in found))

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(dict.fromkeys(self.vocabulary.columns[i] for i in self.places))

    def apply(self, run: Execution) -> Block:
        """Compare each code with the wanted ones."""
        codes = run.of(self.vocabulary)
        if (self.buckets != np.arange(len(self.buckets))).any():
            codes = run.look_up(self.buckets, codes)
        return run.convert(run.equals(run.pick(codes, self.places), self.wanted), np.float32)


@dataclass(frozen=True, eq=False)
class CategoryPairs:
    """Target encodings of pairs of category columns: of every combination of their levels."""

    vocabulary: Vocabulary
    left: tuple[int, ...]
    right: tuple[int, ...]
    table: Table
    names: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of all pairs."""
        return tuple(dict.fromkeys(self.vocabulary.columns[i] for i in (*self.left, *self.right)))

    def apply(self, run: Execution) -> Block:
        """Number the combinations and look them up."""
        codes = run.of(self.vocabulary)
        factor, shift = pair_numbering(self.vocabulary, self.left, self.right)[:2]
        return run.look_up(self.table, run.pick(codes, self.left) * factor + run.pick(codes, self.right) + shift)


def pair_numbering(vocabulary: Vocabulary, left: Sequence[int], right: Sequence[int]) -> tuple[Codes, Codes, int]:
    """Return factor and shift so that left × factor + right + shift numbers all combinations, and their count."""
    first, second = np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    factor = vocabulary.sizes[second]
    sizes = vocabulary.sizes[first] * factor
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return factor, starts - vocabulary.starts[first] * factor - vocabulary.starts[second], int(sizes.sum())
