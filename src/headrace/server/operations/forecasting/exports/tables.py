"""The tables that exports are made of, in AWS's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headrace.server.context import Platform
from headrace.server.operations.forecasting.forecasts import keeping
from headrace.server.operations.forecasting.forecasts.keeping import Index

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl


def forecast_tables(platform: Platform, arn: str, rows: int, **added: str) -> Iterator[pl.DataFrame]:
    """Yield a forecast in runs of about so many rows: the dimensions, date, and a column for each type.

    `added` are columns of one text that stand before all others.
    """
    import polars as pl

    with platform.metadata.reading() as connection:
        index = keeping.index_of(connection, platform, arn)
    labels = list(index.rows)
    for first, values in keeping.parts_of(platform, arn, index, rows):
        count = values.shape[0]
        here = labels[first : first + count]
        columns = {name: pl.Series([text] * (count * index.horizon)) for name, text in added.items()}
        columns |= _labels(index.dimensions, here, index.horizon)
        columns["date"] = pl.Series([f"{time}Z" for row in range(first, first + count) for time in index.times(row)])
        columns |= _values(index, values)
        yield pl.DataFrame(columns)


def _labels(dimensions: Sequence[str], items: Sequence[tuple[str, ...]], horizon: int) -> dict[str, pl.Series]:
    import polars as pl

    return {
        name: pl.Series([item[at] for item in items for _ in range(horizon)], dtype=pl.String)
        for at, name in enumerate(dimensions)
    }


def _values(index: Index, values: npt.NDArray[np.float64]) -> dict[str, pl.Series]:
    import polars as pl

    return {name: pl.Series(values[:, at].ravel()) for at, name in enumerate(index.types)}
