"""Geolocations as Amazon Forecast's datasets write them. AWS page: CreateDatasetImportJob, GeolocationFormat."""

from __future__ import annotations

_LATITUDE = r"-?(90(\.0+)?|[0-8]?\d(\.\d+)?)"
_LONGITUDE = r"-?(180(\.0+)?|(1[0-7]\d|\d{1,2})(\.\d+)?)"

FORMATS = {"LAT_LONG": f"^{_LATITUDE}_{_LONGITUDE}$", "CC_POSTALCODE": r"^US_\d{5}$"}
"""The patterns of both ways to write a place."""

EXAMPLES = {"LAT_LONG": "47.61_-122.33", "CC_POSTALCODE": "US_98121"}
