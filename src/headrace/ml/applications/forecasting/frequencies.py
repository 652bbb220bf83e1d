"""How often a series has a value: periods of minutes to years, their numbers and their first moments."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import OptionError

Unit = Literal["min", "H", "D", "W", "M", "Y"]
Times = npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.int64]

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800
SECONDS: dict[str, int] = {"min": MINUTE, "H": HOUR, "D": DAY, "W": WEEK}
"""The length of the units that all have the same, in seconds."""
_LARGER: dict[str, tuple[int, Unit]] = {"min": (60, "H"), "H": (24, "D"), "D": (7, "W"), "M": (12, "Y")}
_MOST = {"min": 59, "H": 23, "D": 6, "W": 4, "M": 11, "Y": 1}
_WORDS: dict[str, tuple[int, Unit]] = {
    **dict.fromkeys(("min", "t", "minute", "minutes", "minutely"), (1, "min")),
    **dict.fromkeys(("h", "hour", "hours", "hourly"), (1, "H")),
    **dict.fromkeys(("d", "day", "days", "daily", "b"), (1, "D")),
    **dict.fromkeys(("w", "week", "weeks", "weekly"), (1, "W")),
    **dict.fromkeys(("ms", "me", "month", "months", "monthly"), (1, "M")),
    **dict.fromkeys(("q", "qs", "qe", "quarter", "quarters", "quarterly"), (3, "M")),
    **dict.fromkeys(("y", "ys", "ye", "a", "year", "years", "yearly", "annual"), (1, "Y")),
}
_TITLES = {"min": "minute", "H": "hour", "D": "day", "W": "week", "M": "month", "Y": "year"}


@dataclass(frozen=True)
class Frequency:
    """A length of periods, and where they begin.

    `unit` is min, H, D, W, M or Y and `count` how many of it make one period (a quarter is 3 M). Days begin at `hour`,
    weeks on `day_of_week` (0 is Monday), months on `day_of_month` (1 to 28), years on that day of `month`: AWS's time
    alignment boundary, and its defaults. Where several units make a period, `phase` says with which of them one begins.
    """

    unit: Unit
    count: int = 1
    hour: int = 0
    day_of_week: int = 0
    day_of_month: int = 1
    month: int = 1
    phase: int = 0

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> Frequency:
        """Read `D`, `15min`, `3M`, `weekly`…; raises `OptionError`.

        What fills the next larger unit becomes that unit (60min is H, 7D is W, 12M is Y), but with `strict`, which
        takes only what Amazon Forecast's ForecastFrequency takes.

        >>> str(Frequency.parse("60min")), str(Frequency.parse("Q"))
        ('H', '3M')
        """
        match = re.fullmatch(r"\s*([0-9]{0,6})\s*([A-Za-z]+)\s*", text)
        written, word = (match[1], match[2]) if match else ("", "")
        known = {"M": (1, "M"), "m": (1, "M"), **{_: _WORDS[_] for _ in _WORDS}}
        found = known.get(word) or known.get(word.lower())
        if found is None or written == "0" * max(1, len(written)):
            raise OptionError(
                f"the frequency '{text}' is none; write a number and min, H, D, W, M, Q or Y, such as 15min, D or 3M"
            )
        count, unit = int(written or 1) * found[0], found[1]
        if strict:
            if word not in _MOST or count > _MOST[word]:
                most = f"1 to {_MOST[unit]}{unit}" if _MOST[unit] > 1 else f"1{unit}"
                raise OptionError(f"the frequency '{text}' is not valid; of the unit {unit} it can be {most}")
            return cls(unit, count)  # type: ignore[arg-type]
        while unit in _LARGER and count % _LARGER[unit][0] == 0:
            count, unit = count // _LARGER[unit][0], _LARGER[unit][1]
        return cls(unit, count)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """Return AWS's spelling: `D`, `2W`, `15min`."""
        return f"{self.count if self.count > 1 else 1 if self.unit == 'min' else ''}{self.unit}"

    @property
    def title(self) -> str:
        """Return the period in words: `day`, `15 minutes`."""
        return _TITLES[self.unit] if self.count == 1 else f"{self.count} {_TITLES[self.unit]}s"

    @property
    def season(self) -> int:
        """Return the periods after which a series most often repeats itself; 1 where it has no such season.

        Minutes and hours repeat daily, days weekly, weeks and months yearly.

        >>> [Frequency.parse(text).season for text in ("15min", "H", "D", "W", "M", "Q", "Y", "5D")]
        [96, 24, 7, 52, 12, 4, 1, 1]
        """
        whole = {"min": 1440, "H": 24, "D": 7, "W": 52, "M": 12, "Y": 1}[self.unit]
        return max(1, whole // self.count) if whole % self.count == 0 else 1

    @property
    def seasons(self) -> tuple[int, ...]:
        """Return all usual seasons in periods, the shortest first: an hour's are a day and a week."""
        longer = {"min": 10080, "H": 168, "D": 365}.get(self.unit)
        longer = None if longer is None else round(longer / self.count)
        return tuple(dict.fromkeys(n for n in (self.season, longer) if n and n > 1))

    @property
    def days(self) -> float:
        """Return the mean length of a period in days."""
        return self.count * {"min": 1 / 1440, "H": 1 / 24, "D": 1.0, "W": 7.0, "M": 30.436875, "Y": 365.2425}[self.unit]

    def ordinals(self, times: Times) -> Numbers:
        """Return the number of the period that each moment lies in; periods that follow each other differ by one."""
        return (self._units(times) - self.phase) // self.count

    def timestamps(self, ordinals: Numbers) -> Times:
        """Return the first moment of each period, datetime64[s]."""
        units = np.asarray(ordinals, np.int64) * self.count + self.phase
        return self._first_moments(units)

    def with_phase(self, times: Times) -> Frequency:
        """Return the frequency whose periods begin where most of `times` lie: matters where `count` is above one."""
        if self.count == 1 or not len(times):
            return self
        remainders = np.bincount(self._units(times) % self.count, minlength=self.count)
        return replace(self, phase=int(remainders.argmax()))

    def _units(self, times: Times) -> Numbers:
        seconds = np.asarray(times).astype("datetime64[s]").astype(np.int64)
        if self.unit in ("min", "H"):
            return seconds // SECONDS[self.unit]
        days = (seconds - self.hour * HOUR) // DAY
        if self.unit == "D":
            return days
        if self.unit == "W":
            return (days + 3 - self.day_of_week) // 7
        months = (days - (self.day_of_month - 1)).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return months if self.unit == "M" else (months - (self.month - 1)) // 12

    def _first_moments(self, units: Numbers) -> Times:
        if self.unit in ("min", "H"):
            return (units * SECONDS[self.unit]).astype("datetime64[s]")
        if self.unit in ("M", "Y"):
            months = units if self.unit == "M" else units * 12 + self.month - 1
            days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + self.day_of_month - 1
        else:
            days = units if self.unit == "D" else units * 7 - 3 + self.day_of_week
        return (days * DAY + self.hour * HOUR).astype("datetime64[s]")
