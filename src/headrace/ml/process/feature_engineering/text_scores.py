"""Scores of free text: linear models over tens of thousands of words and pairs of words, cross-fitted.

Source: S. Wang and C. Manning, Baselines and bigrams: simple, good sentiment and topic classification (2012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.adapters.threads import import_library
from headrace.ml.process.feature_engineering.execution import Block, Execution
from headrace.ml.process.feature_engineering.numpy_execution import sparse_counts, term_rows
from headrace.ml.process.feature_engineering.target_encoding import FOLDS, LARGEST

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_TERMS = 30_000
MOST_CELLS = 1_500_000
"""Of the table of weights, which bounds the size of the compiled model."""
MOST_ROWS = 40_000
"""Weights are learnt on at most so many rows, evenly spaced."""
FEWEST_ROWS, FEWEST_TERMS = 30, 5
MANY_ROWS = 2_000
"""From so many on, a row's score is learnt on two thirds of the others and not on four fifths, in less time."""
COMPONENTS = 20
COMPONENT_TERMS = 10_000
USUAL_STRENGTH = 1.0

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Table = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TextScores:
    """What the words of a text say of each outcome, and its coordinates among texts (latent semantic analysis).

    A text is a vector of its terms (words and pairs of neighbouring words): 1 + log(count), at most of `COUNTED`, times
    inverse document frequency, of length 1. `weights` [terms + 1, names] is what the vector is multiplied with, and
    `squares` [terms + 1] are the squared inverse document frequencies; the last row stands for unknown terms.
    """

    column: str
    terms: tuple[str, ...]
    squares: Array
    weights: Table
    names: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def apply(self, run: Execution) -> Block:
        """Multiply each text's vector with the weights."""
        return run.text_sums(self, self.weights)


