"""The step itself: what is always made, what is tried, and the record of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from headrace.ml.contract import CLASSIFICATION, View
from headrace.ml.process.feature_engineering.fitting import MANY_LEVELS, MOST_ONE_HOT, Family
from headrace.ml.process.feature_engineering.interactions import OPERATIONS
from headrace.ml.process.feature_engineering.selection import FAMILIES, Judge, Trial, Verdict, sample_folds
from headrace.ml.process.feature_engineering.target_encoding import Outcomes
from headrace.ml.process.feature_engineering.text_strength import choose_strengths
from headrace.ml.process.feature_engineering.workload import Work, choose_columns, plan_work
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.progress import Progress
from headrace.ml.tables.columns import Column, ColumnKind

READERS = {View.TREES: "tree models", View.SCALED: "linear models, neighbours, kernels and networks"}
DEFAULTS = (Family("target encodings", View.TREES), Family("frequencies", View.TREES), Family("powers", View.SCALED))
"""What is made where nothing can be tried."""
BESIDE_CODES = "some configurations of boosting read them instead of codes or beside them: they err differently"
MOST_INDICATOR_CELLS = 30_000_000
LEAST_FITTED, LEAST_HELD = 30, 15
"""A fold with fewer rows decides nothing."""
KINDS = {
    "target encodings": "category encoding",
    "frequencies": "category encoding",
    "number pairs": "ratio and product features",
    "category pairs": "category interaction",
    "missing count": "missing values",
    "powers": "log and power transform",
    "bins": "numeric binning",
    "products": "quadratic and product features",
}


@dataclass(frozen=True)
class Feature:
    """One engineered feature or family: where it comes from, and whether it earned its place.

    `gain` is the part of the cross-validated loss that it takes away, where that was measured.
    """

    name: str
    sources: tuple[str, ...]
    kind: str
    kept: bool
    reason: str
    gain: float | None = None


@dataclass(frozen=True)
class Decision:
    """What the plan will read and make, and the record of how that was decided."""

    columns: tuple[Column, ...]
    classes: int
    families: tuple[Family, ...]
    features: tuple[Feature, ...]
    strengths: Mapping[str, float] = field(default_factory=dict)


def decide(preparation: Preparation, classes: Sequence[str], *, seed: int, progress: Progress) -> Decision:
    """Choose the columns, try the families that shape and budget allow, and record every decision."""
    count = len(classes) if preparation.task in CLASSIFICATION else 0
    train = preparation.train
    frame, target = preparation.frame[train], preparation.target[train]
    outcomes = Outcomes.of(target, count, seed)
    columns = choose_columns(preparation.columns, frame, outcomes.values, seed)
    features = [*_left_out(preparation.columns, columns), *_always(columns, frame, preparation)]
    names = {view: _applicable(view, columns, frame) for view in View}
    tried = max(len(own) for own in names.values())
    judged = tuple(c for c in columns if c.kind not in (ColumnKind.TEXT, ColumnKind.PICTURE))
    work = plan_work(len(train), len(judged), outcomes.values.shape[1], tried, progress.affordable())
    families: list[Family] = []
    trials = _trials(preparation, count, work, seed)
    judge = Judge(judged or columns, count, preparation.imputation, preparation.indicators, trials, seed)
    for view in View:
        if view in work.views:
            progress.tell(f"trying features for {READERS[view]}")
            verdicts = judge.decide(view, names[view])
            families += [verdict.family for verdict in verdicts if verdict.kept]
            features += [_feature(verdict) for verdict in verdicts]
        else:
            families += [family for family in DEFAULTS if family.view == view and family.name in names[view]]
            features += _untried(view, names[view])
    if several := _of_several_levels(columns, frame):
        families.append(Family("one-hot", View.TREES))
        features.append(
            Feature(f"one-hot, for {READERS[View.TREES]}", several, "category encoding", True, BESIDE_CODES)
        )
    strengths = choose_strengths(columns, frame, target, outcomes.folds, classes=count, seed=seed)
    features += [Feature(*strength.described) for strength in strengths]
    return Decision(columns, count, tuple(families), tuple(features), {s.column: s.value for s in strengths})


def _of_several_levels(columns: Sequence[Column], frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the category columns whose levels trees can read one by one; none where these would be too many cells."""
    distinct = {c.name: frame[c.name].drop_nulls().n_unique() for c in columns if c.kind == ColumnKind.CATEGORY}
    several = {name: levels for name, levels in distinct.items() if 2 < levels <= MOST_ONE_HOT}
    return tuple(several) if sum(several.values()) * frame.height <= MOST_INDICATOR_CELLS else ()


def _trials(preparation: Preparation, classes: int, work: Work, seed: int) -> list[Trial]:
    """Sample the preparation's folds (a hold-out judges on validation rows), or random ones where none is of use."""
    train = preparation.train
    rows = np.concatenate([train, preparation.validation])
    frame, target = preparation.frame[rows], preparation.target[rows]
    outcomes = Outcomes.of(target, classes, seed).values
    position = np.full(preparation.frame.height, -1)
    position[rows] = np.arange(len(rows))
    folds = [(position[fit], position[held]) for fit, held in preparation.folds]
    folds = [(fit, held) for fit, held in folds if len(fit) >= LEAST_FITTED and len(held) >= LEAST_HELD]
    if not folds:
        side = np.random.default_rng(seed).permutation(len(train)) % max(1, work.folds)
        folds = [(np.flatnonzero(side != k), np.flatnonzero(side == k)) for k in range(work.folds)]
    drawn = sample_folds(folds, work.folds, work.rows, seed)
    return [Trial.of(frame, target, outcomes, fit, held) for fit, held in drawn]


