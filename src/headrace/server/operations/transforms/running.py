"""A transform job at work, in a process of its own: brings its model up, and ends with all output at once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from headrace.server.errors import Denied, InvalidInput, NotFound
from headrace.server.jobs.handle import Job
from headrace.server.model_server import Container, Instance, ModelFailed
from headrace.server.model_server.built_in import built_in_name
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.models.containers import fetch_containers
from headrace.server.operations.storage.transfer import check_put
from headrace.server.operations.training.channels import DataError
from headrace.server.operations.transforms import states
from headrace.server.operations.transforms.data_log import DataLog
from headrace.server.operations.transforms.inputs import Input, inputs_of, output_key
from headrace.server.operations.transforms.outputs import Outputs, capture_key
from headrace.server.operations.transforms.plans import Plan, plan_of
from headrace.server.operations.transforms.sending import ALGORITHM_ERROR, CLIENT_ERROR, Fleet
from headrace.server.operations.transforms.transforming import Stopped, Transforming
from headrace.server.resources import Place, by_arn

CREDENTIAL_HOURS = 12


class JobEnds(Exception):  # noqa: N818
    """The job fails as a whole, for this reason, before its objects are looked into."""


def run(job: Job) -> None:
    """Transform the objects of the job's record; its end, its outputs and its last log lines commit together."""
    where = job.payload["log"]
    place = Place(where["account"], where["region"], where["partition"])
    with job.platform.metadata.reading() as connection:
        stored = by_arn(connection, job.resource_arn)
    if stored is None or stored.state in states.ENDED:
        return
    log = DataLog(job.platform, place, where["group"], where["stream"])
    outputs = Outputs(job.platform.objects)
    try:
        try:
            actor = _actor(job, stored.record, place)
            reason = _transformed(job, stored.record, actor, outputs, log)
            _end(job, log, reason, outputs, actor)
        except Stopped:
            _end(job, log, stopped=True)
        except JobEnds as error:
            log.say([str(error)])
            _end(job, log, str(error))
    finally:
        outputs.discard()


def _actor(job: Job, record: dict[str, Any], place: Place) -> Actor:
    try:
        with job.platform.metadata.reading() as connection:
            return act_as(job.platform, connection, record["execution_role_arn"], place)
    except InvalidInput as error:
        raise JobEnds(f"{CLIENT_ERROR}: {error.message}") from error


def _transformed(job: Job, record: dict[str, Any], actor: Actor, outputs: Outputs, log: DataLog) -> str:
    """Fill the outputs and return why the job failed, "" if it did not."""
    sources = _sources(actor, record)
    _check_writing(actor, record, sources[0])
    job.progress("Loading the model", 0.0)
    try:
        containers = fetch_containers(actor, record["deployed"])
    except ModelFailed as error:
        raise JobEnds(f"{CLIENT_ERROR}: {error}") from error
    plan = plan_of(record, [container.image for container in containers])
    log.say([str(plan)])
    with tempfile.TemporaryDirectory(prefix="headrace-") as sockets:
        try:
            fleet = Fleet(partial(_start, job, actor, containers, plan, record, Path(sockets)), plan.instances)
            return Transforming(job, plan, actor, fleet, outputs, log).run(sources)
        except ModelFailed as error:
            raise JobEnds(f"{ALGORITHM_ERROR}: {error}") from error


def _sources(actor: Actor, record: dict[str, Any]) -> list[Input]:
    try:
        return inputs_of(actor, record["transform_input"]["data_source"]["s3_data_source"])
    except DataError as error:
        raise JobEnds(f"{CLIENT_ERROR}: {error}") from error


def _check_writing(actor: Actor, record: dict[str, Any], source: Input) -> None:
    """Raise JobEnds where the first output, or what is captured, could not be written, before any work for it."""
    paths = [record["transform_output"]["s3_output_path"]]
    keys = [output_key(paths[0], source.name)]
    if capture := record.get("data_capture_config"):
        paths.append(capture["destination_s3_uri"])
        keys.append(capture_key(paths[1], "output", actor.platform.clock()))
    for path, key in zip(paths, keys, strict=True):
        try:
            check_put(actor, key.bucket, key.key)
        except (Denied, NotFound) as error:
            raise JobEnds(_upload_failed(path, error)) from error


def _start(
    job: Job, actor: Actor, containers: Sequence[Container], plan: Plan, record: dict[str, Any], sockets: Path
) -> Instance:
    given = record.get("environment") or {}
    changed = [
        replace(container, environment={**container.environment, **given, **plan.variables}) for container in containers
    ]
    settings = job.platform.settings
    return Instance.start(
        changed,
        folder=Path(tempfile.mkdtemp(dir=sockets)),
        log=job.log,
        trust_scripts=settings.trust_scripts,
        environment={} if all(map(built_in_name, changed)) else actor.variables(seconds=CREDENTIAL_HOURS * 3600),
        hidden=(settings.data,),
        environments=settings.data / "environments",
    )


def _end(
    job: Job,
    log: DataLog,
    reason: str = "",
    outputs: Outputs | None = None,
    actor: Actor | None = None,
    *,
    stopped: bool = False,
) -> None:
    """Commit the job's end, its outputs with it unless it was stopped meanwhile."""
    committed: list[Any] = []
    try:
        with job.commit() as connection:
            stored = by_arn(connection, job.resource_arn)
            if stored is None or stored.state in states.ENDED:
                return
            stopped = stopped or stored.state == states.STOPPING
            if not stopped and outputs is not None and actor is not None:
                context = actor.context(connection)
                outputs.appear(context, stored.record)
                committed = context.committed
            log.write(connection)
            state = states.STOPPED if stopped else states.FAILED if reason else states.COMPLETED
            states.move(connection, stored, state, job.platform.clock(), reason="" if stopped else reason)
    except (Denied, NotFound, InvalidInput) as error:
        if outputs is None:
            raise
        raise JobEnds(_upload_failed("", error)) from error
    if outputs is not None and not stopped:
        outputs.kept()
    for action in committed:
        action()


def _upload_failed(path: str, error: Denied | NotFound | InvalidInput) -> str:
    denied = "AccessDenied (403): " if isinstance(error, Denied) else ""
    to = f" to {path}" if path else ""
    return f"{CLIENT_ERROR}: Data upload failed{to}: {denied}{error.message}"
