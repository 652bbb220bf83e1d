"""Where values are missing, and which go missing together."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

_ROWS = 150
_COLUMNS = 60
_PATTERNS = 20


def map_missing(frame: pl.DataFrame, *, seed: int) -> dict[str, Any]:
    """Map the missing values of the 60 columns that miss most in up to 150 rows; count patterns over all rows."""
    empty = pl.col(pl.Float64).is_null(), pl.col(pl.String) == ""
    flags = frame.select(empty)
    missing = dict(zip(flags.columns, flags.select(pl.all().sum()).row(0), strict=True)) if flags.width else {}
    names = sorted((name for name in frame.columns if missing[name]), key=lambda name: -missing[name])[:_COLUMNS]
    if not names:
        return {"columns": [], "rows": [], "patterns": []}
    flags = flags.select(names)
    rows = np.sort(np.random.default_rng(seed).permutation(frame.height)[:_ROWS])
    counts = (
        flags.group_by(names, maintain_order=True)
        .len("")
        .sort("", descending=True, maintain_order=True)
        .head(_PATTERNS)
    )
    patterns = [
        {"columns": [name for name, lost in zip(names, pattern[:-1], strict=True) if lost], "count": pattern[-1]}
        for pattern in counts.iter_rows()
    ]
    return {"columns": names, "rows": flags[rows].to_numpy().astype(int).tolist(), "patterns": patterns}
