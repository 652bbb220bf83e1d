"""The cross-validation plan: a function of shape and budget alone, never of measured time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets.splitting import Order

Rows = npt.NDArray[np.int64]
Fold = tuple[Rows, Rows]

_LEAVE_ONE_OUT = 60
_SMALL = 1_000
_LARGE = 100_000
_CELLS_A_SECOND = 50_000
_SHORT = 30.0


def plan_folds(
    train: Rows,
    validation: Rows,
    target: npt.NDArray[Any],
    task: Task,
    order: Order,
    columns: int,
    *,
    seed: int,
    budget: float | None,
) -> tuple[tuple[Fold, ...], str]:
    """Plan the folds within `train`, or one fold (train, validation) where fitting several times costs too much.

    Up to 60 rows: leave one out. Under 1,000: 10 folds. Up to 100,000: 5, or 3, as many as the budget pays at 50,000
    cells a second; beyond: one. Groups stay whole; with times every fold is scored on rows newer than those fitted
    on.
    """
    rows = len(train)
    count = fold_count(rows, columns, budget)
    generator = np.random.default_rng(seed + 1)
    if order.times is not None:
        if count == 1 or rows < 2 * (count + 1):
            return ((train, validation),), "one hold-out: the validation part, newer than the training part"
        folds = tuple(_by_time(train, target, task, count))
        if folds:
            return folds, f"{len(folds)} folds in the order of time, each scored on rows newer than those fitted on"
        return ((train, validation),), "one hold-out: the validation part, newer than the training part"
    groups = None if order.groups is None else order.groups[train]
    count = count if groups is None else min(count, len(np.unique(groups)))
    if count == 1:
        return ((train, validation),), "one hold-out: the validation part; more folds would cost too much of the budget"
    strata = target[train] if task in CLASSIFICATION else np.zeros(rows, dtype=np.int64)
    fold_of = _assign(strata, groups, count, generator)
    folds = tuple(fold for code in range(count) if (fold := _fold(train, fold_of == code, strata)) is not None)
    kind = "grouped" if groups is not None else "stratified" if task in CLASSIFICATION else "shuffled"
    return folds, f"leave one out: {len(folds)} folds of one row" if count == rows else f"{len(folds)} {kind} folds"


def fold_count(rows: int, columns: int, budget: float | None) -> int:
    """Number of folds by training rows, columns and budget (seconds; None is unlimited); 1 is a hold-out.

    >>> fold_count(40, 5, 60.0), fold_count(700, 10, 60.0), fold_count(5_000, 20, 60.0), fold_count(140_000, 15, 60.0)
    (40, 10, 5, 1)
    """
    if rows > _LARGE:
        return 1
    affordable = float("inf") if budget is None else budget * _CELLS_A_SECOND
    if rows <= _LEAVE_ONE_OUT and (budget is None or budget >= _SHORT):
        return rows if rows * rows * columns <= affordable else 5
    wanted = [5, 3] if rows >= _SMALL else [10, 5, 3]
    return next((count for count in wanted if count * rows * columns <= affordable), 1)


def _assign(strata: npt.NDArray[Any], groups: Rows | None, count: int, generator: np.random.Generator) -> Rows:
    """Deal rows (or groups, largest first to the smallest fold) out to folds, class by class."""
    if groups is None:
        order = np.lexsort((generator.random(len(strata)), strata))
        fold_of = np.empty(len(strata), dtype=np.int64)
        fold_of[order] = np.arange(len(strata)) % count
        return fold_of
    codes, dense = np.unique(groups, return_inverse=True)
    sizes = np.bincount(dense)
    order = generator.permutation(len(codes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of_group = np.empty(len(codes), dtype=np.int64)
    filled = np.zeros(count)
    large = min(len(codes), 10_000)
    for code in order[:large]:
        fold_of_group[code] = int(filled.argmin())
        filled[fold_of_group[code]] += sizes[code]
    fold_of_group[order[large:]] = np.arange(len(codes) - large) % count
    return fold_of_group[dense]


def _fold(train: Rows, scored: npt.NDArray[np.bool_], strata: npt.NDArray[Any]) -> Fold | None:
    """Make a fold; rows whose class would be missing from the fitted rows are fitted on and not scored."""
    kept = np.isin(strata, strata[~scored])
    scored = scored & kept
    return (train[~scored], train[scored]) if scored.any() else None


def _by_time(train: Rows, target: npt.NDArray[Any], task: Task, count: int) -> Iterator[Fold]:
    """Cut `train` (in order of time) into blocks; score each on all before it, where these hold every class."""
    blocks = np.array_split(train, count + 1)
    classes = len(np.unique(target[train]))
    for last in range(1, count + 1):
        fitted = np.concatenate(blocks[:last])
        if task not in CLASSIFICATION or len(np.unique(target[fitted])) == classes:
            yield fitted, blocks[last]
