"""Suggesting the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None where none is close.

    >>> nearest("chrun", ["Churn", "tenure"])
    'Churn'
    """
    by_spelling: dict[str, str] = {}
    for candidate in known:
        by_spelling.setdefault(candidate.strip().casefold(), candidate)
    close = difflib.get_close_matches(name.strip().casefold(), by_spelling, n=1, cutoff=0.6)
    return by_spelling[close[0]] if close else None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error sentence: "; did you mean 'X'?", or "" where no known name is close.

    >>> suggest("chrun", ["Churn", "tenure"])
    "; did you mean 'Churn'?"
    """
    close = nearest(name, known)
    return f"; did you mean '{close}'?" if close is not None else ""
