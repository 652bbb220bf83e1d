"""Public holidays as a related series that is known ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from headrace.ml.applications.forecasting.frequencies import Frequency, Numbers
from headrace.ml.applications.forecasting.panel.blocks import Floats, ranges
from headrace.ml.applications.forecasting.panel.panel import Panel, Related
from headrace.ml.errors import MissingExtraError, OptionError
from headrace.ml.tables import suggest

NAME = "holidays"
"""The related series' name."""


def with_holidays(panel: Panel, country: str) -> Panel:
    """Return the panel with the number of `country`'s holidays in each period beside every item.

    A period shorter than a day has 1 on a holiday. `country` is an ISO 3166 code (`DE`), with a subdivision where
    wanted (`DE-BY`). Raises `OptionError` for one that is not known.
    """
    first = int(panel.start.min(initial=0)) if len(panel) else 0
    first = int(panel.start.min()) if len(panel) else first
    last = int(panel.ends.max()) + panel.horizon_known if len(panel) else first
    counts = holidays_of(country, panel.frequency, np.arange(first, last + 1))
    values = counts[ranges(panel.start - first, panel.lengths + panel.horizon_known)]
    return replace(panel, related={**panel.related, NAME: Related(values, known_ahead=True)})


def holidays_of(country: str, frequency: Frequency, ordinals: Numbers) -> Floats:
    """Return the number of holidays in each of some periods that follow each other."""
    begins = frequency.timestamps(np.append(ordinals, ordinals[-1] + 1))
    years = begins[[0, -1]].astype("datetime64[Y]").astype(np.int64) + 1970
    days = np.array(sorted(_dates(country, int(years[0]), int(years[1]))), dtype="datetime64[D]")
    if frequency.unit in ("min", "H"):
        return np.isin(begins[:-1].astype("datetime64[D]"), days).astype(np.float64)
    noon = (days.astype("datetime64[s]").astype(np.int64) + 43200).astype("datetime64[s]")
    places = frequency.ordinals(noon) - ordinals[0]
    inside = (places >= 0) & (places < len(ordinals))
    return np.bincount(places[inside], minlength=len(ordinals)).astype(np.float64)


def names_of(country: str, first_year: int, last_year: int) -> dict[date, str]:
    """Return the holidays of some years with their names."""
    return dict(_dates(country, first_year, last_year))


def _dates(country: str, first_year: int, last_year: int) -> dict[date, str]:
    try:
        import holidays
    except ImportError:
        raise MissingExtraError("holidays need a package; pip install 'headrace[forecast]'") from None
    known = holidays.list_supported_countries()
    code, _, part = country.strip().upper().partition("-")
    if code not in known:
        raise OptionError(
            f"no holidays are known of '{country}'{suggest(code, known) or '; write a code such as US or DE'}"
        )
    if part and part not in known[code]:
        parts = ", ".join(known[code][:8]) or "none"
        raise OptionError(
            f"'{code}' has no part '{part}' with holidays of its own{suggest(part, known[code]) or f'; it has {parts}'}"
        )
    years = range(max(1, first_year), last_year + 1)
    return dict(holidays.country_holidays(code, subdiv=part or None, years=years))
