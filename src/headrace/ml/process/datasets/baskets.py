"""Baskets of items out of a table, long or wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import ColumnError, DataError
from headrace.ml.prediction.baskets import NO, YES, Layout
from headrace.ml.process.datasets import Check
from headrace.ml.tables.columns import Column
from headrace.ml.tables.names import suggest
from headrace.ml.tables.number_text import is_number
from headrace.ml.tables.table import Table

FEWEST = 30
MOST_ITEMS = 1_000
"""Of more items, the most frequent are looked at."""
_MOST_VALUES = 20


@dataclass(frozen=True)
class Baskets:
    """Which basket holds which item: `held` [baskets, items]; `names` are the baskets'.

    `excluded` maps a column that no item is made of to the reason.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    held: npt.NDArray[np.bool_]
    layout: Layout
    rows: npt.NDArray[np.int64]
    excluded: Mapping[str, str]
    readiness: tuple[Check, ...]
    notes: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    personal: Mapping[str, str] = field(default_factory=dict)


def develop_baskets(
    table: Table, group: str | None, item: str | None, detected: tuple[str, str] | None, exclude: Sequence[str]
) -> Baskets:
    """Read the baskets: by the columns `group` and `item`, or those `detected` by name, or one a row.

    Raises `ColumnError` for columns that are absent or hold no items, `DataError` where no basket has two items.
    """
    frame = table.frame
    for name in (group, item, *exclude):
        if name is not None and name not in frame.columns:
            raise ColumnError(f"the table has no column '{name}'{suggest(name, frame.columns)}")
    if (group is None) != (item is None) and detected is None:
        given, other = ("--group", "--item") if item is None else ("--item", "--group")
        raise ColumnError(f"{given} names one column of the baskets; name the other with {other}")
    pair = (group, item) if group is not None and item is not None else detected
    excluded: dict[str, str] = dict.fromkeys(exclude, "excluded by --exclude")
    if pair is not None:
        layout = Layout(*pair)
        excluded |= {name: "neither basket nor item" for name in frame.columns if name not in pair}
    else:
        layout, others = _wide_layout(frame, exclude)
        excluded |= others
    names, numbers, items = layout.read(frame)
    if len(names) < FEWEST:
        raise DataError(
            f"the table has {len(names)} baskets; at least {FEWEST} are needed, and some hundreds to be of use"
        )
    return _gathered(table, names, numbers, items, layout, excluded)


def _gathered(
    table: Table,
    names: list[str],
    numbers: npt.NDArray[np.int64],
    items: list[str],
    layout: Layout,
    excluded: Mapping[str, str],
) -> Baskets:
    counts = pl.Series("item", items, dtype=pl.String).value_counts().sort(["count", "item"], descending=[True, False])
    kept = tuple(counts["item"].head(MOST_ITEMS))
    codes = {name: code for code, name in enumerate(kept)}
    held = np.zeros((len(names), len(kept)), bool)
    known = np.array([codes.get(name, -1) for name in items], np.int64)
    held[numbers[known >= 0], known[known >= 0]] = True
    sizes = held.sum(axis=1)
    if not (sizes > 1).any():
        raise DataError("no basket has two different items, so that nothing goes together; check --group and --item")
    notes = []
    if counts.height > MOST_ITEMS:
        notes.append(f"Of {counts.height:,} items, the {MOST_ITEMS:,} most frequent are looked at.")
    repeats = table.frame.height - len(items) if layout.columns is None else 0
    if repeats:
        notes.append(f"{repeats:,} rows repeat an item of their basket, or lack basket or item, and count once or not.")
    few = len(names) < 300
    single = float((sizes < 2).mean())
    checks = (
        Check(
            "availability",
            "warn" if few else "pass",
            (f"{len(names):,} baskets of {sizes.mean():.1f} items on average, {counts.height:,} different items",),
            "Collect more baskets: what is rare cannot be told from chance." if few else "",
        ),
        Check(
            "relevance",
            "warn" if single > 0.5 else "pass",
            (f"{single:.0%} of the baskets have fewer than two items and say nothing of what goes together",),
            "Check that --group names whole baskets." if single > 0.5 else "",
        ),
    )
    return Baskets(tuple(names), kept, held, layout, np.arange(len(names)), excluded, checks, tuple(notes))


def _wide_layout(frame: pl.DataFrame, exclude: Sequence[str]) -> tuple[Layout, dict[str, str]]:
    """Make an item of each yes/no column, and of each value of a column of few words."""
    columns: dict[str, dict[str, str]] = {}
    left: dict[str, str] = {}
    for name in frame.columns:
        if name in exclude:
            continue
        values = (
            frame[name].cast(pl.String).fill_null("").str.strip_chars().unique().sort().to_list()[: _MOST_VALUES + 2]
        )
        folded = {value.lower() for value in values}
        plain = {value for value in folded if value not in NO and not value.startswith("no ")}
        if plain and plain <= YES:
            columns[name] = {"": name}
        elif frame[name].dtype.is_numeric() or all(is_number(value) for value in plain):
            left[name] = "numbers, not yes or no: put them in classes to use them"
        elif len(values) > _MOST_VALUES:
            left[name] = f"more than {_MOST_VALUES} different values"
        else:
            columns[name] = {value: f"{name} = {value}" for value in values if value}
    if not columns:
        raise ColumnError(
            "no column holds items: association rules need a basket and an item column (--group and --item), "
            "or columns of yes and no"
        )
    return Layout(columns=columns), left
