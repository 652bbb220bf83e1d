"""Time series named by a table in S3: those that a forecast, an analysis or an explanation is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.jobs.handle import Job
from headrace.server.operations.forecasting.domains import METADATA, Layout
from headrace.server.operations.forecasting.imports.importing import objects_of
from headrace.server.operations.forecasting.imports.requests import settings_of
from headrace.server.operations.forecasting.imports.tables import Table
from headrace.server.operations.forecasting.roles import actor_of, check_place
from headrace.server.operations.storage.transfer import download
from headrace.server.operations.training.channels import DataError, explained
from headrace.server.resources import Stored

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.applications.forecasting.panel import Panel

Members = Mapping[str, Any]


def check_selector(context: Context, selector: Members | None) -> None:
    """Raise InvalidInput on a TimeSeriesSelector without a place, or with a role that can't be assumed."""
    if not selector:
        return
    named = selector.get("time_series_identifiers") or {}
    if not named.get("data_source") or not (named.get("schema") or {}).get("attributes"):
        raise InvalidInput("TimeSeriesIdentifiers needs a DataSource and a Schema with Attributes; give both")
    check_place(context, named["data_source"])


def selected(job: Job, stored: Stored, selector: Members | None, panel: Panel) -> list[int]:
    """Return the places of the items that a selector names; all of them without one.

    Series that the panel does not have are skipped (AWS page: CreateForecast). Raises DataError where none is left.
    """
    if not selector:
        return list(range(len(panel)))
    named = selector["time_series_identifiers"]
    return items_at(job, stored, named["data_source"], named["schema"], named.get("format"), panel)


def items_at(
    job: Job, stored: Stored, source: Members, schema: Members, format_: str | None, panel: Panel
) -> list[int]:
    """Return the places of the items that a table at a DataSource names."""
    names = [each["attribute_name"] for each in schema["attributes"]]
    missing = next((name for name in panel.dimensions if name not in names), None)
    if missing is not None:
        raise DataError(f"The schema of the time series has no '{missing}', and series are told apart by it; add it")
    types = dict.fromkeys(names, "string")
    fields = Layout(METADATA, types, names[0], "", "", (), tuple(names[1:]))
    wanted: set[tuple[str, ...]] = set()
    for frame in read_tables(job, stored, source, Table(fields, settings_of({"format": format_}))):
        wanted.update(frame.select(panel.dimensions).rows())
    found = [place for place, labels in enumerate(panel.items) if labels in wanted]
    if not found:
        raise DataError(f"None of the {len(wanted)} time series of {source['s3_config']['path']} is in the data")
    return found


def read_tables(job: Job, stored: Stored, source: Members, table: Table) -> Iterator[pl.DataFrame]:
    """Yield the tables below a DataSource, read by its role; raises DataError naming what is wrong where."""
    import polars as pl

    config = source["s3_config"]
    with job.platform.metadata.reading() as connection:
        actor = actor_of(job.platform, connection, stored, config["role_arn"])
    for number, key in enumerate(objects_of(actor, config["path"])):
        path, part = job.folder / "series", job.folder / "selected" / f"{number}.parquet"
        with explained(actor, key.uri):
            download(actor, key.bucket, key.key, path)
        if table.read(path, key.uri, part):
            yield pl.read_parquet(part)
        Path(path).unlink()
