"""How closely the weights of a text's words follow the rows: chosen on rows held out of the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.feature_engineering.text_scores import (
    USUAL_STRENGTH,
    Array,
    Rows,
    TextVectors,
    learn_weights,
    outcome_columns,
)
from headrace.ml.tables.columns import Column, ColumnKind

STRENGTHS = (USUAL_STRENGTH, 0.3, 3.0)
MOST_MEASURED_ROWS = 4_000
LEAST_GAIN = 0.002
"""Of the variance explained; for less the usual strength is kept."""


@dataclass(frozen=True)
class Strength:
    """The inverse penalty of the weights of a column's words, and the fields of a `Feature` that records its choice."""

    column: str
    value: float
    described: tuple[str, tuple[str, ...], str, bool, str]


def choose_strengths(
    columns: Sequence[Column],
    frame: pl.DataFrame,
    target: npt.NDArray[Any],
    folds: Rows,
    *,
    classes: int,
    seed: int,
) -> list[Strength]:
    """Choose the strength of each text column that has enough text."""
    chosen = []
    for column in (c.name for c in columns if c.kind is ColumnKind.TEXT):
        explained = measure_strengths(column, frame[column], target, folds, classes=classes, seed=seed)
        if not explained:
            continue
        best = max(explained, key=lambda strength: explained[strength])
        if explained[best] < explained[USUAL_STRENGTH] + LEAST_GAIN:
            best = USUAL_STRENGTH
        listed = ", ".join(f"{explained[s]:.1%} at {s:g}" for s in sorted(explained))
        reason = f"held-out variance explained by strength: {listed}"
        name = f"what up to thousands of words and pairs of words say, strength {best:g}"
        chosen.append(Strength(column, best, (name, (column,), "text", True, reason)))
    return chosen


def measure_strengths(
    column: str, text: pl.Series, target: npt.NDArray[Any], folds: Rows, *, classes: int, seed: int
) -> dict[float, float]:
    """Compare strengths on a held-out fold: strength → share of the outcomes' variance explained."""
    step = max(1, -(-len(text) // MOST_MEASURED_ROWS))
    values, folds = outcome_columns(target, classes)[::step], folds[::step]
    found = TextVectors.fit(column, text.gather_every(step), values.shape[1])
    if found is None:
        return {}
    learnt, held = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    explained = {}
    for strength in STRENGTHS:
        weights = learn_weights(found.vectors[learnt], values[learnt], classes > 0, strength, seed)
        explained[strength] = _agreement(found.vectors[held] @ weights, values[held])
    return explained


def _agreement(scores: Array, values: Array) -> float:
    """Return the mean squared correlation of scores with outcomes."""
    scores, values = scores - scores.mean(axis=0), values - values.mean(axis=0)
    norms = np.sqrt((scores**2).sum(axis=0) * (values**2).sum(axis=0))
    return float(np.mean(((scores * values).sum(axis=0) / np.where(norms > 0, norms, np.inf)) ** 2))
