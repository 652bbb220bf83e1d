"""Statistics of what was imported, field by field. AWS page: Statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.server.operations.forecasting.domains import NUMBERS, Layout

if TYPE_CHECKING:
    import polars

LARGEST = 2**31 - 1


def statistics_of(parts: Sequence[Path], layout: Layout) -> dict[str, dict[str, Any]]:
    """Return the statistics of each field: counts, and for numbers and timestamps what they range over."""
    import polars as pl

    frame = pl.scan_parquet(list(parts), glob=False)
    return {name: _counted(frame.select(pl.col(name).alias("x")), kind) for name, kind in layout.types.items()}


def _counted(frame: polars.LazyFrame, kind: str) -> dict[str, Any]:
    import polars as pl

    column = pl.col("x")
    valid = column.fill_nan(None) if kind == "float" else column
    asked = {
        "count": column.count(),
        "count_distinct": column.drop_nulls().n_unique(),
        "count_null": column.null_count(),
    }
    if kind == "float":
        asked["count_nan"] = column.is_nan().sum()
    if kind in NUMBERS:
        asked |= {"min": valid.min(), "max": valid.max(), "avg": valid.mean(), "stddev": valid.std(ddof=0)}
    elif kind == "timestamp":
        asked |= {
            name: each.dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name, each in (("min", valid.min()), ("max", valid.max()))
        }
    found = (
        frame.select(each.alias(name) for name, each in asked.items()).collect(engine="streaming").row(0, named=True)
    )
    return dict(_shown(found))


def _shown(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return statistics as AWS writes them: counts past an Integer as Longs, ranges as texts."""
    shown: dict[str, Any] = {}
    for name, value in found.items():
        if name.startswith("count"):
            shown[name] = value if value <= LARGEST else -1
            if value > LARGEST:
                shown[f"{name}_long"] = value
        elif value is not None:
            shown[name] = str(value) if name in ("min", "max") else value
    return shown
