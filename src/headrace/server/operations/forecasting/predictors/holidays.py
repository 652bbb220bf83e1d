"""The countries whose holidays a predictor may know, and what other additional data are answered."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.server.errors import InvalidInput

COUNTRIES = frozenset((
    "AL", "AR", "AT", "AU", "BA", "BE", "BG", "BO", "BR", "BY", "CA", "CL", "CO", "CR", "HR", "CZ", "DK", "EC", "EE",
    "ET", "FI", "FR", "DE", "GR", "HU", "IS", "IN", "IE", "IT", "JP", "KZ", "KR", "LV", "LI", "LT", "LU", "MK", "MT",
    "MX", "MD", "ME", "NL", "NZ", "NI", "NG", "NO", "PA", "PY", "PE", "PL", "PT", "RO", "RU", "RS", "SK", "SI", "ZA",
    "ES", "SE", "CH", "UA", "AE", "US", "UK", "UY", "VE",
))  # fmt: skip
"""AWS page: Amazon Forecast API, AdditionalDataset."""


def country(added: Sequence[tuple[str, Sequence[str]]]) -> str | None:
    """Return the country, as the library names it, of the additional data sets (name, values); raises InvalidInput.

    >>> country([("holiday", ["UK"])])
    'GB'
    """
    found: str | None = None
    for name, values in added:
        if name == "weather":
            raise InvalidInput(
                "The weather index is data of AWS that this server does not have; leave it out, or bring weather as a "
                "related time series"
            )
        if name != "holiday":
            raise InvalidInput(f"The additional data set '{name}' is unknown; use holiday")
        if found is not None or len(values) != 1:
            raise InvalidInput("Holidays are those of one country; give one CountryCode")
        if values[0] not in COUNTRIES:
            raise InvalidInput(f"There are no holidays for the country '{values[0]}'; use a code such as US or DE")
        found = "GB" if values[0] == "UK" else values[0]
    return found
