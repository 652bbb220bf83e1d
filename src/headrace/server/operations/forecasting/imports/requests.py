"""What CreateDatasetImportJob asks for beyond its shapes: checked against the dataset and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting.domains import METADATA, Layout, layout
from headrace.server.operations.forecasting.imports.places import FORMATS
from headrace.server.operations.forecasting.roles import check_place
from headrace.server.resources import Stored

DAY, MOMENT = "yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss"
KEPT = ("timestamp_format", "format", "geolocation_format", "time_zone", "use_geolocation_for_time_zone")
"""What an INCREMENTAL import may not change (AWS page: Updating Data)."""


def check_request(
    context: Context, dataset: Stored, data_source: Mapping[str, Any], request: Mapping[str, Any]
) -> None:
    """Raise InvalidInput on what can't be imported into the dataset."""
    check_place(context, data_source)
    _check_key(dataset, data_source["s3_config"].get("kms_key_arn"))
    fields = layout(dataset)
    _check_timestamps(dataset, fields, request.get("timestamp_format"))
    _check_places(fields, request)
    zone = request.get("time_zone")
    if zone and zone not in available_timezones():
        raise InvalidInput(f"TimeZone {zone!r} is no time zone; write one like America/New_York or UTC")
    if request.get("import_mode") == "INCREMENTAL":
        _check_increment(dataset, request)


def _check_key(dataset: Stored, key: str | None) -> None:
    own = (dataset.record.get("encryption_config") or {}).get("kms_key_arn")
    if own and key and own != key:
        raise InvalidInput(f"The KMS key {key} of the DataSource is not that of the dataset ({own}); give the same")


def _check_timestamps(dataset: Stored, fields: Layout, given: str | None) -> None:
    if given is None or not fields.timestamp:
        return
    if given not in (DAY, MOMENT):
        raise InvalidInput(f"TimestampFormat {given!r} is neither {DAY!r} nor {MOMENT!r}; give one of them")
    frequency = dataset.record.get("data_frequency") or "D"
    if given == DAY and frequency.lstrip("0123456789") in ("H", "min"):
        raise InvalidInput(f"TimestampFormat {DAY} has no time, which data of the frequency {frequency} needs")


def _check_places(fields: Layout, request: Mapping[str, Any]) -> None:
    form, derived = request.get("geolocation_format"), request.get("use_geolocation_for_time_zone")
    if form and form not in FORMATS:
        raise InvalidInput(f"GeolocationFormat {form!r} is none of {', '.join(FORMATS)}")
    if fields.geolocation and not form:
        raise InvalidInput(
            f"The dataset has the geolocation {fields.geolocation!r}; say in GeolocationFormat how it is written"
        )
    if (form or derived) and not fields.geolocation:
        raise InvalidInput("The dataset has no attribute of type geolocation; leave the geolocation's parameters out")
    if derived and request.get("time_zone"):
        raise InvalidInput("TimeZone and UseGeolocationForTimeZone exclude each other; give one of them")
    if derived and fields.kind == METADATA:
        raise InvalidInput("A dataset of ITEM_METADATA has no timestamps, so no time zones; leave them out")


def _check_increment(dataset: Stored, request: Mapping[str, Any]) -> None:
    earlier = dataset.record.get("_imported")
    if earlier is None:
        raise InvalidInput(f"Nothing was imported into {dataset.arn} yet; the first import must be FULL")
    now = settings_of(request)
    for name in KEPT:
        if now.get(name) != earlier["settings"].get(name):
            raise InvalidInput(
                f"An INCREMENTAL import can't change {name} from {earlier['settings'].get(name)!r} to "
                f"{now.get(name)!r}; import all of it anew with FULL"
            )


def settings_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides how a table is read, by name, with the defaults."""
    defaults = {"format": "CSV", "timestamp_format": MOMENT, "use_geolocation_for_time_zone": False}
    return {name: request.get(name) or defaults.get(name) for name in KEPT}
