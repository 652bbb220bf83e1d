"""Recognising dates: in up to five formats in one column, day or month first, and held as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import polars as pl

from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.date_text import date_from_text, dates_from_text
from headrace.ml.tables.number_detection import MOSTLY

_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m.%d.%Y"),
    *("%d-%b-%Y", "%d %b %Y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%d %b, %Y", "%Y-%b-%d", "%d-%b-%y", "%d %b %y"),
    *("%Y%m%d", "%m/%d/%y", "%d/%m/%y", "%m-%d-%y", "%d-%m-%y", "%d.%m.%y", "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y"),
    *("%b %Y", "%b-%Y", "%b-%y"),
)
_MOST_FORMATS = 5
_TIME_NAME = re.compile(r"time|date|epoch|unix|(?:^|_)(?:at|ts)$|stamp", re.IGNORECASE)
_EARLIEST, _LATEST = 631152000.0, 2208988800.0  # 1990 and 2040
_EARLIEST_TEXT, _LATEST_TEXT = -14831769600.0, 7258118400.0  # 1500 and 2200


def detect_dates(label: Column, text: pl.Series, sample: Sequence[str]) -> Column | None:
    """Return `label` as a column of dates, if nearly all values read so; `sample` are distinct values of `text`."""
    values = sample[:: max(1, len(sample) // 400)]
    if sum(value[:1].isalnum() and any(c.isdigit() for c in value) for value in values) < 0.5 * len(values):
        return None
    formats = _cover(values)
    if not formats:
        return None
    seconds = dates_from_text(text, formats)
    plausible = seconds.is_between(_EARLIEST_TEXT, _LATEST_TEXT).sum()
    if plausible < MOSTLY * (text.len() - text.null_count()):
        return None
    return replace(label, kind=ColumnKind.DATE, date_formats=formats)


def _cover(values: Sequence[str]) -> tuple[str, ...]:
    """Choose formats, the most frequent first, until they read all values that can be read, or are five."""
    readable = {value: [f for f in _FORMATS if date_from_text(value, (f,)) is not None] for value in values}
    certain = Counter(formats[0] for formats in readable.values() if len(formats) == 1)
    chosen: list[str] = []
    left = [value for value in values if readable[value]]
    while left and len(chosen) < _MOST_FORMATS:
        counts = Counter(f for value in left for f in readable[value])
        best = max(counts, key=lambda f: (counts[f], certain[f], _smoothness(values, f), -_FORMATS.index(f)))
        chosen.append(best)
        left = [value for value in left if best not in readable[value]]
    return tuple(chosen)


def _smoothness(values: Sequence[str], date_format: str) -> float:
    """Judge by the order of the rows: read the right way, neighbouring dates lie closer."""
    seconds = [date_from_text(value, (date_format,)) for value in values]
    given = [second for second in seconds if second is not None]
    return -sum(abs(later - earlier) for earlier, later in pairwise(given)) / max(1, len(given))


def detect_numeric_dates(name: str, numbers: pl.Series) -> tuple[str, ...]:
    """Return the format of dates held as numbers: 20210305, or seconds or milliseconds where the name says time."""
    least, most = numbers.min(), numbers.max()
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return ()
    if least >= 19000101 and most <= 21001231:
        given = numbers.drop_nulls()
        if (given == given.floor()).all():
            read = dates_from_text(given.cast(pl.Int64).cast(pl.String).unique(), ("%Y%m%d",))
            return () if read.has_nulls() else ("%Y%m%d",)
    if _TIME_NAME.search(name):
        if least >= _EARLIEST and most <= _LATEST:
            return ("epoch",)
        if least >= _EARLIEST * 1000 and most <= _LATEST * 1000:
            return ("epoch_ms",)
    return ()
