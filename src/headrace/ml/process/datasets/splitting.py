"""The split into train, validation and test: 70, 10 and 20 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import ColumnError, DataError
from headrace.ml.process.datasets.association import category_codes

Rows = npt.NDArray[np.int64]

FEWEST_ROWS = 10
_TEST, _VALIDATION = 0.2, 0.1


@dataclass(frozen=True)
class Order:
    """What keeps rows together or apart: group codes and times (seconds, or any number that grows), or None."""

    groups: Rows | None = None
    times: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, time: str | None, group: str | None) -> Order:
        """Read the group and time columns of a typed frame."""
        for name in (time, group):
            if name is not None and name not in frame.columns:
                raise ColumnError(
                    f"column '{name}' was not kept for the split; name it when the datasets are developed, too"
                )
        return cls(
            None if group is None else category_codes(frame[group]), None if time is None else _times(frame[time])
        )


def _times(values: pl.Series) -> npt.NDArray[np.float64]:
    if values.null_count() == values.len():
        raise ColumnError(f"the time column '{values.name}' has no value; name another with --time")
    return values.fill_null(-np.inf).to_numpy()


@dataclass(frozen=True)
class Parts:
    """Positions of the parts' rows, and a sentence about how they came about."""

    train: Rows
    validation: Rows
    test: Rows
    described: str

    @property
    def learning(self) -> Rows:
        """The rows that choices may be made on: training and validation part, in rising order."""
        return np.sort(np.concatenate([self.train, self.validation]))


def split_rows(target: npt.NDArray[Any], task: Task, order: Order, *, seed: int, test_rows: int = 0) -> Parts:
    """Split rows 70/10/20, or 7/8 and 1/8 where `test_rows` further rows come from a table of their own.

    By time: the newest are the test part, those before them validation. By group: no group lies in two parts.
    Otherwise shuffled, stratified for classes. Every class has a row in train. Raises `DataError` for fewer than 10
    rows or 3 groups.
    """
    rows = len(target)
    if rows < FEWEST_ROWS:
        raise DataError(
            f"the table has {rows} labelled rows; at least {FEWEST_ROWS} are needed to train, validate and test"
        )
    generator = np.random.default_rng(seed)
    shares = (_TEST, _VALIDATION) if not test_rows else (0.0, 1 / 8)
    if order.groups is not None:
        part, how = _by_group(order.groups, order.times, shares, generator), "by group, none in two parts"
        how += ", the newest groups tested on" if order.times is not None else ""
    elif order.times is not None:
        part, how = _by_time(order.times, shares), "by time, the newest rows tested on"
    else:
        key = target if task in CLASSIFICATION else np.zeros(rows, dtype=np.int64)
        part = _stratified(key, shares, generator)
        how = "shuffled, stratified by class" if task in CLASSIFICATION else "shuffled"
    if task in CLASSIFICATION:
        part = _every_class_in_train(part, target, order.groups)
    train, validation, test = (np.flatnonzero(part == code) for code in (0, 1, 2))
    if order.times is None:
        train, validation, test = (generator.permutation(positions) for positions in (train, validation, test))
    else:
        train, validation, test = (p[np.argsort(order.times[p], kind="stable")] for p in (train, validation, test))
    if test_rows:
        test, how = np.arange(rows, rows + test_rows), how + "; the test part is a table of its own"
    sizes = f"{len(train):,} train, {len(validation):,} validation, {len(test):,} test rows"
    return Parts(train, validation, test, f"{sizes}: {how}")


def _stratified(strata: npt.NDArray[Any], shares: tuple[float, float], generator: np.random.Generator) -> Rows:
    """Draw systematically from the rows, shuffled within each stratum: exact shares in all, near in each stratum."""
    order = np.lexsort((generator.random(len(strata)), strata))
    place = np.arange(len(strata)) + generator.random()
    test = np.floor((place + 1) * shares[0]) > np.floor(place * shares[0])
    rest = np.cumsum(~test) - 1 + generator.random()
    share = shares[1] / (1 - shares[0])
    validation = ~test & (np.floor((rest + 1) * share) > np.floor(rest * share))
    part = np.empty(len(strata), dtype=np.int64)
    part[order] = np.where(test, 2, np.where(validation, 1, 0))
    if not (part == 1).any():
        part[order[np.flatnonzero(~test)[-1]]] = 1
    return part


def _by_time(times: npt.NDArray[np.float64], shares: tuple[float, float]) -> Rows:
    order = np.argsort(times, kind="stable")
    rows = len(times)
    tested, validated = round(rows * shares[0]), max(1, round(rows * shares[1]))
    part = np.zeros(rows, dtype=np.int64)
    part[order[rows - tested - validated : rows - tested]] = 1
    part[order[rows - tested :]] = 2
    return part


def _by_group(
    groups: Rows, times: npt.NDArray[np.float64] | None, shares: tuple[float, float], generator: np.random.Generator
) -> Rows:
    sizes = np.bincount(groups)
    if len(sizes) < 3:
        raise ColumnError(
            f"the group column has {len(sizes)} groups; a split by group needs at least 3, name another with --group"
        )
    if times is None:
        order = generator.permutation(len(sizes))
        order = order[np.argsort(sizes[order] > 0.05 * len(groups), kind="stable")]
    else:
        newest = np.full(len(sizes), -np.inf)
        np.maximum.at(newest, groups, times)
        order = np.argsort(-newest, kind="stable")
    middle = (np.cumsum(sizes[order]) - sizes[order] / 2) / len(groups)
    part_of = np.where(middle < shares[0], 2, np.where(middle < sum(shares), 1, 0))
    wanted = (2, 1, 0) if shares[0] else (1, 0)
    if len(np.unique(part_of)) < len(wanted):
        part_of = np.zeros(len(sizes), dtype=np.int64)
        part_of[: len(wanted) - 1] = wanted[:-1]
    by_group = np.empty(len(sizes), dtype=np.int64)
    by_group[order] = part_of
    return by_group[groups]


def _every_class_in_train(part: Rows, target: npt.NDArray[Any], groups: Rows | None) -> Rows:
    """Move a row (or its whole group) into train for each class that has none there."""
    part = part.copy()
    for code in np.setdiff1d(np.unique(target), np.unique(target[part == 0])):
        row = int(np.flatnonzero(target == code)[0])
        part[(groups == groups[row]) if groups is not None else [row]] = 0
    return part
