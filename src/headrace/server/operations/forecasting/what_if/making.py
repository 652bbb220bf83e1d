"""The work of a what-if forecast's job: the data of its forecast with other related series, forecast once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.server.jobs.handle import Job
from headrace.server.operations.forecasting.domains import LABELS, RELATED, TIMESTAMP, Layout
from headrace.server.operations.forecasting.forecasts.making import finish, forecast_files, read_kept
from headrace.server.operations.forecasting.forecasts.selection import read_tables, selected
from headrace.server.operations.forecasting.imports.requests import DAY, MOMENT
from headrace.server.operations.forecasting.imports.tables import Table
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.operations.forecasting.what_if.transformations import replaced, transformed
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.panel import Panel

Members = Mapping[str, Any]


def make(job: Job, stored: Stored) -> None:
    """Forecast as if; raises DataError and the library's errors with the sentence for the Message."""
    platform = job.platform
    with platform.metadata.reading() as connection:
        analysis = by_arn(connection, stored.parent)
        forecast = by_arn(connection, analysis.parent) if analysis else None
    if analysis is None or forecast is None:
        raise DataError(f"The what-if analysis {stored.parent} is not there any more")
    panel = read_kept(platform, forecast.arn, job.folder)
    chosen = selected(job, stored, analysis.record.get("time_series_selector"), panel)
    panel = panel if len(chosen) == len(panel) else panel.select(chosen)
    source = stored.record.get("time_series_replacements_data_source")
    if source:
        panel = _replaced(job, stored, source, panel)
    else:
        panel = transformed(panel, stored.record["time_series_transformations"])
    predictor = load(platform, forecast.parent, job.folder)
    finish(job, forecast_files(job, predictor, panel, stored.record["forecast_types"]))


def _replaced(job: Job, stored: Stored, source: Members, panel: Panel) -> Panel:
    """Return only the items of the replacement, with its values (AWS page: TimeSeriesReplacementsDataSource)."""
    import polars as pl

    attributes = source["schema"].get("attributes") or ()
    types = {each["attribute_name"]: each["attribute_type"] for each in attributes}
    missing = next((name for name in (*panel.dimensions, TIMESTAMP) if name not in types), None)
    if missing is not None:
        raise DataError(f"The schema of the replacement has no '{missing}'; add it to the schema and the file")
    columns = [name for name in types if name not in panel.dimensions and name != TIMESTAMP]
    numbers = [name for name in columns if types[name] not in LABELS]
    if not numbers:
        raise DataError("The replacement has no column of a related time series; add at least one with numbers")
    item, *dimensions = panel.dimensions
    fields = Layout(RELATED, types, item, TIMESTAMP, "", tuple(dimensions), tuple(numbers))
    form = DAY if source.get("timestamp_format") == DAY else MOMENT
    settings = {
        "format": source.get("format") or "CSV", "timestamp_format": form, "geolocation_format": None,
        "time_zone": None, "use_geolocation_for_time_zone": False,
    }  # fmt: skip
    tables = list(read_tables(job, stored, source, Table(fields, settings)))
    if not tables:
        raise DataError(f"There are no rows in {source['s3_config']['path']}; give a table that has some")
    changed, items = replaced(panel, pl.concat(tables), TIMESTAMP, numbers)
    return changed.select(items)
