"""A table as it was read: raw columns, where each row stood, and what had to be worked out to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from headrace.ml.tables.joining.plan import Joined

Rest = Callable[[], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class Table:
    """Raw values as found: text columns from text formats, native types from typed formats.

    `rows` are the 1-based positions of the rows among the data rows of the source. `notes` say what was worked out
    or repaired (encoding, delimiter, ragged rows…), a sentence each; `joins` which tables were joined to it.
    """

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]
    source: str
    format: str
    sha256: str = ""
    notes: tuple[str, ...] = ()
    total: int = 0
    rest: Rest | None = None
    joins: tuple[Joined, ...] = ()


def shown_source(source: str) -> str:
    """Return a file's name, or an address without its user, password and options: results travel further than a path.

    >>> shown_source("postgresql://ada:secret@host/shop?sslmode=require#orders")
    'postgresql://host/shop#orders'
    """
    scheme, mark, rest = source.partition("://")
    if not mark:
        return Path(source).name
    address, _, table = rest.partition("#")
    return f"{scheme}://{address.partition('?')[0].rpartition('@')[2]}{'#' * bool(table)}{table}"
