"""What was imported, for those who train on it and forecast from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headrace.server.context import Platform
from headrace.server.operations import artifacts
from headrace.server.operations.forecasting.domains import Layout, layout
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored

DATA = "data.parquet"


@dataclass(frozen=True)
class Imported:
    """The rows of a dataset as one Parquet file, in no order.

    Its columns are those of the schema: labels as text, timestamps without a zone in microseconds, integers as Int64
    and floats as Float64; what was not given is null, what was written as NaN is NaN. Keys (`layout.keys`) are never
    null; they may come more than once. `frequency` is the dataset's DataFrequency, "" where it has none.
    """

    path: Path
    layout: Layout
    frequency: str
    time_zone: str
    rows: int
    import_job: str


def fetch_data(platform: Platform, dataset: Stored, path: Path) -> Imported:
    """Copy what was imported into a dataset to a path, and return it; raises DataError where nothing was."""
    imported = dataset.record.get("_imported")
    if imported is None:
        raise DataError(f"Nothing was imported into the dataset {dataset.arn}; run an import job first")
    artifacts.fetch(platform, dataset.arn, DATA, path)
    return Imported(
        path,
        layout(dataset),
        dataset.record.get("data_frequency") or "",
        imported["settings"].get("time_zone") or "",
        imported["rows"],
        imported["import_job"],
    )
