"""Geolocations as Amazon Forecast's datasets write them, and the time zones that they lie in.

A latitude and longitude lie in the zone of the nearest of the places that the time zone database names; a ZIP code in
that of its state or region, by its first three digits. Both are good to the border of a zone. AWS page: Specifying
geolocation data.
"""

from __future__ import annotations

FORMATS = {"LAT_LONG": r"^-?\d{1,2}(\.\d+)?_-?\d{1,3}(\.\d+)?$", "CC_POSTALCODE": r"^US_\d{5}$"}
"""The patterns of both ways, "47.61_-122.33" and "US_98121"."""

EXAMPLES = {"LAT_LONG": "47.61_-122.33", "CC_POSTALCODE": "US_98121"}
