"""Fitting the plan: which parts each view gets, learnt from the rows given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Features, View
from headrace.ml.errors import ColumnError
from headrace.ml.process.feature_engineering.categories import (
    CategoryPairs,
    Encodings,
    OneHot,
    Vocabulary,
    pair_numbering,
)
from headrace.ml.process.feature_engineering.dates import DateCycles, DateParts
from headrace.ml.process.feature_engineering.execution import Part
from headrace.ml.process.feature_engineering.imputation import fit_imputation
from headrace.ml.process.feature_engineering.interactions import NumberPairs, Pair, ScaledProducts
from headrace.ml.process.feature_engineering.numbers import (
    Bins,
    MissingCount,
    MissingIndicators,
    RawNumbers,
    ScaledNumbers,
)
from headrace.ml.process.feature_engineering.numpy_execution import (
    CrossFittedExecution,
    NumpyExecution,
    level_matrix,
    number_matrix,
)
from headrace.ml.process.feature_engineering.pictures import PictureFeatures
from headrace.ml.process.feature_engineering.plan import CHUNK, FittedPlan
from headrace.ml.process.feature_engineering.target_encoding import Outcomes
from headrace.ml.process.feature_engineering.text import TextTerms, WordCount
from headrace.ml.process.feature_engineering.text_scores import score_texts
from headrace.ml.tables.columns import Column, ColumnKind

MOST_ONE_HOT = 30
"""A category column with more levels gets target encodings and frequencies in the scaled view."""
MOST_INDICATORS = 300
MANY_LEVELS = 10
"""A category column with more levels can get its frequency as a feature."""
SAMPLE = 20_000
"""Scalings of derived features are learnt on at most so many rows, evenly spaced."""


@dataclass(frozen=True)
class Family:
    """A family of engineered features that a view gets; `pairs` for families made of pairs of columns."""

    name: str
    view: View
    pairs: tuple[Pair, ...] = ()


@dataclass
class Rows:
    """The rows that a plan is fitted on, and what several parts learn from them."""

    frame: pl.DataFrame
    outcomes: Outcomes
    numbers: list[str]
    dates: list[str]
    categories: list[str]
    texts: list[str]
    pictures: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    crossed: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read numbers and codes, and leave out columns that never change, unless there are no others."""
        values = number_matrix(self.frame, [*self.numbers, *self.dates])
        changing = np.asarray((values != values[:1]).any(axis=0) & ~np.isnan(values).all(axis=0))
        vocabulary = Vocabulary.fit(self.frame, self.categories)
        codes = level_matrix(self.frame, vocabulary)
        varied = np.flatnonzero((codes != codes[:1]).any(axis=0)).tolist()
        if changing.any() or varied or self.texts or self.pictures:
            names = [name for name, kept in zip([*self.numbers, *self.dates], changing.tolist(), strict=True) if kept]
            values = values[:, changing]
            self.dates = [name for name in self.dates if name in set(names)]
            self.numbers = [name for name in self.numbers if name in set(names)]
            vocabulary, codes = vocabulary.narrowed(varied, codes)
        self.values, self.vocabulary, self.codes = values, vocabulary, codes
        has_gap = np.asarray(np.isnan(values).any(axis=0))
        self.gaps = [c for c, g in zip([*self.numbers, *self.dates], has_gap.tolist(), strict=True) if g]
        self.counts = vocabulary.counts(codes)

    def encoded(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the target encodings of all codes, with all rows and without each fold."""
        return self.outcomes.encode(self.codes, self.vocabulary.size)

    def cross_fit(self, table: npt.NDArray[np.float32], without: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Remember that `table` holds target encodings, and what it is without each fold."""
        self.crossed[id(table)] = without
        return table


def fit_plan(
    frame: pl.DataFrame,
    target: npt.NDArray[Any],
    *,
    columns: Sequence[Column],
    classes: int,
    families: Sequence[Family],
    imputation: str,
    indicators: bool,
    views: Sequence[View],
    seed: int,
    strengths: Mapping[str, float] | None = None,
) -> tuple[FittedPlan, Mapping[View, Features]]:
    """Fit the plan and return it with the matrices of these rows, whose target encodings are cross-fitted.

    `target` [rows] holds class codes, or values where `classes` is 0. `strengths` maps a text column to how closely
    the weights of its words follow the rows.
    """
    if not columns:
        raise ColumnError("no column is left to learn from; keep at least one column beside the target")
    names = {kind: [c.name for c in columns if c.kind == kind] for kind in ColumnKind}
    rows = Rows(
        frame,
        Outcomes.of(target, classes, seed),
        names[ColumnKind.NUMBER],
        names[ColumnKind.DATE],
        names[ColumnKind.CATEGORY],
        names[ColumnKind.TEXT],
        {c.name: c.shape for c in columns if c.kind is ColumnKind.PICTURE},
    )
    pictures = [PictureFeatures.fit(c, frame[c], shape) for c, shape in rows.pictures.items()]
    scored = score_texts(
        frame, rows.texts, target, rows.outcomes.folds, classes=classes, strengths=strengths or {}, seed=seed
    )
    rows.crossed |= {id(part.weights): tables for part, tables in scored.values()}
    texts = [p for c in rows.texts if (p := TextTerms.fit(c, frame[c], rows.outcomes.values)).terms]
    doubles: dict[View, tuple[Part, ...]] = {}
    floats: dict[View, tuple[Part, ...]] = {}
    with np.errstate(all="ignore"):
        for view in dict.fromkeys(views):
            wanted = {family.name: family for family in families if family.view == view}
            if view == View.TREES:
                double, single = _tree_parts(rows, wanted)
            else:
                double, single = _scaled_parts(rows, wanted, imputation, indicators, seed)
            doubles[view] = tuple(part for part in [*double, *(WordCount(c) for c in rows.texts)] if part.names)
            terms = [p for p in texts if view == View.TREES or p.column not in scored]
            floats[view] = tuple(
                part for part in [*single, *(part for part, _ in scored.values()), *terms, *pictures] if part.names
            )
    plan = FittedPlan(tuple(columns), doubles, floats)
    return plan, {view: _cross_fitted(plan, rows, view) for view in doubles}


def _cross_fitted(plan: FittedPlan, rows: Rows, view: View) -> Features:
    matrix = np.empty((rows.frame.height, len(plan.names(view))), dtype=np.float32)
    for start in range(0, rows.frame.height, CHUNK):
        part = slice(start, start + CHUNK)
        run = CrossFittedExecution(rows.frame[part], rows.outcomes.folds[part], rows.crossed)
        matrix[part] = plan.execute(run, view)
    return matrix


def _tree_parts(rows: Rows, wanted: Mapping[str, Family]) -> tuple[list[Part], list[Part]]:
    double: list[Part] = []
    single: list[Part] = []
    if rows.numbers:
        double.append(RawNumbers.fit(rows.numbers, rows.values[:, : len(rows.numbers)]))
    if "number pairs" in wanted:
        pairs = [p for p in wanted["number pairs"].pairs if {p[1], p[2]} <= {*rows.numbers}]
        double.append(NumberPairs.fit(pairs))
    if rows.dates:
        double.append(_changing(rows, DateParts.fit(rows.dates, rows.values[:, len(rows.numbers) :])))
    if "missing count" in wanted and len(rows.gaps) > 1:
        double.append(MissingCount(tuple(rows.gaps)))
    if rows.categories and rows.vocabulary.columns:
        single.append(_tree_encodings(rows, wanted))
        if "one-hot" in wanted:
            several = [i for i, levels in enumerate(rows.vocabulary.levels) if 2 < len(levels) <= MOST_ONE_HOT]
            single.append(OneHot.fit(rows.vocabulary, rows.codes, several, widest=MOST_INDICATORS))
    if "category pairs" in wanted:
        single.append(_category_pairs(rows, wanted["category pairs"].pairs, standardised=False))
    return [part for part in double if part.names], single


def _tree_encodings(rows: Rows, wanted: Mapping[str, Family]) -> Encodings:
    vocabulary = rows.vocabulary
    order = np.empty(vocabulary.size, dtype=np.float32)
    for start, levels in zip(vocabulary.starts, vocabulary.levels, strict=True):
        order[start : start + len(levels) + 2] = [*range(len(levels)), -1, np.nan]
    tables = [order[:, None]]
    kinds = ["code"]
    if "frequencies" in wanted:
        tables.append((rows.counts / max(1, rows.frame.height)).astype(np.float32)[:, None])
        kinds.append("frequency")
    means = "target encodings" in wanted
    if means:
        encoded, without = rows.encoded()
        tables.append(encoded)
        kinds += rows.outcomes.names
    table = np.concatenate(tables, axis=1)
    kept, names = [], []
    for i, (column, levels) in enumerate(zip(vocabulary.columns, vocabulary.levels, strict=True)):
        for k, kind in enumerate(kinds):
            least = {"code": -1, "frequency": MANY_LEVELS}.get(kind, 2)
            if len(levels) > least:
                kept.append(i * len(kinds) + k)
                names.append(f"{column}: {kind}")
    if means:
        same = np.broadcast_to(table, (len(without), *table.shape)).copy()
        same[:, :, -without.shape[2] :] = without
        rows.cross_fit(table, same)
    return Encodings(vocabulary, table, tuple(kept), tuple(names))


def _scaled_parts(
    rows: Rows, wanted: Mapping[str, Family], imputation: str, indicators: bool, seed: int
) -> tuple[list[Part], list[Part]]:
    double: list[Part] = []
    single: list[Part] = []
    names = [*rows.numbers, *rows.dates]
    if names:
        scaled = ScaledNumbers.fit(names, rows.values, powers="powers" in wanted)
        sample = NumpyExecution(rows.frame.gather_every(max(1, -(-rows.frame.height // SAMPLE))))
        numbers = fit_imputation(imputation, scaled, sample.of(scaled), seed)
        double.append(numbers)
        if "products" in wanted:
            pairs = [p for p in wanted["products"].pairs if {p[1], p[2]} <= {*names}]
            if pairs:
                double.append(ScaledProducts.fit(numbers, pairs, sample.of(numbers)))
        if indicators and rows.gaps:
            single.append(MissingIndicators(tuple(rows.gaps)))
        if "bins" in wanted and rows.numbers:
            single.append(Bins.fit(rows.numbers, rows.values[:, : len(rows.numbers)]))
    if rows.dates:
        double.append(_changing(rows, DateCycles.fit(rows.dates)))
    if rows.categories and rows.vocabulary.columns:
        few = [i for i, levels in enumerate(rows.vocabulary.levels) if len(levels) <= MOST_ONE_HOT]
        single.append(OneHot.fit(rows.vocabulary, rows.codes, few))
        if len(few) < len(rows.vocabulary.columns):
            single.append(_scaled_encodings(rows, few))
    if "category pairs" in wanted:
        single.append(_category_pairs(rows, wanted["category pairs"].pairs, standardised=True))
    return double, single


def _scaled_encodings(rows: Rows, few: Sequence[int]) -> Encodings:
    vocabulary = rows.vocabulary
    encoded, without = rows.encoded()
    frequency = np.log1p(rows.counts).astype(np.float32)[:, None]
    table = np.concatenate([frequency, encoded], axis=1)
    folds = np.concatenate([np.broadcast_to(frequency, (len(without), *frequency.shape)), without], axis=2)
    kept, names = [], []
    width = table.shape[1]
    for i, column in enumerate(vocabulary.columns):
        own = slice(int(vocabulary.starts[i]), int(vocabulary.starts[i] + vocabulary.sizes[i]))
        _standardise(table[own], folds[:, own], rows.counts[own])
        if i not in few:
            kept += [i * width + k for k in range(width)]
            names += [f"{column}: {kind}" for kind in ("log frequency", *rows.outcomes.names)]
    return Encodings(vocabulary, rows.cross_fit(table, folds), tuple(kept), tuple(names))


def _standardise(table: npt.NDArray[np.float32], folds: npt.NDArray[np.float32], counts: npt.NDArray[np.int64]) -> None:
    """Bring a table (and itself without each fold) to mean 0 and deviation 1 over the rows, in place."""
    rows = max(1, int(counts.sum()))
    mean = (counts @ table.astype(np.float64)) / rows
    deviation = np.sqrt(counts @ (table - mean) ** 2 / rows)
    deviation = np.where(deviation > 1e-12, deviation, 1.0)
    table[:] = (table - mean) / deviation
    folds[:] = (folds - mean) / deviation


def _category_pairs(rows: Rows, pairs: Sequence[Pair], *, standardised: bool) -> CategoryPairs:
    place = {column: i for i, column in enumerate(rows.vocabulary.columns)}
    pairs = [pair for pair in pairs if pair[1] in place and pair[2] in place]
    left, right = tuple(place[a] for _, a, _ in pairs), tuple(place[b] for _, _, b in pairs)
    names = tuple(f"{a} and {b}: {kind}" for _, a, b in pairs for kind in rows.outcomes.names)
    factor, shift, size = pair_numbering(rows.vocabulary, left, right)
    codes = rows.codes[:, left] * factor + rows.codes[:, right] + shift
    table, without = rows.outcomes.encode(codes, size)
    if standardised:
        counts = sum((np.bincount(c, minlength=size) for c in codes.T), np.zeros(size, dtype=np.int64))
        _standardise(table, without, counts)
    return CategoryPairs(rows.vocabulary, left, right, rows.cross_fit(table, without), names)


def _changing(rows: Rows, part: Any) -> Part:
    """Keep those features of a date part that are not the same in every row."""
    block = part.apply(NumpyExecution(rows.frame.gather_every(max(1, -(-rows.frame.height // SAMPLE)))))
    first = block[:1]
    changes = (~((block == first) | (np.isnan(block) & np.isnan(first)))).any(axis=0)
    kept = tuple(int(i) for i in np.flatnonzero(changes)) or (0,)
    changed: Part = replace(part, kept=kept, names=tuple(part.names[i] for i in kept))
    return changed
