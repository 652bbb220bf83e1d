"""Features of text columns: tf-idf of their words and pairs of words, and their length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.feature_engineering.execution import Block, Execution
from headrace.ml.process.feature_engineering.numpy_execution import term_rows

SAMPLE = 20_000
"""Terms are looked for in at most so many rows, evenly spaced."""
MOST_TERMS = 200
CANDIDATES = 2000
LEAST_ROWS = 3


@dataclass(frozen=True, eq=False)
class TextTerms:
    """Term frequency times inverse document frequency of the terms that say most of the target, rows of norm 1.

    Text is expected normalised: words separated by single spaces.
    """

    column: str
    terms: tuple[str, ...]
    weights: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, column: str, text: pl.Series, outcomes: npt.NDArray[np.float64]) -> TextTerms:
        """Of the most frequent terms, keep those whose presence goes along with an outcome [rows, outcomes]."""
        step = max(1, -(-len(text) // SAMPLE))
        text, outcomes = text.gather_every(step), outcomes[::step]
        rows = max(1, len(text))
        found = term_rows(text, pairs=True).filter((pl.col("term") != "") & ~pl.col("term").str.contains("(^ | $)"))
        found = found.unique(maintain_order=True)
        counts = found.group_by("term").agg(rows=pl.len()).filter(pl.col("rows") >= LEAST_ROWS)
        counts = counts.sort(["rows", "term"], descending=[True, False]).head(CANDIDATES).with_row_index("place")
        if not counts.height:
            return cls(column, (), np.empty(0, dtype=np.float32))
        places = found.join(counts, on="term").select("row", "place")
        frequency = counts["rows"].to_numpy() / rows
        signal = np.zeros(counts.height)
        for outcome in ((outcomes - outcomes.mean(axis=0)) / (outcomes.std(axis=0) + 1e-12)).T:
            sums = np.bincount(
                places["place"].to_numpy(), weights=outcome[places["row"].to_numpy()], minlength=len(signal)
            )
            signal = np.maximum(signal, np.abs(sums) / rows / np.sqrt(frequency * (1 - frequency) + 1e-9))
        chosen = np.sort(np.argsort(-signal, kind="stable")[:MOST_TERMS])
        weights = np.log((1 + rows) / (1 + counts["rows"].to_numpy()[chosen])) + 1
        return cls(column, tuple(counts["term"].gather(chosen)), weights.astype(np.float32))

    @property
    def sources(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """One name a term."""
        return tuple(f"{self.column}: '{term}'" for term in self.terms)

    def apply(self, run: Execution) -> Block:
        """Weigh the terms and norm each row."""
        weighted = run.terms(self)
        double = run.convert(weighted, np.float64)  # so that the order of the summands does not show in float32
        norm = run.clip(run.call("sqrt", run.total(double * double)), 1e-6, np.inf)
        return weighted / run.convert(norm, np.float32)


@dataclass(frozen=True, eq=False)
class WordCount:
    """How many words a text has, as the logarithm of one more."""

    column: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """One name."""
        return (f"{self.column}: words (log)",)

    def apply(self, run: Execution) -> Block:
        """Count."""
        return run.call("log", run.word_count(self.column) + 1.0)
