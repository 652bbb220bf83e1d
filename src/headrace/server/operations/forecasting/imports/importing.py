"""The work of an import job: the objects in, each checked, all of them as one Parquet file that the dataset keeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.server import resources
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobStopped
from headrace.server.operations import artifacts
from headrace.server.operations.acting import Actor
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.domains import layout
from headrace.server.operations.forecasting.imports.data import DATA
from headrace.server.operations.forecasting.imports.requests import settings_of
from headrace.server.operations.forecasting.imports.statistics import statistics_of
from headrace.server.operations.forecasting.imports.tables import Table, merge
from headrace.server.operations.forecasting.kinds import ACTIVE, DATASET
from headrace.server.operations.forecasting.monitors.beginning import begin_evaluations
from headrace.server.operations.forecasting.roles import actor_of
from headrace.server.operations.storage.transfer import Key, download, list_keys, parse_uri
from headrace.server.operations.training.channels import DataError, explained
from headrace.server.resources import Stored, by_arn

MOST_FILES = 10_000
MOST_BYTES = 30 * 10**9
"""AWS page: Guidelines and Quotas."""


def make(job: Job, stored: Stored) -> None:
    """Import what a job names; raises DataError with the sentence for its Message. Nothing is imported by halves."""
    platform, record = job.platform, stored.record
    with platform.metadata.reading() as connection:
        dataset = by_arn(connection, stored.parent)
        if dataset is None:
            raise DataError(f"The dataset {stored.parent} is not there any more")
        actor = actor_of(platform, connection, stored, record["data_source"]["s3_config"]["role_arn"])
    keys = objects_of(actor, record["data_source"]["s3_config"]["path"])
    table = Table(layout(dataset), settings_of(record))
    parts: list[Path] = []
    for number, key in enumerate(keys):
        if job.cancelled:
            raise JobStopped
        job.progress("import", number / len(keys), f"{number} of {len(keys)} files are read")
        source, part = job.folder / "source", job.folder / "parts" / f"{number:05}.parquet"
        with explained(actor, key.uri):
            download(actor, key.bucket, key.key, source)
        if table.read(source, key.uri, part):
            parts.append(part)
        source.unlink()
    if not parts:
        raise DataError(
            f"There are no rows in {record['data_source']['s3_config']['path']}; import a table that has some"
        )
    statistics = statistics_of(parts, table.layout)
    size = sum(key.size for key in keys)
    present = dataset.record.get("_imported")
    if record["import_mode"] == "INCREMENTAL" and present:
        earlier = artifacts.fetch(platform, dataset.arn, DATA, job.folder / "present.parquet")
        rows = merge(parts, job.folder / "data.parquet", table.layout, earlier)
        size += present["size"]
    else:
        rows = merge(parts, job.folder / "data.parquet", table.layout)
    _finish(job, dataset, {"rows": rows, "size": size, "settings": table.settings}, statistics)


def _finish(job: Job, dataset: Stored, imported: Mapping[str, Any], statistics: Mapping[str, Any]) -> None:
    """Give the file to the dataset in place of the one before, in the transaction that ends the job."""
    platform = job.platform
    staged = artifacts.stage(platform, job.folder / "data.parquet")
    try:
        with job.commit() as connection:
            now = platform.clock()
            stored, held = by_arn(connection, job.resource_arn), by_arn(connection, dataset.arn)
            if stored is None or held is None:
                raise DataError(f"The dataset {dataset.arn} is not there any more")
            gone = artifacts.drop(connection, platform, held.arn, DATA)
            artifacts.keep(connection, platform, held.arn, DATA, staged)
            record = {**held.record, "_imported": {**imported, "import_job": stored.arn, "time": now}}
            resources.change(connection, DATASET, held, now=now, record=record, state=ACTIVE)
            members = {"data_size": imported["size"] / 10**9, "field_statistics": statistics}
            begin_evaluations(connection, platform, states.end(connection, stored, ACTIVE, now=now, **members), now=now)
    except BaseException:
        platform.objects.discard(staged)
        raise
    gone()


def objects_of(actor: Actor, path: str) -> list[Key]:
    """Return the object of that path, or all below it as a folder; raises DataError with AWS's sentences."""
    named = parse_uri(path)
    with explained(actor, path):
        found = list_keys(actor, named.bucket, named.key)
    exact = [key for key in found if key.key == named.key]
    folder = f"{named.key.rstrip('/')}/" if named.key else ""
    keys = exact or [key for key in found if key.key.startswith(folder) and not key.key.endswith("/")]
    if not keys:
        raise DataError(f"There is no object at {path}, nor any below it; name a file of the bucket, or a folder")
    if len(keys) > MOST_FILES:
        raise DataError(f"There are {len(keys)} files at {path}, and one import takes at most {MOST_FILES}")
    if sum(key.size for key in keys) > MOST_BYTES:
        raise DataError(f"The files at {path} are larger than 30 GB together; import less at once")
    return keys
