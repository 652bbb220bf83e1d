"""Recognising what a table is for by its shape, where no label tells it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import polars as pl

from headrace.ml.contract import SUPERVISED, Task
from headrace.ml.errors import ColumnError, NotBuiltError, OptionError
from headrace.ml.process.problem_framing.target import detect
from headrace.ml.tables.columns import ColumnKind
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

_IMAGES = r"(?i)\.(png|jpe?g|gif|bmp|webp|tiff?)$"
LABEL = "label"
CONTENTS = (
    (ColumnKind.TEXT, Task.TEXT_CLASSIFICATION, "free text"),
    (ColumnKind.PICTURE, Task.IMAGE_CLASSIFICATION, "pictures"),
)
WHOLE = {task: (kind, what) for kind, task, what in CONTENTS}
"""Tasks that are told by what a column holds: the kind of column, and what it is called."""
_USERS = re.compile("(user|customer|visitor|member|reviewer)(id)?")
_ITEMS = re.compile("(item|product|movie|book|song|article|sku)(id)?")
_BASKETS = re.compile("(basket|transaction|order|invoice)(id|no)?")
_FEW = 3  # a table with more features than this is taken for what it looks like: rows with features


def recognise_task(
    table: Table, target: str | None, excluded: Collection[str], *, task: Task | None, time: str | None
) -> tuple[Task | None, str]:
    """Return the task that the table calls for and why; None where the label alone tells it.

    Raises `ColumnError` for a target or time column that is absent, and where neither a target nor the shape of the
    table says what to do.
    """
    names = table.frame.columns
    if target is not None and target not in names:
        hint = suggest(target, names) or f"; the table has {few(names)}"
        raise ColumnError(f"the table has no column '{target}' to predict{hint}")
    if task is not None:
        return (task, "it was asked for with --task")
    if time is not None and time not in names:
        raise ColumnError(f"the table has no time column '{time}'{suggest(time, names)}")
    if target is None:
        return _without_target(table)
    features = tuple(name for name in names if name != target and name not in excluded)
    return _with_target(table, target, features, time) or (None, "")


def usual_target(table: Table, target: str | None) -> str | None:
    """Return the target, which for a folder of pictures or texts is the name of each file's subfolder."""
    return LABEL if target is None and _listed(table) and LABEL in table.frame.columns else target


def _listed(table: Table) -> str | None:
    """Return the column of file names of a folder's listing."""
    return "path" if table.format.endswith(" folder") else None


def refuse_unbuilt(task: Task | None, because: str) -> None:
    """Raise `NotBuiltError` for a task that no label of a row answers."""
    if task is None or task in SUPERVISED or task in WHOLE:
        return
    words = str(task).replace("_", " ")
    raise NotBuiltError(
        f"{words} is recognised ({because}) and not built yet; "
        "pass --target with --task binary, multiclass or regression to predict a column of each row instead"
    )


def require_content(table: Table, features: Sequence[str], task: Task) -> Task:
    """Return the task of the labels, after a check that a column holds what is to be classified; `OptionError` else."""
    kind, what = WHOLE[task]
    if not any(detect(table.frame[name]).kind is kind for name in features):
        raise OptionError(
            f"--task {task} needs a column that holds {what}, and none of {few(features)} does; "
            "leave --task out to have it found"
        )
    return Task.MULTICLASS


def few(names: Sequence[str]) -> str:
    """List the first eight names, and how many more there are."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _with_target(table: Table, target: str, features: tuple[str, ...], time: str | None) -> tuple[Task, str] | None:
    """Look for forecasting, recommendation, text and images in a table of few columns."""
    if not 1 <= len(features) <= _FEW:
        return None
    frame = table.frame
    if (pair := _user_and_item(features)) and detect(frame[target]).kind is ColumnKind.NUMBER:
        return Task.RECOMMENDATION, f"'{target}' is a rating by {pair}"
    kinds = {name: detect(frame[name]).kind for name in features if name != _listed(table)}
    for kind, task, what in CONTENTS:
        if names := [name for name, found in kinds.items() if found is kind and len(kinds) == 1]:
            return task, f"the only feature, '{names[0]}', holds {what}"
    if any(_is_images(frame[name]) for name in features):
        raise ColumnError(
            f"the table names files of pictures and does not hold them; give the folder with a subfolder a label of "
            f"'{target}', or a Parquet file with their bytes"
        )
    moments = [name for name in features if name == time or kinds[name] is ColumnKind.DATE]
    others = [name for name in features if name not in moments]
    if len(moments) == 1 and len(others) <= 1 and detect(frame[target]).kind is ColumnKind.NUMBER:
        keys = frame.select(*moments, *others)
        items = [kinds[name] is ColumnKind.CATEGORY for name in others]
        if frame.height > 1 and not keys.is_duplicated().any() and all(items) and frame[target].n_unique() > 2:
            return Task.FORECASTING, f"'{target}' is one number a time of '{moments[0]}'"
    return None


def _without_target(table: Table) -> tuple[Task, str]:
    """Guess what a table without a target is for."""
    names = tuple(table.frame.columns)
    if len(names) <= _FEW + 1:
        if pair := _user_and_item(names):
            return Task.RECOMMENDATION, f"there are columns of {pair}"
        if baskets := basket_columns(names):
            return Task.ASSOCIATION_RULES, f"'{baskets[0]}' groups the items of '{baskets[1]}' into baskets"
        kinds = [detect(table.frame[name]).kind for name in names]
        if kinds.count(ColumnKind.DATE) == 1 and kinds.count(ColumnKind.NUMBER) == 1:
            return Task.FORECASTING, "there is one column of times and one of numbers"
    raise ColumnError(
        f"no target is named; pass --target with one of {few(names)} to predict it, or for a table without a label "
        "--task clustering, anomaly_detection or association_rules"
    )


def basket_columns(names: Sequence[str]) -> tuple[str, str] | None:
    """Return the columns of the basket and the item, where their names tell."""
    basket, item = _named(tuple(names), _BASKETS), _named(tuple(names), _ITEMS)
    return (basket, item) if basket and item else None


def _user_and_item(names: tuple[str, ...]) -> str | None:
    user, item = _named(names, _USERS), _named(names, _ITEMS)
    return f"'{user}' of '{item}'" if user and item else None


def _named(names: tuple[str, ...], pattern: re.Pattern[str]) -> str | None:
    return next((name for name in names if pattern.fullmatch("".join(filter(str.isalnum, name.casefold())))), None)


def _is_images(raw: pl.Series) -> bool:
    given = raw.drop_nulls()
    return raw.dtype == pl.String and given.len() > 0 and bool(given.str.contains(_IMAGES).all())
