"""The target as class codes or values, and which rows have one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.errors import TargetError
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import ColumnKind, parse_column
from headrace.ml.tables.detection import detect_columns
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table


@dataclass(frozen=True)
class Labels:
    """`present` tells for every row of the table whether it has a label; `codes` are the labels of those that have."""

    present: npt.NDArray[np.bool_]
    codes: npt.NDArray[np.int64] | npt.NDArray[np.float64]


def encode_target(table: Table, framing: ProblemFraming, *, described: str = "the table") -> Labels:
    """Encode the target column by `framing.classes`, or as float64 values for regression.

    Raises `TargetError` where the column is absent, has no label at all, a class that the framing does not know, or
    (regression) text or infinities.
    """
    if framing.target not in table.frame.columns:
        raise TargetError(
            f"{described} has no target column '{framing.target}'{suggest(framing.target, table.frame.columns)}; "
            "it is needed to measure the model"
        )
    raw = table.frame[framing.target]
    labels = (
        _class_codes(raw, table, framing, described)
        if framing.task in CLASSIFICATION
        else _values(raw, table, described)
    )
    if not len(labels.codes):
        raise TargetError(f"target column '{raw.name}' of {described} has no label in any of its {raw.len()} rows")
    return labels


def _class_codes(raw: pl.Series, table: Table, framing: ProblemFraming, described: str) -> Labels:
    text = raw.cast(pl.String).fill_null("").str.strip_chars()
    codes = text.replace_strict(
        list(framing.classes), range(len(framing.classes)), default=-1, return_dtype=pl.Int64
    ).to_numpy()
    unknown = text.filter(pl.Series(codes < 0)).unique().to_list()
    missing = {"", *_column(raw).missing}
    if foreign := sorted(set(unknown) - missing):
        row = table.rows[int((text == foreign[0]).arg_max() or 0)]
        known = ", ".join(f"'{name}'" for name in framing.classes[:10])
        raise TargetError(
            f"target column '{raw.name}' of {described} has the label '{foreign[0]}' in row {row}, "
            f"which is none of the classes {known}; correct the label or leave it blank"
        )
    present = codes >= 0
    return Labels(present, codes[present])


def _values(raw: pl.Series, table: Table, described: str) -> Labels:
    column = _column(raw)
    if column.kind is not ColumnKind.NUMBER:
        raise TargetError(
            f"target column '{raw.name}' of {described} holds no numbers (first: {_first(raw)}); "
            "a regression needs numbers, or pass --task multiclass"
        )
    values, unreadable = parse_column(raw, column)
    if unreadable.any():
        position = int(unreadable.arg_max() or 0)
        raise TargetError(
            f"target column '{raw.name}' of {described} has {unreadable.sum()} values that are not numbers "
            f"(first: {raw[position]!r} in row {table.rows[position]}); clean the column or leave them blank"
        )
    numbers = values.fill_null(float("nan")).to_numpy()
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise TargetError(
            f"target column '{raw.name}' of {described} has {len(infinite)} infinite values "
            f"(first in row {table.rows[infinite[0]]}); clean the column or leave them blank"
        )
    present = ~np.isnan(numbers)
    return Labels(present, numbers[present])


def _column(raw: pl.Series):  # type: ignore[no-untyped-def]
    return detect_columns(raw.to_frame())[0][0]


def _first(raw: pl.Series) -> str:
    given = raw.drop_nulls()
    return repr(given[0]) if given.len() else "none"
