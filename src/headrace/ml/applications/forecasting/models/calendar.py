"""Where in its hour, day, week and year a period lies, and the lags at which series repeat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import DAY, HOUR, Frequency, Numbers

Floats = npt.NDArray[np.float32]
_MOST_PERIODS_OF_A_YEAR = 10_000


def calendar_positions(frequency: Frequency, ordinals: Numbers) -> dict[str, Floats]:
    """Return by name how far through each cycle longer than a period the periods begin: float32 [n], 0 to below 1.

    Names are `hour`, `day`, `week`, `month` and `year`, which are the cycles: `day` says the hour.
    """
    moments = frequency.timestamps(ordinals)
    seconds = moments.astype(np.int64)
    day = moments.astype("datetime64[D]")
    month, year = moments.astype("datetime64[M]"), moments.astype("datetime64[Y]")
    found = {
        "hour": (HOUR, (seconds % HOUR) / HOUR),
        "day": (DAY, (seconds % DAY) / DAY),
        "week": (7 * DAY, ((seconds // DAY + 3) % 7) / 7),
        "month": (28 * DAY, (day - month).astype(np.int64) / 31),
        "year": (365 * DAY, (day - year).astype(np.int64) / 366),
    }
    if frequency.unit in ("M", "Y"):
        found = {"year": (365 * DAY, (month - year).astype(np.int64) / 12)}
    return {
        name: place.astype(np.float32)
        for name, (length, place) in found.items()
        if length > 1.01 * (frequency.days * DAY)
    }


def calendar_waves(frequency: Frequency, ordinals: Numbers) -> Floats:
    """Return sines and cosines of `calendar_positions`: float32 [n, 2 * cycles]."""
    angles = [2 * np.pi * place for place in calendar_positions(frequency, ordinals).values()]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1).astype(np.float32) if waves else np.zeros((len(ordinals), 0), np.float32)


def cycles(frequency: Frequency) -> tuple[int, ...]:
    """Return the lengths, in periods, of the cycles that such series may have; a year is 52 whole weeks.

    >>> cycles(Frequency.parse("H")), cycles(Frequency.parse("M")), cycles(Frequency.parse("Y"))
    ((24, 168, 8736), (12,), ())
    """
    if frequency.unit == "Y":
        return ()
    if frequency.unit in ("W", "M"):
        return (frequency.season,) if frequency.season > 1 else ()
    found = [
        round(span / (frequency.days * DAY))
        for span in (HOUR, DAY, 7 * DAY, 364 * DAY)
        if span >= 2 * (frequency.days * DAY)
    ]
    return tuple(length for length in found if length < _MOST_PERIODS_OF_A_YEAR)
