"""Columns of numbers: read, with what is no number named by its row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import ParseError
from headrace.ml.tables import Column, ColumnKind, Table, detect_column, parse_column
from headrace.ml.tables.detection import MISSING_WORDS
from headrace.ml.tables.native_values import texts_of
from headrace.ml.tables.number_text import is_number

Floats = npt.NDArray[np.float64]


def read_numbers(table: Table, name: str) -> tuple[Floats, tuple[str, ...]]:
    """Return a column's numbers, NaN where it has none, and what is notable; raises `ParseError` for anything else."""
    column, notes = detect_column(table.frame[name], table.rows)
    odd = next((word for word in column.missing if word.lower() not in MISSING_WORDS and not is_number(word)), None)
    if column.kind is not ColumnKind.NUMBER:
        column, odd = Column(name, ColumnKind.NUMBER), _first_text(table, name)
    if odd is not None:
        text = texts_of(table.frame[name])
        row = int(table.rows[(text.str.strip_chars() == odd).arg_true()[0]])
        raise ParseError(f"column '{name}' has '{odd}' in row {row:,}, which is not a number; clean it")
    values = parse_column(table.frame[name], column)[0].to_numpy().astype(np.float64)
    return values, notes


def _first_text(table: Table, name: str) -> str | None:
    text = texts_of(table.frame[name]).str.strip_chars()
    return next((word for word in text.unique(maintain_order=True).to_list() if not _passes(word)), None)


def _passes(word: str | None) -> bool:
    return not word or word.lower() in MISSING_WORDS or is_number(word)
