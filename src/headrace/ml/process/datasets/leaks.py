"""Columns that know the target too well to be known before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets.association import Relevance, category_codes
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column, ColumnKind

SUSPICIOUS = 0.95
TELLING_KEY = 0.8
"""Of whole numbers that no two rows share: what they tell of a class, they tell by how rows were numbered."""
_MOST_IN_SUM = 60
_FEWEST_ROWS = 10
_FEWEST_KEYS = 100


def find_determined(
    frame: pl.DataFrame, target: npt.NDArray[Any], task: Task, relevance: Mapping[str, Relevance]
) -> dict[str, str]:
    """Find columns that surely know the target; returns column → evidence. Fewer than 10 rows prove nothing.

    Classes: every value belongs to one class and every class to one value; or the column is filled in exactly where
    the target is of one class; or it holds whole numbers of which no two are alike, as keys are, and still tells the
    class. Values: a straight line through all points, the same order throughout, or parts of which it is the sum.
    """
    if len(target) < _FEWEST_ROWS:
        return {}
    found: dict[str, str] = {}
    for name in frame.columns:
        if relevance[name].value < TELLING_KEY:
            continue
        if task not in CLASSIFICATION:
            evidence = _same_order(frame[name], target) if relevance[name].value >= SUSPICIOUS else None
        else:
            evidence = _telling_key(frame[name], relevance[name]) or _filled_for_one_class(frame[name], target)
            if relevance[name].value >= SUSPICIOUS:
                evidence = _one_to_one(category_codes(frame[name]), target) or evidence
        if evidence:
            found[name] = evidence
    if task not in CLASSIFICATION:
        rest = frame.select([name for name in frame.columns if name not in found])
        parts, plain = exact_sum(rest, target, relevance)
        if plain and len(parts) < rest.width:
            listed = " and ".join(f"'{name}'" for name in parts)
            found |= dict.fromkeys(parts, f"the target is exactly the sum of {listed} in all {len(target)} rows")
    return found


def _telling_key(values: pl.Series, relevance: Relevance) -> str | None:
    if values.dtype != pl.Float64 or values.null_count() or values.len() < _FEWEST_KEYS:
        return None
    if values.n_unique() < values.len() or not bool((values == values.floor()).all()):
        return None
    return (
        f"whole numbers, all {values.len()} distinct, as identifiers are, and yet they tell the target "
        f"({relevance.measure} {relevance.value:.3f}): rows were numbered by it, as new ones cannot be"
    )


def _filled_for_one_class(values: pl.Series, classes: npt.NDArray[np.int64]) -> str | None:
    given = (values != "" if values.dtype == pl.String else values.is_not_null()).to_numpy()
    if not _FEWEST_ROWS <= given.sum() <= len(given) - _FEWEST_ROWS:
        return None
    inside = np.unique(classes[given])
    if len(inside) != 1 or (classes[~given] == inside[0]).any():
        return None
    return f"it is filled in exactly where the target has one class ({given.sum()} of {len(given)} rows)"


def _one_to_one(codes: npt.NDArray[np.int64], classes: npt.NDArray[np.int64]) -> str | None:
    pairs = np.unique(codes * (classes.max() + 1) + classes).size
    values, labels = np.unique(codes).size, np.unique(classes).size
    if pairs == values == labels:
        return f"its {values} values stand one to one for the {labels} classes in all {len(codes)} rows"
    return None


def _same_order(values: pl.Series, target: npt.NDArray[np.float64]) -> str | None:
    if values.dtype != pl.Float64 or values.null_count() or values.n_unique() < _FEWEST_ROWS:
        return None
    numbers = values.to_numpy()
    if np.array_equal(numbers, target):
        return f"it equals the target in all {len(target)} rows"
    x, y = numbers - numbers.mean(), target - target.mean()
    slope = float(x @ y) / float(x @ x)
    if np.abs(y - slope * x).max() <= 1e-9 * np.abs(y).max():
        return f"it is the target on another scale in all {len(target)} rows"
    if np.array_equal(category_codes(values), category_codes(pl.Series(target))):
        return f"it has the order of the target in all {len(target)} rows"
    return None


def with_telling_keys(excluded: Mapping[str, str], relevance: Mapping[str, Relevance]) -> dict[str, str]:
    """Add to the reason of an identifier that tells the target (as where rows are sorted by it) that it would leak."""
    return {
        name: f"{reason}; it would leak: {relevance[name].measure} with the target is {relevance[name].value:.3f}"
        if reason.startswith("identifier") and relevance[name].value >= SUSPICIOUS
        else reason
        for name, reason in excluded.items()
    }


def find_leaks(
    columns: Sequence[Column],
    frame: pl.DataFrame,
    target: npt.NDArray[Any],
    framing: ProblemFraming,
    relevance: Mapping[str, Relevance],
    time: str | None = None,
) -> dict[str, str]:
    """Find those of `columns` that may leak the target, `time` apart; returns column → evidence."""
    names = [column.name for column in columns]
    found = find_suspicious(frame.select(names), target, framing.task, relevance)
    found |= find_late_dates(columns, framing.target)
    return {name: evidence for name, evidence in found.items() if name != time}


def find_late_dates(columns: Sequence[Column], target: str) -> dict[str, str]:
    """Find date columns whose name says that they are written with the label or after it; returns column → evidence."""
    late = re.compile(rf"label|outcome|resolved|closed|cancel|terminat|{re.escape(target)}", re.IGNORECASE)
    return {
        column.name: "by its name a date that is known only with the target or after it"
        for column in columns
        if column.kind is ColumnKind.DATE and late.search(column.name)
    }


def find_suspicious(
    frame: pl.DataFrame, target: npt.NDArray[Any], task: Task, relevance: Mapping[str, Relevance]
) -> dict[str, str]:
    """Find columns that may leak the target, though they may also just be good; returns column → evidence."""
    found = {
        name: f"{one.measure} with the target is {one.value:.3f} over {one.rows:,} rows"
        for name in frame.columns
        if (one := relevance[name]).value >= SUSPICIOUS
    }
    if task not in CLASSIFICATION:
        parts, _ = exact_sum(frame, target, relevance)
        listed = ", ".join(f"'{name}'" for name in parts[:8])
        found |= dict.fromkeys(parts, f"the target is exactly a weighted sum of {listed}")
    return found


def exact_sum(
    frame: pl.DataFrame, target: npt.NDArray[np.float64], relevance: Mapping[str, Relevance]
) -> tuple[list[str], bool]:
    """Find numbers whose weighted sum is the target exactly (as where parts are kept beside their total).

    Tells too whether it is their plain sum: two parts or more, each with weight one.
    """
    names = [n for n, kind in frame.schema.items() if kind == pl.Float64 and frame[n].null_count() == 0]
    names = sorted(names, key=lambda name: -relevance[name].value)[:_MOST_IN_SUM]
    if not names or len(target) < 3 * len(names):
        return [], False
    matrix = frame.select(names).to_numpy()[:5000]
    spread = matrix.std(axis=0)
    names, matrix, spread = (
        [n for n, s in zip(names, spread, strict=True) if s > 0],
        matrix[:, spread > 0],
        spread[spread > 0],
    )
    x, y = (matrix - matrix.mean(axis=0)) / spread, target[:5000] - target[:5000].mean()
    weights, *_ = np.linalg.lstsq(x, y, rcond=1e-10)
    if y.std() == 0 or np.abs(y - x @ weights).max() > 1e-8 * np.abs(y).max():
        return [], False
    used = np.abs(weights) > 1e-4 * y.std()
    parts = [name for name, one in zip(names, used, strict=True) if one]
    return parts, len(parts) > 1 and bool(np.allclose((weights / spread)[used], 1.0, rtol=1e-6))
