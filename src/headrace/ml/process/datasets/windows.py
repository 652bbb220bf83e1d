"""A series as a table: each row with the values before it, so that shapes over time can be strange."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import ColumnError, OptionError
from headrace.ml.prediction.windows import lag_name, with_lags
from headrace.ml.process.datasets import Dataset
from headrace.ml.tables.columns import ColumnKind
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.table import Table

MOST_NUMBERS = 3
"""A table of a time and at most so many numbers is taken for a series."""
MOST_FEATURES = 200
"""Values that a window holds at most, of all columns together."""
LONGEST, SHORTEST = 48, 8
_CLEAR = 0.3
"""An autocorrelation from here on is a season."""


def find_time(table: Table, named: str | None, target: str | None) -> str | None:
    """Return the time column of a series: the one named, or the only date beside at most three numbers."""
    if named is not None:
        return named
    names = [name for name in table.frame.columns if name != target]
    if not 2 <= len(names) <= MOST_NUMBERS + 1:
        return None
    kinds = {name: detect_column(table.frame[name], table.rows)[0].kind for name in names}
    dates = [name for name, kind in kinds.items() if kind is ColumnKind.DATE]
    numbers = [name for name, kind in kinds.items() if kind is ColumnKind.NUMBER]
    return dates[0] if len(dates) == 1 and len(numbers) == len(names) - 1 else None


def with_windows(dataset: Dataset, time: str | None, asked: int | None) -> Dataset:
    """Put the rows in the order of `time` and add the values before each.

    Without `asked`, a table that is no series (see `find_time`) stays as it is, and a series gets a window as long as
    its season, between 8 and 48 values. Rows without a full window are left out.
    """
    if time is None:
        if asked is not None and asked > 1:
            raise OptionError(f"--window {asked} needs the order of the rows; name the time column with --time")
        return dataset
    numbers = [column for column in dataset.columns if column.kind is ColumnKind.NUMBER]
    if (asked is None and len(numbers) > MOST_NUMBERS) or asked == 1:
        return dataset
    if not numbers:
        raise ColumnError("the series has no column of numbers to look at; name the time column with --time")
    moments = dataset.aside[time].fill_null(float("-inf")).to_numpy()
    order = np.argsort(moments, kind="stable")
    values = dataset.frame[numbers[0].name][order.tolist()].fill_null(strategy="forward").fill_null(0.0).to_numpy()
    window = season(values[: round(0.7 * len(values))]) if asked is None else asked
    window = min(window, max(2, MOST_FEATURES // len(numbers)))
    if window * 5 > len(values):
        if asked is not None:
            raise OptionError(
                f"--window {asked} is too long for {len(values):,} rows; give at most {max(1, len(values) // 5)}"
            )
        return dataset
    kept = order[window - 1 :]
    frame = with_lags(dataset.frame[order.tolist()], [column.name for column in numbers], window)[window - 1 :]
    lags = tuple(replace(c, name=lag_name(c.name, step)) for c in numbers for step in range(1, window))
    note = f"each row is looked at with the {window - 1} values before it; the first {window - 1} rows have none"
    return replace(
        dataset,
        columns=(*dataset.columns, *lags),
        frame=frame.select([column.name for column in (*dataset.columns, *lags)]),
        target=dataset.target[kept],
        rows=dataset.rows[kept],
        aside=dataset.aside[kept.tolist()],
        notes=(*dataset.notes, note),
    )


def window_of(dataset: Dataset) -> int:
    """Return how many values each row holds of every number: 1 where no values before were added."""
    names = {column.name for column in dataset.columns}
    return 1 + sum(
        lag_name(column.name, 1) in names and sum(lag_name(column.name, s) in names for s in range(1, MOST_FEATURES))
        for column in dataset.columns[:1]
    )


def season(values: npt.NDArray[np.float64]) -> int:
    """Return the lag of the highest clear peak of the autocorrelation, between 8 and 48; 8 where there is none."""
    centred = values - values.mean()
    power = float((centred**2).sum())
    most = min(4 * LONGEST, len(values) // 4)
    if power <= 0 or most < SHORTEST:
        return SHORTEST
    size = 1 << (2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum), size)[: most + 2] / power
    peaks = [
        lag
        for lag in range(4, most + 1)
        if correlation[lag] > _CLEAR and correlation[lag] >= max(correlation[lag - 1], correlation[lag + 1])
    ]
    best = max(peaks, key=lambda lag: correlation[lag], default=SHORTEST)
    return int(min(max(best, SHORTEST), LONGEST))
