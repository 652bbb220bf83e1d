"""Tables of a resource delivered to S3 by its role: all of them with the transaction that makes it ACTIVE, or none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.server.errors import Denied, NotFound, OperationError
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobFailed
from headrace.server.operations.acting import Actor
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import ACTIVE
from headrace.server.operations.forecasting.roles import actor_of
from headrace.server.operations.storage.transfer import Key, check_put, encryption, parse_uri, put, stage
from headrace.server.resources import Stored, by_arn
from headrace.server.stores.objects import Staged

if TYPE_CHECKING:
    import polars as pl

ROWS = 1_000_000
"""About how many rows a file has."""
CONTENT_TYPES = {"CSV": "text/csv", "PARQUET": "application/octet-stream"}


def deliver(job: Job, stored: Stored, tables: Iterable[tuple[str, pl.DataFrame]]) -> None:
    """Write tables below the destination of an export and end its job; each comes with its folder there ("" is none).

    Files are named NAME_TIME_partN as AWS names them (AWS page: CreateForecastExportJob). Raises JobFailed where the
    role may not write.
    """
    config, kind = stored.record["destination"]["s3_config"], stored.record.get("format") or "CSV"
    with job.platform.metadata.reading() as connection:
        actor = actor_of(job.platform, connection, stored, config["role_arn"])
    place, numbers = parse_uri(config["path"]), dict[str, int]()
    time = datetime.fromtimestamp(stored.created / 1000, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    staged: list[tuple[Key, Staged]] = []
    try:
        _check(actor, Key(place.bucket, "/".join(filter(None, (place.key.strip("/"), stored.name)))))
        for folder, table in tables:
            number = numbers[folder] = numbers.get(folder, -1) + 1
            name = f"{stored.name}_{time}_part{number}.{kind.lower()}"
            key = Key(place.bucket, "/".join(filter(None, (place.key.strip("/"), folder, name))))
            staged.append((key, stage(actor, _written(job.folder / name, table, kind))))
        with job.commit() as connection:
            context = actor.context(connection)
            headers = encryption(config.get("kms_key_arn"))
            for key, body in staged:
                put(context, key.bucket, key.key, body, content_type=CONTENT_TYPES[kind], **headers)
            current = by_arn(connection, stored.arn)
            if current is not None:
                states.end(connection, current, ACTIVE, now=job.platform.clock())
    except BaseException as error:
        for _, body in staged:
            job.platform.objects.discard(body)
        if isinstance(error, Denied | NotFound):
            raise JobFailed(_refusal(error, config["path"], config["role_arn"])) from error
        raise
    for action in context.committed:
        action()


def _check(actor: Actor, key: Key) -> None:
    check_put(actor, key.bucket, key.key)


def _written(path: Path, table: pl.DataFrame, kind: str) -> Path:
    if kind == "PARQUET":
        table.write_parquet(path)
    else:
        table.write_csv(path)
    return path


def _refusal(error: OperationError, path: str, role: str) -> str:
    return f"The role {role} could not write to {path}: {error.message}"
