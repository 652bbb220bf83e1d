"""The plan on a data frame, vectorised: how training runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.feature_engineering.execution import (
    COUNTED,
    Block,
    Execution,
    Lexicon,
    Part,
    TermList,
    Weighting,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LEAST_SQUARE = 1e-12
"""Of the length of a text's vector: one without a known term has the sums 0."""


def number_matrix(frame: pl.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return number and date columns as float64 [rows, columns] with NaN for missing."""
    if not columns:
        return np.empty((frame.height, 0))
    return frame.select(pl.col(c).cast(pl.Float64).fill_null(float("nan")) for c in columns).to_numpy(writable=True)


def level_matrix(frame: pl.DataFrame, vocabulary: Lexicon) -> npt.NDArray[np.int64]:
    """Return the codes of category columns, int64 [rows, columns]."""
    if not vocabulary.columns:
        return np.empty((frame.height, 0), dtype=np.int64)
    expressions = []
    for column, levels, start in zip(vocabulary.columns, vocabulary.levels, vocabulary.starts.tolist(), strict=True):
        unseen = start + len(levels)
        old = pl.Series([*levels, ""], dtype=pl.String)
        new = pl.Series([*range(start, unseen), unseen + 1], dtype=pl.Int64)
        values = pl.col(column).fill_null("")
        expressions.append(values.replace_strict(old, new, default=unseen, return_dtype=pl.Int64))
    return frame.select(expressions).to_numpy()


class NumpyExecution(Execution):
    """Runs parts on the rows of a frame."""

    def __init__(self, frame: pl.DataFrame) -> None:
        """Keep the frame; parts are computed when asked for."""
        self._frame = frame
        self._done: dict[int, Block] = {}

    def of(self, part: Part) -> Block:
        """Return the block of another part, computed once."""
        if id(part) not in self._done:
            self._done[id(part)] = part.apply(self)
        return self._done[id(part)]

    def numbers(self, columns: Sequence[str]) -> Block:
        """Read number and date columns."""
        return number_matrix(self._frame, columns)

    def levels(self, vocabulary: Lexicon) -> Block:
        """Read category columns as codes."""
        return level_matrix(self._frame, vocabulary)

    def terms(self, weighting: Weighting) -> Block:
        """Weigh the terms of a text column."""
        height, width = self._frame.height, len(weighting.terms)
        place = pl.DataFrame(
            {"term": weighting.terms, "place": range(width)}, schema={"term": pl.String, "place": pl.Int64}
        )
        pairs = any(" " in term for term in weighting.terms)
        found = term_rows(self._frame[weighting.column], pairs=pairs).join(place, on="term").select("row", "place")
        cells = found["row"].to_numpy() * width + found["place"].to_numpy()
        counts = np.bincount(cells, minlength=height * width).reshape(height, width)
        return counts.astype(np.float32) * weighting.weights

    def text_sums(self, terms: TermList, weights: npt.NDArray[np.float32]) -> Block:
        """Multiply the texts' vectors with the weights."""
        vectors, norms = self.text_vectors(terms)
        return (np.asarray(vectors @ weights[:-1].astype(np.float64)) / norms).astype(np.float32)

    def text_vectors(self, terms: TermList) -> tuple[csr_matrix, npt.NDArray[np.float64]]:
        """Return 1 + log(count) of each text's terms [rows, terms], and the lengths of the vectors [rows, 1]."""
        vectors = term_counts(self._frame[terms.column], terms.terms)
        vectors.data = 1 + np.log(vectors.data)
        return vectors, np.sqrt(np.maximum(vectors.power(2) @ terms.squares[:-1], LEAST_SQUARE))[:, None]

    def word_count(self, column: str) -> Block:
        """Count the words of a text column."""
        text = self._frame[column].fill_null("")
        words = (text.str.count_matches(" ", literal=True) + 1).to_numpy().astype(np.float64)
        return np.where((text == "").to_numpy(), 0.0, words)[:, None]

    def pictures(self, column: str, shape: tuple[int, ...]) -> Block:
        """Measure pictures by the graph that serving will have."""
        from headrace.ml.process.feature_engineering.pictures import measure_pictures

        return np.concatenate(list(measure_pictures(self._frame[column], shape)))

    def join(self, blocks: Sequence[Block]) -> Block:
        """Put blocks side by side."""
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)

    def pick(self, block: Block, positions: Sequence[int]) -> Block:
        """Take columns."""
        return block[:, list(positions)]

    def look_up(self, table: npt.NDArray[Any], codes: Block) -> Block:
        """Replace each code by its row of the table."""
        return np.take(table, codes, axis=0).reshape(len(codes), -1)

    def equals(self, block: Block, values: npt.NDArray[Any]) -> Block:
        """Compare by cell."""
        return block == values

    def where(self, condition: Block, yes: Block, no: Block) -> Block:
        """Choose by cell."""
        return np.where(condition, yes, no)

    def call(self, function: str, block: Block) -> Block:
        """Apply a function to every cell."""
        return getattr(np, function)(block)

    def clip(self, block: Block, low: Any, high: Any) -> Block:
        """Bring every cell between bounds; NaN stays."""
        return np.minimum(np.maximum(block, low), high)

    def power(self, block: Block, exponent: Any) -> Block:
        """Raise to a power."""
        return np.power(block, exponent)

    def dot(self, block: Block, matrix: npt.NDArray[np.float64]) -> Block:
        """Multiply by a matrix."""
        return block @ matrix

    def total(self, block: Block) -> Block:
        """Sum the columns."""
        return block.sum(axis=1, keepdims=True)

    def softmax(self, block: Block) -> Block:
        """Exponentiate and norm each row."""
        raised = np.exp(block - block.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def convert(self, block: Block, kind: type[np.generic]) -> Block:
        """Change the type of the cells."""
        return block.astype(kind)


class CrossFittedExecution(NumpyExecution):
    """Runs parts on the rows that they were fitted on, without showing a row its own target.

    `tables` holds, for a table of target encodings or of words' weights (by `id`), the same table fitted without each
    fold: [folds, codes, width]; `folds` [rows] is the fold of each row.
    """

    def __init__(self, frame: pl.DataFrame, folds: npt.NDArray[np.int64], tables: Mapping[int, Any]) -> None:
        """Keep the frame, the fold of each row, and the tables without each fold."""
        super().__init__(frame)
        self._folds, self._tables = folds, tables

    def look_up(self, table: npt.NDArray[Any], codes: Block) -> Block:
        """Replace each code by its row of the table that was fitted without the row's fold."""
        if id(table) not in self._tables:
            return super().look_up(table, codes)
        return self._tables[id(table)][self._folds[:, None], codes].reshape(len(codes), -1)

    def text_sums(self, terms: TermList, weights: npt.NDArray[np.float32]) -> Block:
        """Multiply each text's vector with the weights that were learnt without the row's fold."""
        if id(weights) not in self._tables:
            return super().text_sums(terms, weights)
        vectors, norms = self.text_vectors(terms)
        sums = np.empty((vectors.shape[0], weights.shape[1]), dtype=np.float32)
        for fold, table in enumerate(self._tables[id(weights)]):
            rows = np.flatnonzero(self._folds == fold)
            sums[rows] = (vectors[rows] @ table[:-1].astype(np.float64)) / norms[rows]
        return sums


def term_counts(text: pl.Series, terms: Sequence[str]) -> csr_matrix:
    """Count the given terms of normalised text, at most `COUNTED` of each: sparse float64 [rows, terms]."""
    place = pl.DataFrame({"term": terms, "place": range(len(terms))}, schema={"term": pl.String, "place": pl.Int64})
    found = term_rows(text, pairs=any(" " in term for term in terms)).join(place, on="term").select("row", "place")
    return sparse_counts(found, len(text), len(terms))


def sparse_counts(found: pl.DataFrame, rows: int, terms: int) -> csr_matrix:
    """Count the pairs of `row` and `place`, at most `COUNTED` of each."""
    from scipy.sparse import csr_matrix

    cells = (found["row"].to_numpy(), found["place"].to_numpy())
    counts = csr_matrix((np.ones(found.height), cells), shape=(rows, terms))
    counts.sum_duplicates()
    counts.data = np.minimum(counts.data, float(COUNTED))
    return counts


def term_rows(text: pl.Series, *, pairs: bool) -> pl.DataFrame:
    """List the words (and pairs of neighbouring words) of normalised text: columns `row` (0-based) and `term`."""
    words = pl.DataFrame({"row": np.arange(len(text)), "term": text.fill_null("").str.split(" ")}).explode("term")
    if not pairs:
        return words
    following = words.select("row", term=pl.concat_str("term", pl.col("term").shift(-1), separator=" "))
    same = words.select(same=(pl.col("row") == pl.col("row").shift(-1)).fill_null(False))["same"]
    return pl.concat([words, following.filter(same)])
