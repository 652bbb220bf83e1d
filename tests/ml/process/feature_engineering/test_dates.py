"""Calendar parts against Python's calendar, also before 1970 and in leap years."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from headrace.ml.process.feature_engineering.dates import PARTS, YEAR_9999, DateCycles, DateParts, calendar
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(moment):
    return (moment - EPOCH).total_seconds()


def parts_of(values):
    block = np.array(values, dtype=float)[:, None]
    return dict(zip(PARTS, calendar(NumpyExecution(pl.DataFrame()), block), strict=True))


def test_parts_are_those_of_the_calendar():
    random = np.random.default_rng(0)
    moments = [
        EPOCH + timedelta(days=int(d), seconds=int(s))
        for d, s in random.integers([-700_000, 0], [2_900_000, 86_400], (3000, 2))
    ]
    moments += [
        datetime(year, month, day, tzinfo=UTC)
        for year in (1, 1600, 1899, 1900, 2000, 2023, 2024, 9999)
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))
    ]
    moments += [datetime(year, 2, 29, 23, 59, 59, tzinfo=UTC) for year in (4, 1600, 2000, 2024)]
    parts = parts_of([seconds(m) for m in moments])
    assert parts["year"][:, 0].tolist() == [m.year for m in moments]
    assert parts["month"][:, 0].tolist() == [m.month for m in moments]
    assert parts["day of month"][:, 0].tolist() == [m.day for m in moments]
    assert parts["weekday"][:, 0].tolist() == [m.weekday() for m in moments]
    assert parts["hour"][:, 0].tolist() == [m.hour for m in moments]
    assert parts["day of year"][:, 0].tolist() == [m.timetuple().tm_yday for m in moments]


def test_missing_stays_missing_and_absurd_dates_stay_in_range():
    parts = parts_of([np.nan, 1e300, -1e300, np.inf])
    assert all(np.isnan(block[0, 0]) for block in parts.values())
    assert parts["year"][1:, 0].tolist() == [9999, 1, 9999]


def test_ages_and_differences():
    frame = pl.DataFrame({"a": [0.0, 86_400.0, None], "b": [86_400.0 * 3, 86_400.0 * 5, 0.0]})
    part = DateParts.fit(["a", "b"], frame.fill_null(np.nan).to_numpy())
    block = part.apply(NumpyExecution(frame.fill_null(np.nan)))
    found = dict(zip(part.names, block.T, strict=True))
    assert found["a: age in days"][:2].tolist() == [1.0, 0.0]
    assert found["b - a in days"][:2].tolist() == [3.0, 4.0]
    assert np.isnan(found["b - a in days"][2])
    assert part.reference.max() <= YEAR_9999


def test_cycles_join_end_and_beginning():
    frame = pl.DataFrame(
        {
            "a": [
                seconds(datetime(2023, 12, 31, 23, tzinfo=UTC)),
                seconds(datetime(2024, 1, 1, tzinfo=UTC)),
                float("nan"),
            ]
        }
    )
    part = DateCycles.fit(["a"])
    found = dict(zip(part.names, part.apply(NumpyExecution(frame)).T, strict=True))
    assert found["a: cosine of month"][0] == pytest.approx(1.0)
    assert found["a: sine of hour"][1] == 0
    assert all(column[2] == 0 for column in found.values())
