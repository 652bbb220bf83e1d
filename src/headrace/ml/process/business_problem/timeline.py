"""An estimate of how many weeks each phase of the project takes, from the size and state of the data."""

from __future__ import annotations

import math

PHASES = (
    ("business and machine-learning problem", 1.0),
    ("data collection and readiness", 1.0),
    ("preparation and exploration", 1.0),
    ("feature engineering and training", 1.0),
    ("evaluation against the business goals", 1.0),
    ("deployment and monitoring", 2.0),
)


def estimate_timeline(
    rows: int, columns: int, missing_share: float, *, readiness_problems: int = 0
) -> tuple[tuple[str, float], ...]:
    """Return (phase, weeks) for a table of `rows` and `columns` of which `missing_share` (0…1) of the cells are empty.

    A rule of thumb, in half weeks: data takes longer where more must be collected (under 1,000 rows), where cells are
    missing and where readiness checks do not pass; the middle phases grow with the number of columns and, past
    100,000 rows, with the number of rows.
    """
    width = math.log2(max(columns, 10) / 10) / 2
    length = math.log10(max(rows, 100_000) / 100_000)
    extra = {
        "data collection and readiness": (4.0 if rows < 1000 else 0.0) + readiness_problems / 2,
        "preparation and exploration": width + length / 2 + 4 * missing_share,
        "feature engineering and training": width + length,
        "evaluation against the business goals": 0.5 if rows < 1000 else 0.0,
    }
    return tuple((phase, math.ceil(2 * (weeks + extra.get(phase, 0.0))) / 2) for phase, weeks in PHASES)
