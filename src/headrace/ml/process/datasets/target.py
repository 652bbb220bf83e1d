"""The target as class codes or values, and which rows have one that can be learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.errors import TargetError
from headrace.ml.process.problem_framing import ProblemFraming, label_texts
from headrace.ml.process.problem_framing.target import Label
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

_SHOWN = 40


@dataclass(frozen=True)
class Target:
    """`present` tells for every row of the table whether it is kept; `codes` are the labels of the rows that are.

    `unlabelled` rows have no label; the rest of those left out have a class with too few rows.
    """

    column: Column
    present: npt.NDArray[np.bool_]
    codes: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    unlabelled: int


def encode_target(
    table: Table, framing: ProblemFraming, *, column: Column | None = None, described: str = "the table"
) -> Target:
    """Encode the target column by `framing.classes`, or as float64 values for regression; `column` is how to read it.

    Raises `TargetError` where the column is absent, has no label, a class that the framing does not know, or
    (regression) text or infinities.
    """
    name, names = framing.target, table.frame.columns
    if name not in names:
        raise TargetError(
            f"{described} has no target column '{name}', which a model is measured by; add it{suggest(name, names)}"
        )
    raw = table.frame[name]
    column = column or detect_column(raw)[0]
    texts = label_texts(raw, column)
    labelled = (texts != "").to_numpy()
    if framing.task in CLASSIFICATION:
        codes = _class_codes(texts, table, framing, described)
        present = codes >= 0
    else:
        Label(raw.filter(labelled), table.rows[labelled], column, 0).require_numbers()
        values = parse_column(raw, replace(column, kind=ColumnKind.NUMBER))[0]
        present = values.is_not_null().to_numpy()
        codes = values.to_numpy()
    if not present.any():
        raise TargetError(
            f"target column '{name}' of {described} has no usable label in its {raw.len():,} rows; name another column"
        )
    return Target(column, present, codes[present], int((~labelled).sum()))


def _class_codes(texts: pl.Series, table: Table, framing: ProblemFraming, described: str) -> npt.NDArray[np.int64]:
    """Number the classes in the framing's order; -1 where there is no label or one with too few rows."""
    numbered = {name: code for code, name in enumerate(framing.classes)} | dict.fromkeys(("", *framing.rare), -1)
    codes = texts.replace_strict(list(numbered), list(numbered.values()), default=-2, return_dtype=pl.Int64)
    if (codes == -2).any():
        first = int((codes == -2).arg_max() or 0)
        known = ", ".join(f"'{name[:_SHOWN]}'" for name in framing.classes[:10])
        raise TargetError(
            f"target column '{framing.target}' of {described} has the label '{texts[first][:_SHOWN]}' in row "
            f"{table.rows[first]}, which is none of the classes {known}; correct the label or leave it blank"
        )
    return codes.to_numpy()
