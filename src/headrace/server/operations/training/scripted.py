"""Training by a user's script or own image, as a process in the sandbox that sees the documented /opt/ml."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

from headrace.server.containers.archives import unpack
from headrace.server.containers.contract import ClientError, Metric
from headrace.server.containers.scripts import Program, ScriptFailed, Training, source_uri, training_program
from headrace.server.errors import Unavailable
from headrace.server.operations.role_files import RoleFiles
from headrace.server.operations.storage.transfer import download, parse_uri
from headrace.server.operations.training.channels import explained, sources_of
from headrace.server.operations.training.metrics import Metrics
from headrace.server.operations.training.outputs import Folders
from headrace.server.operations.training.pipes import Feeder
from headrace.server.operations.training.task import Task

ROOT = PurePosixPath("/opt/ml")
LONGEST_FAILURE = 1024


class AlgorithmError(Exception):
    """The user's code failed: one sentence, which becomes the FailureReason after "AlgorithmError: "."""


class ScriptTraining:
    """A user's script at work; its root is what it finds as /opt/ml."""

    def __init__(self, task: Task) -> None:
        """Say where its files lie."""
        self.task = task
        self.root = task.job.work / "ml"
        every = sources_of(task.record)
        self.sources = tuple(source for source in every if not source.streamed)
        self.streamed = tuple(source for source in every if source.streamed)
        self.folders = Folders(
            self.root / "input" / "data", self.root / "model", self.root / "output" / "data", self._checkpoint()
        )
        given = task.record["algorithm_specification"].get("metric_definitions", ())
        task.metrics = Metrics([(each["name"], each["regex"]) for each in given], task.job.platform.clock)
        self.role: RoleFiles | None = None

    def train(self) -> None:
        """Run the script to its end; raises AlgorithmError, or ClientError where it can't be started."""
        program = self._program()
        self.task.finish_in_peace()
        if self.task.stopped():
            return
        with ExitStack() as feeders:
            for source in self.streamed:
                feeders.enter_context(Feeder(self.task.actor, source, self.folders.data))
            try:
                code = self.task.job.run(
                    program.command,
                    environment=program.environment,
                    folders=program.folders,
                    network=program.network,
                    confined=program.confined,
                    on_line=self.task.line,
                    until=self._is_to_stop,
                )
            except Unavailable as error:
                raise ClientError(error.message) from error
        if code and not self.task.stopped():
            raise AlgorithmError(f"{self._failure(code)}, exit code: {code if code > 0 else 128 - code}")

    def _is_to_stop(self) -> bool:
        if self.role is not None:
            self.role.renew()
        return self.task.stopped()

    def _program(self) -> Program:
        record, task = self.task.record, self.task
        specification, hyperparameters = record["algorithm_specification"], record["hyper_parameters"]
        resources = record["resource_config"]
        groups = resources.get("instance_groups") or resources.get("instance_preferences") or [resources]
        self.folders.checkpoint.mkdir(parents=True, exist_ok=True)
        isolated = record["enable_network_isolation"]
        self.role = None if isolated else RoleFiles(task.actor, task.job.folder / "role")
        training = Training(
            name=task.name,
            arn=task.stored.arn,
            image=specification["training_image"],
            root=self.root,
            channels=tuple(source.name for source in (*self.sources, *self.streamed)),
            hyperparameters=hyperparameters,
            environment=record.get("environment", {}),
            source=self._source(),
            entrypoint=tuple(specification.get("container_entrypoint") or ()),
            arguments=tuple(specification.get("container_arguments") or ()),
            instance_type=groups[0].get("instance_type", ""),
            region=task.actor.place.region,
            metrics=tuple(Metric(each["name"], each["regex"]) for each in specification.get("metric_definitions", ())),
            credentials=self.role.variables if self.role else {},
            shown=self.role.shown if self.role else (),
            network=not isolated,
        )
        self._write_inputs()
        try:
            return training_program(
                training, environments=task.job.platform.settings.data / "environments", log=task.job.log
            )
        except ScriptFailed as error:
            raise ClientError(str(error)) from error

    def _source(self) -> Path | None:
        """Return the folder of the script's source, fetched with the role's rights."""
        record = self.task.record
        uri = source_uri({**record.get("environment", {}), **record["hyper_parameters"]})
        if not uri:
            return None
        archive, folder = self.task.job.folder / "source.tar.gz", self.root / "code"
        named = parse_uri(uri)
        with explained(self.task.actor, uri):
            download(self.task.actor, named.bucket, named.key, archive)
        unpack(archive, folder)
        archive.unlink()
        return folder

    def _write_inputs(self) -> None:
        """Write inputdataconfig.json, as SageMaker's own agent does."""
        folder = self.root / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {}
        for source in (*self.sources, *self.streamed):
            content[source.name] = {
                "TrainingInputMode": source.mode,
                "S3DistributionType": source.data["s3_data_distribution_type"],
                "RecordWrapperType": "RecordIO" if source.wrapped else "None",
            } | ({"ContentType": source.content_type} if source.content_type else {})
        (folder / "inputdataconfig.json").write_text(json.dumps(content), encoding="utf-8")

    def _checkpoint(self) -> Path:
        path = self.task.record.get("checkpoint_config", {}).get("local_path", "/opt/ml/checkpoints")
        return self.root / PurePosixPath(path).relative_to(ROOT)

    def _failure(self, code: int) -> str:
        """Return what the script says of its failure: its file, or the last line of its output."""
        said = read_inside(self.root, "output", "failure").strip()
        return said or f'ExecuteUserScriptError: ExitCode {code} ErrorMessage "{self.task.last_line[:LONGEST_FAILURE]}"'


def read_inside(folder: Path, *names: str) -> str:
    """Return the text of a file that a user's code may have written, following no link; "" where there is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    opened = [os.open(folder, flags | os.O_DIRECTORY)]
    try:
        for name in names:
            opened.append(os.open(name, flags, dir_fd=opened[-1]))
        return os.read(opened[-1], LONGEST_FAILURE).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        for descriptor in opened:
            os.close(descriptor)
