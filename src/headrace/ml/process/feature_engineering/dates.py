"""Features of dates: parts of the civil calendar, cycles, ages and the time between two dates.

The calendar is worked out from the days since 1970-01-01 in whole numbers held as doubles, by H. Hinnant's
civil_from_days, so that it runs alike in NumPy and in ONNX; missing dates stay NaN throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.process.feature_engineering.execution import Block, Execution

DAY = 86_400.0
YEAR_1, YEAR_9999 = -62_135_596_800.0, 253_402_300_799.0
PARTS = ("year", "month", "day of month", "weekday", "hour", "day of year")
CYCLES = {"month": 12.0, "day of month": 31.0, "weekday": 7.0, "hour": 24.0, "day of year": 365.25}


def calendar(run: Execution, seconds: Block) -> list[Block]:
    """Split epoch seconds [rows, columns] into PARTS, each [rows, columns]; Monday is 0, January and the first 1."""

    def whole(block: Block) -> Block:
        return run.call("floor", block)

    seconds = run.clip(seconds, YEAR_1, YEAR_9999)
    days = whole(seconds / DAY)
    hour = whole((seconds - days * DAY) / 3600.0)
    since_monday = days + 3.0
    weekday = since_monday - whole(since_monday / 7.0) * 7.0
    shifted = days + 719_468.0  # days since 0000-03-01, so that a leap day ends the year
    era = whole(shifted / 146_097.0)
    day_of_era = shifted - era * 146_097.0
    leap_days = whole(day_of_era / 1460.0) - whole(day_of_era / 36_524.0) + whole(day_of_era / 146_096.0)
    year_of_era = whole((day_of_era - leap_days) / 365.0)
    since_march = day_of_era - (year_of_era * 365.0 + whole(year_of_era / 4.0) - whole(year_of_era / 100.0))
    march_month = whole((since_march * 5.0 + 2.0) / 153.0)
    day = since_march - whole((march_month * 153.0 + 2.0) / 5.0) + 1.0
    next_year = whole(march_month / 10.0)
    month = march_month + 3.0 - next_year * 12.0
    year = year_of_era + era * 400.0 + next_year
    before = year - 1.0
    new_year = before * 365.0 + whole(before / 4.0) - whole(before / 100.0) + whole(before / 400.0) - 719_162.0
    return [year, month, day, weekday, hour, days - new_year + 1.0]


@dataclass(frozen=True, eq=False)
class DateParts:
    """Parts of the calendar, the age in days at `reference`, and the days between pairs of dates."""

    sources: tuple[str, ...]
    reference: npt.NDArray[np.float64]
    kept: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def fit(cls, columns: Sequence[str], values: npt.NDArray[np.float64]) -> DateParts:
        """Take each column's newest date as its reference."""
        present = np.where(np.isfinite(values), np.clip(values, YEAR_1, YEAR_9999), -np.inf)
        newest = present.max(axis=0) if len(present) else np.zeros(len(columns))
        names = [f"{c}: {part}" for part in (*PARTS, "age in days") for c in columns]
        names += [f"{columns[i]} - {columns[j]} in days" for i, j in _pairs(len(columns))]
        reference = np.where(np.isfinite(newest), newest, 0.0)
        return cls(tuple(columns), reference, tuple(range(len(names))), tuple(names))

    def apply(self, run: Execution) -> Block:
        """Work out every part, and keep those wanted."""
        seconds = run.clip(run.numbers(self.sources), YEAR_1, YEAR_9999)
        blocks = [*calendar(run, seconds), (self.reference - seconds) / DAY]
        if pairs := _pairs(len(self.sources)):
            blocks.append((run.pick(seconds, [i for i, _ in pairs]) - run.pick(seconds, [j for _, j in pairs])) / DAY)
        block = run.join(blocks)
        return block if len(self.kept) == len(self.names) == _width(len(self.sources)) else run.pick(block, self.kept)


@dataclass(frozen=True, eq=False)
class DateCycles:
    """Sine and cosine of the parts that come round again; 0 where the date is missing."""

    sources: tuple[str, ...]
    kept: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def fit(cls, columns: Sequence[str]) -> DateCycles:
        """Name the cycles."""
        names = tuple(f"{c}: {wave} of {part}" for wave in ("sine", "cosine") for part in CYCLES for c in columns)
        return cls(tuple(columns), tuple(range(len(names))), names)

    def apply(self, run: Execution) -> Block:
        """Turn parts into angles."""
        parts = dict(zip(PARTS, calendar(run, run.numbers(self.sources)), strict=True))
        angles = run.join([parts[part] * (2 * np.pi / period) for part, period in CYCLES.items()])
        block = run.join([run.call("sin", angles), run.call("cos", angles)])
        block = run.where(run.call("isnan", block), 0.0, block)
        return block if len(self.kept) == 2 * len(CYCLES) * len(self.sources) else run.pick(block, self.kept)


def _pairs(columns: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(columns) for j in range(i)] if columns <= 4 else []


def _width(columns: int) -> int:
    return columns * (len(PARTS) + 1) + len(_pairs(columns))
