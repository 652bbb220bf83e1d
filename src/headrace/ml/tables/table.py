"""A table as it was read: raw columns, where each row stood, and what had to be worked out to read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True)
class Table:
    """Raw values as found: text columns from text formats, native types from typed formats.

    `rows` are the 1-based positions of the rows among the data rows of the source. `notes` say what was worked out
    or repaired (encoding, delimiter, ragged rows…), a sentence each.
    """

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]
    source: str
    format: str
    sha256: str = ""
    notes: tuple[str, ...] = ()
