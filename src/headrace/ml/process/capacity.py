"""How much can be acted on: `200 a week` of `1000 a week`, or a share such as `20%`."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_AMOUNT = re.compile(
    rf"{_NUMBER}(?:\s+[a-z]+)?\s*(?:/|\b(?:an?|per|each|every)\b)\s*({'|'.join(DAYS)})s?", re.IGNORECASE
)
_SHARE = re.compile(rf"{_NUMBER}\s*%", re.IGNORECASE)
_ADVERBS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
            "yearly": "year"}  # fmt: skip
_LARGEST = 1e12
FORMS = "write it as '200 a week' or '20%'"


@dataclass(frozen=True)
class Capacity:
    """The share (above 0, at most 1) of the rows that can be acted on, and how it was said.

    `period` is hour … year and `arrivals` the rows a period; both absent where only a share was given.
    """

    share: float
    text: str
    period: str | None = None
    arrivals: float | None = None


def parse_capacity(capacity: str | float, rate: str | None = None) -> Capacity:
    """Read a capacity, and how many rows arrive, needed unless the capacity is a share.

    Raises `ValueError` with a phrase that goes on from "capacity '…' ".

    >>> parse_capacity("200 a week", "1,000 a week").share
    0.2
    >>> parse_capacity("20%").share
    0.2
    """
    text = str(capacity).strip()
    if (match := _SHARE.fullmatch(text)) is not None:
        share = _number(match[1]) / 100
        if not 0 < share <= 1:
            raise ValueError(f"is no share of the rows that could be acted on; {FORMS}")
        arrivals, period = (None, None) if rate is None else read_rate(rate)
        return Capacity(share, f"{100 * share:.4g} % of the rows", period, arrivals)
    found = _amount(text)
    if found is None:
        raise ValueError(f"is not a capacity; {FORMS}")
    actions, period = found
    if actions == 0:
        raise ValueError("allows no action at all; give at least '1 a year'")
    if rate is None:
        raise ValueError("needs to be compared with how many rows arrive; add the rate, such as '1000 a week'")
    arrivals, of = read_rate(rate)
    arrivals *= DAYS[period] / DAYS[of]
    share = min(1.0, actions / arrivals)
    return Capacity(share, f"{actions:,.6g} a {period} of {arrivals:,.6g} ({100 * share:.3g} % of the rows)", period,
                    arrivals)  # fmt: skip


def read_rate(text: str) -> tuple[float, str]:
    """Read `1000 a week` into rows and period; raises `ValueError` with a phrase that names the rate."""
    found = _amount(str(text).strip())
    if found is None or found[0] == 0:
        raise ValueError(f"comes with the rate '{text}', which is not one; write it as '1000 a week'")
    return found


def _amount(text: str) -> tuple[float, str] | None:
    words = text.split()
    if len(words) > 1 and words[-1].lower() in _ADVERBS:
        text = f"{' '.join(words[:-1])} a {_ADVERBS[words[-1].lower()]}"
    match = _AMOUNT.fullmatch(text)
    return None if match is None or _number(match[1]) > _LARGEST else (_number(match[1]), match[2].lower())


def _number(text: str) -> float:
    return float(text.replace(",", ""))
