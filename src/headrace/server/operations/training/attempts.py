"""An attempt at a training job: fetches its channels, trains, and leaves its artifacts."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from headrace.server import resources
from headrace.server.containers.contract import ClientError
from headrace.server.errors import InvalidInput, OperationError
from headrace.server.jobs.handle import Job
from headrace.server.operations.training import statuses
from headrace.server.operations.training.built_in import BuiltInTraining
from headrace.server.operations.training.channels import DataError, Interrupted, Room, Source, fetch
from headrace.server.operations.training.checkpoints import Checkpoints
from headrace.server.operations.training.outputs import Folders, check_output, gather
from headrace.server.operations.training.programs import kind_of
from headrace.server.operations.training.scripted import AlgorithmError, ScriptTraining
from headrace.server.operations.training.streams import write_stream
from headrace.server.operations.training.task import Task

UNLIMITED = 1 << 20
"""GiB that channels may fill where VolumeSizeInGB is not given."""


class Training(Protocol):
    """What trains: a built-in algorithm, or a user's script.

    `sources` are the channels that are to lie in `folders.data`, one folder each, before `train` is called; it raises
    ClientError or AlgorithmError.
    """

    sources: tuple[Source, ...]
    folders: Folders

    def train(self) -> None:
        """Train, until it is done or the task is stopped; from where a stop leaves a model, it ends in peace."""


def attempt(job: Job) -> None:
    """Run a training job to its end."""
    try:
        task = Task.begin(job)
    except InvalidInput as error:
        _fail_unbegun(job, f"ClientError: {error.message}")
        return
    if task is None:
        return
    training: Training | None = None
    try:
        training = BuiltInTraining(task) if kind_of(task.record).built_in else ScriptTraining(task)
        _train(task, training)
    except (DataError, ClientError) as error:
        _fail(task, f"ClientError: {error}", training)
    except AlgorithmError as error:
        _fail(task, f"AlgorithmError: {error}", training)
    except Interrupted:
        task.settle_cause()
        task.finish("Stopped")


def _train(task: Task, training: Training) -> None:
    record, actor = task.record, task.actor
    if record["resource_config"].get("instance_count", 1) > 1:
        task.job.log("This server runs a training job on one machine, which gets all data, whatever its InstanceCount.")
    check_output(actor, record, task.name)
    checkpoints = None
    if "checkpoint_config" in record:
        checkpoints = Checkpoints(actor, record["checkpoint_config"]["s3_uri"], training.folders.checkpoint)
    task.stage("Downloading")
    _download(task, training)
    if checkpoints is not None:
        checkpoints.restore()
        checkpoints.start()
    task.stage("Training")
    try:
        training.train()
    except BaseException:
        if checkpoints is not None:
            with suppress(DataError):
                checkpoints.finish()
        raise
    task.settle_cause()
    if checkpoints is not None:
        checkpoints.finish()
    task.stage("Uploading")
    artifacts = gather(actor, record, task.name, training.folders, task.job.folder, model=True)
    try:
        task.finish("Completed", artifacts=artifacts)
    except BaseException:
        artifacts.discard(actor)
        raise


def _download(task: Task, training: Training) -> None:
    room = Room(task.record["resource_config"].get("volume_size_in_gb") or UNLIMITED)
    for source in training.sources:
        folder = training.folders.data / source.name
        if source.streamed:
            write_stream(task.actor, source, folder, room=room, stopped=task.stopped)
        else:
            fetch(task.actor, source, folder, room=room, stopped=task.stopped)


def _fail(task: Task, reason: str, training: Training | None) -> None:
    """End the job as failed; what a script wrote into its output is kept where it may be."""
    task.job.log(reason)
    if isinstance(training, ScriptTraining):
        try:
            artifacts = gather(task.actor, task.record, task.name, training.folders, task.job.folder, model=False)
            task.finish("Failed", reason=reason, artifacts=artifacts)
            return
        except (DataError, OperationError):
            pass
    task.finish("Failed", reason=reason)


def _fail_unbegun(job: Job, reason: str) -> None:
    with job.commit() as connection:
        stored = resources.by_arn(connection, job.resource_arn)
        if stored is not None and not statuses.is_over(stored):
            statuses.end(connection, stored, "Failed", now=job.platform.clock(), reason=reason)
