"""Time as integer milliseconds since 1970, and a clock that tests can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns the time now in milliseconds since 1970, UTC."""


def system_clock() -> int:
    """Return the machine's time."""
    return time.time_ns() // 1_000_000


def moment(milliseconds: int) -> datetime:
    """Return the aware UTC datetime of a stamp."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def stamp(when: datetime) -> int:
    """Return the stamp of a datetime; one without a zone is read as UTC."""
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
