"""The rows of a large table beyond the sample in memory: typed a block at a time, for the final fit alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.datasets.typed_columns import parse_table
from headrace.ml.process.problem_framing import ProblemFraming, label_texts
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.table import Table

Block = tuple[pl.DataFrame, npt.NDArray[Any]]


@dataclass(frozen=True)
class Rest:
    """`rows` more rows at most, none of them in the sample; `blocks` yields frames of the columns, and their target."""

    rows: int
    blocks: Callable[[], Iterator[Block]]


def find_rest(
    table: Table, dataset: Dataset, framing: ProblemFraming, columns: Sequence[Column], *, shuffled: bool
) -> Rest | None:
    """Return the rows that may be learnt from beside the sample.

    None where there are no others, and where rows are not `shuffled` but split by time or group: others might be of the
    test part's time, or of its groups.
    """
    if table.rest is None or not shuffled:
        return None
    read, column = table.rest, dataset.target_column or Column(framing.target, ColumnKind.CATEGORY)

    def blocks() -> Iterator[Block]:
        for raw in read():
            target, present = _targets(raw[framing.target], column, framing)
            if present.any():
                frame = parse_table(raw.filter(pl.Series(present)), columns).frame
                yield frame.select([each.name for each in columns]), target[present]

    return Rest(table.total - table.frame.height, blocks)


def _targets(raw: pl.Series, column: Column, framing: ProblemFraming) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return codes or values, and which rows have one that is learnt; labels that the sample lacks are left out."""
    if framing.task in CLASSIFICATION:
        numbered = {name: code for code, name in enumerate(framing.classes)}
        texts = label_texts(raw, column)
        codes = texts.replace_strict(list(numbered), list(numbered.values()), default=-1, return_dtype=pl.Int64)
        return codes.to_numpy(), (codes >= 0).to_numpy()
    values = parse_column(raw, replace(column, kind=ColumnKind.NUMBER))[0]
    return values.to_numpy(), values.is_not_null().to_numpy()
