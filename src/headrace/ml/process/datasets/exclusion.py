"""Which columns must not be learnt from, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import ColumnError
from headrace.ml.process.datasets.personal_data import IDENTIFYING, Personal
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.names import suggest

_FEWEST_ROWS = 20
_MET_BY_CHANCE = 14.0
"""Pairs expected to be alike among values drawn by chance; that none is then happens once in a million tables."""
_WORDS_OF_A_TEXT = 3.0
_KEY_WORDS = frozenset(
    {"id", "ids", "key", "number", "no", "nr", "num", "uuid", "guid", "index", "idx", "serial", "row"}
)
_WORDS_IN_ID = ("paid", "valid", "bid", "acid", "grid", "covid", "humid", "liquid", "solid", "fluid", "android")


@dataclass(frozen=True)
class Roles:
    """The columns that options and charter name."""

    target: str
    excluded: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None


def require_columns(names: Sequence[str], roles: Roles) -> None:
    """Check that every named column is in the table and that none is the target; raises `ColumnError`."""
    named = [
        *(("to exclude", name) for name in roles.excluded),
        *(("to keep", name) for name in roles.kept),
        *(("named as sensitive", name) for name in roles.sensitive),
        *(("of the time", name) for name in (roles.time,) if name is not None),
        *(("of the group", name) for name in (roles.group,) if name is not None),
    ]
    known = set(names)
    for role, name in named:
        if name not in known:
            raise ColumnError(f"the column {role}, '{name}', is not in the table{suggest(name, names)}")
        if name == roles.target:
            raise ColumnError(f"the column {role}, '{name}', is the target; name another column")
    if both := sorted({*roles.excluded} & {*roles.kept}):
        raise ColumnError(f"column '{both[0]}' is named both to keep and to exclude; name it once")


def require_order(columns: Sequence[Column], time: str | None) -> None:
    """Check that the time column, where one is named, holds dates or numbers; raises `ColumnError`."""
    if any(column.name == time and column.kind not in (ColumnKind.DATE, ColumnKind.NUMBER) for column in columns):
        raise ColumnError(f"the time column '{time}' holds neither dates nor numbers; name another with --time")


def choose_exclusions(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    roles: Roles,
    personal: Mapping[str, Personal],
    determined: Mapping[str, str],
) -> dict[str, str]:
    """Choose the columns that are set aside: column → reason, with its evidence.

    `frame` holds the parsed values, `determined` the columns that equal the target. Raises `ColumnError` when none
    is left.
    """
    distinct = dict(zip(frame.columns, frame.select(pl.all().n_unique()).row(0), strict=True))
    reasons: dict[str, str] = {}
    for column in columns:
        if reason := _reason(frame[column.name], column, distinct[column.name], roles, personal, determined):
            reasons[column.name] = reason
    if len(reasons) == len(columns):
        few = "; ".join(f"'{name}': {reason}" for name, reason in list(reasons.items())[:5])
        raise ColumnError(
            f"no column is left to learn from ({few or 'the table has only its target'}); "
            "add columns that describe the rows"
        )
    return reasons


def _reason(
    values: pl.Series,
    column: Column,
    distinct: int,
    roles: Roles,
    personal: Mapping[str, Personal],
    determined: Mapping[str, str],
) -> str | None:
    name, found = column.name, personal.get(column.name)
    if name in roles.excluded:
        return "excluded by --exclude or the charter"
    if name == roles.group:
        return "the group column: a model that knew the groups would not carry over to new ones"
    if _all_missing(values):
        return f"no value in any of {values.len()} rows"
    if distinct == 1:
        return f"constant: the same value in all {values.len()} rows"
    if name in roles.kept:
        return None
    if found and found.kind in IDENTIFYING and found.share >= 0.3:
        return f"personal data: {found.share:.0%} of {found.sampled} sampled values look like {found.kind}"
    if name in determined:
        return f"leak: {determined[name]}"
    if name == roles.time:
        return (
            None
            if column.kind is ColumnKind.DATE
            else "the time column, which holds no dates: used for the order of the rows only"
        )
    return identifier_evidence(values, column, distinct)


def _all_missing(values: pl.Series) -> bool:
    return bool((values == "").all()) if values.dtype == pl.String else values.null_count() == values.len()


def identifier_evidence(values: pl.Series, column: Column, distinct: int) -> str | None:
    """Say why a column is an identifier, or None: its values name rows and say nothing about new ones.

    Text: every value once (unless they are sentences), or mostly so under a key's name. Whole numbers: one up (or
    down) from row to row; or every value once in sorted order, under a key's name, or so close together that values
    drawn by chance would have met (the birthday problem). Fewer than 20 rows prove nothing.
    """
    rows = values.len()
    if rows < _FEWEST_ROWS or column.kind in (ColumnKind.DATE, ColumnKind.PICTURE) or distinct < min(rows * 0.3, 1000):
        return None
    if values.dtype == pl.String:
        return _identifying_text(values, column)
    numbers = values.drop_nulls().to_numpy()
    if not _whole(numbers) or len(numbers) < rows:
        return None
    steps = np.diff(numbers)
    if max(np.mean(steps == 1), np.mean(steps == -1)) > 0.98:
        return "identifier: counts the rows one by one"
    if distinct < rows:
        return None
    if (steps > 0).all() or (steps < 0).all():
        return f"identifier: whole numbers, all {rows} distinct and in sorted order"
    if named_like_key(column.name):
        return f"identifier: by its name a key, whole numbers, all {rows} distinct"
    span = float(numbers.max() - numbers.min()) + 1
    if rows**2 / (2 * span) > _MET_BY_CHANCE:
        return f"identifier: it numbers the rows, {rows} whole numbers out of {span:,.0f} without two alike"
    return None


def _identifying_text(values: pl.Series, column: Column) -> str | None:
    given = values.filter(values != "")
    distinct = given.n_unique()
    words = float((given.head(1000).str.count_matches(r"\s+") + 1).mean() or 1)  # type: ignore[arg-type]
    if words >= _WORDS_OF_A_TEXT or given.len() < _FEWEST_ROWS:
        return None
    if distinct == given.len():
        return f"identifier: all {distinct} values are distinct"
    if distinct > 0.5 * given.len() and named_like_key(column.name):
        return f"identifier: by its name a key, {distinct} distinct values in {given.len()} rows"
    return None


def named_like_key(name: str) -> bool:
    """Whether a column's name is that of a key.

    >>> [named_like_key(name) for name in ("customerID", "PassengerId", "PID", "row key", "rowid", "paid", "humidity")]
    [True, True, True, True, True, False, False]
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    folded = name.casefold()
    return any(word.casefold() in _KEY_WORDS for word in words) or (
        folded.endswith("id") and not folded.endswith(_WORDS_IN_ID)
    )


def _whole(numbers: npt.NDArray[Any]) -> bool:
    return len(numbers) > 0 and bool(np.all(numbers == np.floor(numbers)))