def _applicable(view: View, columns: Sequence[Column], frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the families that these columns can have."""
    numbers = [c.name for c in columns if c.kind == ColumnKind.NUMBER]
    categories = [c.name for c in columns if c.kind == ColumnKind.CATEGORY]
    distinct = {c: frame[c].n_unique() for c in categories}
    gaps = [c for c in numbers if frame[c].null_count() or frame[c].is_nan().any()]
    possible = {
        "target encodings": any(n > 2 for n in distinct.values()),
        "frequencies": any(n > MANY_LEVELS for n in distinct.values()),
        "number pairs": len(numbers) > 1,
        "category pairs": len(categories) > 1,
        "missing count": len(gaps) > 1,
        "powers": bool(numbers),
        "bins": bool(numbers),
        "products": bool(numbers),
    }
    return tuple(name for name in FAMILIES[view] if possible[name])


def _feature(verdict: Verdict) -> Feature:
    family = verdict.family
    name = f"{family.name} for {READERS[family.view]}"
    if family.pairs:
        name += ": " + ", ".join(f"{a} {OPERATIONS.get(operation, 'and')} {b}" for operation, a, b in family.pairs)
    if verdict.gain is None:
        reason = "no pair of columns explains what single columns leave"
    elif verdict.gain == 0:
        reason = "cross-validated loss does not change"
    else:
        change = f"{'falls' if verdict.gain > 0 else 'rises'} by {abs(verdict.gain):.2%} ± {verdict.error:.2%}"
        bound = "more than its standard error" if verdict.kept else "no gain beyond its standard error"
        reason = f"cross-validated loss {change}, {bound}"
    sources = tuple(dict.fromkeys(column for _, *pair in family.pairs for column in pair))
    return Feature(name, sources, KINDS[family.name], verdict.kept, reason, verdict.gain)


def _untried(view: View, names: Iterable[str]) -> list[Feature]:
    taken = {family.name for family in DEFAULTS if family.view == view}
    return [
        Feature(
            f"{name} for {READERS[view]}",
            (),
            KINDS[name],
            name in taken,
            f"the budget leaves no time to try it; {'made' if name in taken else 'left out'} by default",
        )
        for name in names
    ]


def _left_out(offered: Sequence[Column], chosen: Sequence[Column]) -> list[Feature]:
    kept = {column.name for column in chosen}
    sources = tuple(column.name for column in offered if column.name not in kept)
    if not sources:
        return []
    reason = f"of {len(offered)} columns, these {len(sources)} have the least relation to the target"
    return [Feature("columns left out", sources, "selection", False, reason)]


def _always(columns: Sequence[Column], frame: pl.DataFrame, preparation: Preparation) -> list[Feature]:
    """Record the features that every plan makes."""
    names = {kind: tuple(c.name for c in columns if c.kind == kind) for kind in ColumnKind}
    distinct = {c: frame[c].n_unique() for c in names[ColumnKind.CATEGORY]}
    few = tuple(c for c, n in distinct.items() if n <= MOST_ONE_HOT)
    many = tuple(c for c, n in distinct.items() if n > MOST_ONE_HOT)
    numbers = (*names[ColumnKind.NUMBER], *names[ColumnKind.DATE])
    gaps = tuple(c for c in numbers if frame[c].null_count() or frame[c].is_nan().any())
    trees, scaled = READERS[View.TREES], READERS[View.SCALED]
    rows: list[tuple[str, tuple[str, ...], str, str]] = [
        (f"numbers as they are, for {trees}", names[ColumnKind.NUMBER], "number", "trees need no scaling"),
        (
            f"numbers clipped, standardised and imputed ({preparation.imputation}), for {scaled}",
            numbers,
            "number",
            "these models need complete numbers of like size",
        ),
        (f"codes by frequency, for {trees}", names[ColumnKind.CATEGORY], "category encoding", "trees split codes"),
        (f"one-hot, for {scaled}", few, "category encoding", f"at most {MOST_ONE_HOT} levels"),
        (f"target means and frequencies, for {scaled}", many, "category encoding", f"over {MOST_ONE_HOT} levels"),
        (f"calendar parts and ages, for {trees}", names[ColumnKind.DATE], "date", "a date says little as one number"),
        (f"cycles of the calendar, for {scaled}", names[ColumnKind.DATE], "date", "December lies next to January"),
        (f"words and pairs of words by tf-idf, for {trees}", names[ColumnKind.TEXT], "text", "models read numbers"),
        ("topics and length of a text", names[ColumnKind.TEXT], "text", "models read numbers"),
    ]
    pictures = "edges, colours and their places, along principal axes"
    rows.append((pictures, names[ColumnKind.PICTURE], "picture", "models read numbers"))
    if preparation.indicators:
        rows.append((f"missing-value indicators, for {scaled}", gaps, "missing values", "chosen with the imputation"))
    return [Feature(name, sources, kind, True, reason) for name, sources, kind, reason in rows if sources]
