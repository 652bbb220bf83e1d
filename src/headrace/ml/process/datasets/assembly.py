"""A dataset put together of a table's typed columns and what was decided about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.datasets.personal_data import Personal
from headrace.ml.process.datasets.typed_columns import Parsed
from headrace.ml.tables.columns import Column


def assemble(
    task: Task,
    columns: Sequence[Column],
    read: pl.DataFrame,
    parsed: Parsed,
    *,
    personal: Mapping[str, Personal],
    excluded: Mapping[str, str],
    notable: Mapping[str, Sequence[str]],
    needed: Collection[str | None],
    target: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
) -> Dataset:
    """Return the dataset of the columns that are not excluded; of the others, those `needed` are kept aside.

    `read` are the values as they were read, `parsed` what they were taken for; `rows` are their source positions.
    """
    kept = tuple(column for column in columns if column.name not in excluded)
    aside = tuple(column for column in columns if column.name in needed and column.name in excluded)
    return Dataset(
        task=task,
        columns=kept,
        frame=parsed.frame.select([column.name for column in kept]),
        target=target,
        rows=rows,
        personal={name: found.kind for name, found in personal.items()},
        excluded=excluded,
        readiness=(),
        notes=tuple(note for name, notes in notable.items() if name not in personal for note in notes),
        aside=parsed.frame.select([column.name for column in aside]),
        aside_columns=aside,
        disguised=parsed.disguised,
        unreadable=parsed.unreadable,
        native=frozenset(name for name, kind in read.schema.items() if kind != pl.String),
    )