@dataclass(frozen=True, eq=False)
class TextVectors:
    """The vectors of a column's texts, to learn weights from."""

    lexicon: TextScores
    vectors: csr_matrix

    @classmethod
    def fit(cls, column: str, text: pl.Series, outcomes: int) -> TextVectors | None:
        """Take the most frequent terms, those of a single row left out; None where there are too few rows or terms."""
        rows = len(text)
        if rows < FEWEST_ROWS:
            return None
        most = min(MOST_TERMS, MOST_CELLS // (outcomes + COMPONENTS))
        found = term_rows(text, pairs=True).filter((pl.col("term") != "") & ~pl.col("term").str.contains("(^ | $)"))
        known = found.unique().group_by("term").agg(rows=pl.len()).filter(pl.col("rows") > 1)
        known = known.sort(["rows", "term"], descending=[True, False]).head(most).with_row_index("place")
        terms = tuple(known["term"])
        if len(terms) < FEWEST_TERMS:
            return None
        counts = sparse_counts(found.join(known, on="term").select("row", "place"), rows, len(terms))
        frequency = np.log((1 + rows) / (1 + counts.getnnz(axis=0))) + 1
        squares = np.append(frequency**2, 0.0)
        lexicon = TextScores(column, terms, squares, np.empty((len(terms) + 1, 0), np.float32), ())
        return cls(lexicon, vectors_of(counts, squares))


def vectors_of(counts: csr_matrix, squares: Array) -> csr_matrix:
    """Weigh counts of terms and bring each row to length 1."""
    scipy_sparse = import_library("scipy.sparse")
    vectors = counts.copy()
    vectors.data = 1 + np.log(vectors.data)
    vectors = vectors @ scipy_sparse.diags(np.sqrt(squares[: counts.shape[1]]))
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    return (scipy_sparse.diags(1 / np.maximum(norms, 1e-6)) @ vectors).tocsr()


def fit_scores(
    column: str, text: pl.Series, target: npt.NDArray[Any], folds: Rows, *, classes: int, strength: float, seed: int
) -> tuple[TextScores, list[Table]] | None:
    """Learn weights from all rows, and a table [terms + 1, names] without each fold; None for too little text."""
    step = max(1, -(-len(text) // MOST_ROWS))
    values, folds = outcome_columns(target, classes)[::step], folds[::step]
    found = TextVectors.fit(column, text.gather_every(step), values.shape[1])
    if found is None:
        return None
    vectors, lexicon = found.vectors, found.lexicon
    axes = _components(vectors, seed)
    scores = np.zeros_like(values)
    parts = FOLDS if len(text) < MANY_ROWS else 3
    tables = np.zeros((parts + 1, len(lexicon.terms) + 1, values.shape[1] + axes.shape[1]), dtype=np.float32)
    for fold in range(parts + 1):
        own = folds % parts == fold if fold < parts else np.zeros(len(folds), dtype=bool)
        learnt, held = np.flatnonzero(~own), np.flatnonzero(own)
        weights = learn_weights(vectors[learnt], values[learnt], classes > 0, strength, seed)
        scores[held] = vectors[held] @ weights
        tables[fold, :-1] = np.concatenate([weights, axes], axis=1)
    spread = np.concatenate([scores.std(axis=0), (vectors @ axes).std(axis=0)])
    scale = np.sqrt(lexicon.squares)[:, None] / np.where(spread > 1e-9, spread, 1.0)
    tables *= scale.astype(np.float32)
    kinds = (
        [f"class {k}" for k in range(classes)] if classes > 2 else ["the positive class" if classes else "the value"]
    )
    names = (
        *(f"{column}: what the words say for {kind}" for kind in kinds),
        *(f"{column}: topic {i + 1}" for i in range(axes.shape[1])),
    )
    return replace(lexicon, weights=tables[parts], names=names), [tables[fold % parts] for fold in range(FOLDS)]


def score_texts(
    frame: pl.DataFrame,
    columns: Sequence[str],
    target: npt.NDArray[Any],
    folds: Rows,
    *,
    classes: int,
    strengths: Mapping[str, float],
    seed: int,
) -> dict[str, tuple[TextScores, list[Table]]]:
    """Learn the scores of each column that has enough text: column → scores, and their weights without each fold."""
    scored = {}
    for column in columns:
        strength = strengths.get(column, USUAL_STRENGTH)
        found = fit_scores(column, frame[column], target, folds, classes=classes, strength=strength, seed=seed)
        if found is not None:
            scored[column] = found
    return scored


def outcome_columns(target: npt.NDArray[Any], classes: int) -> Array:
    """Return indicators of each class, of the last of two, or standardised values [rows, outcomes]."""
    if not classes:
        values = np.clip(np.asarray(target, dtype=np.float64), -LARGEST, LARGEST)
        return np.asarray((values - values.mean()) / max(float(values.std()), 1e-30))[:, None]
    codes = np.arange(classes) if classes > 2 else np.array([1])
    return np.asarray(target[:, None] == codes, dtype=np.float64)


def learn_weights(vectors: csr_matrix, values: Array, classification: bool, strength: float, seed: int) -> Array:
    """Return the weights of each outcome [terms, outcomes]: ridge regression, or a linear machine for classes.

    Each term of a machine is scaled by how much more often (as a logarithm) it goes along with the class.
    """
    if not classification:
        ridge = import_library("sklearn.linear_model").Ridge(alpha=1 / strength, solver="lsqr", tol=1e-4)
        return np.asarray(ridge.fit(vectors, values).coef_).reshape(values.shape[1], -1).T
    machine = import_library("sklearn.svm").LinearSVC
    scipy_sparse = import_library("scipy.sparse")
    weights = np.zeros((vectors.shape[1], values.shape[1]))
    for k, outcome in enumerate(values.T > 0.5):
        if outcome.all() or not outcome.any():
            continue
        inside = np.asarray(vectors[outcome].sum(axis=0)).ravel() + 1
        outside = np.asarray(vectors[~outcome].sum(axis=0)).ravel() + 1
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        model = machine(C=strength, tol=0.05, random_state=seed)
        weights[:, k] = model.fit(vectors @ scipy_sparse.diags(ratio), outcome).coef_[0] * ratio
    return weights


def _components(vectors: csr_matrix, seed: int) -> Array:
    """Return the axes of a truncated singular value decomposition [terms, components] over the most frequent terms."""
    wide = min(COMPONENT_TERMS, vectors.shape[1])
    axes = np.zeros((vectors.shape[1], min(COMPONENTS, wide - 1, vectors.shape[0] - 1)))
    if axes.shape[1] < 2:
        return axes[:, :0]
    decomposition = import_library("sklearn.decomposition").TruncatedSVD(axes.shape[1], n_iter=3, random_state=seed)
    axes[:wide] = decomposition.fit(vectors[:, :wide]).components_.T
    return axes
