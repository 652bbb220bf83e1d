"""Training of the built-in algorithms, through their contract and in this process."""

from __future__ import annotations

import shutil

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import BuiltIn, Channel, ClientError, TrainingRun
from headrace.server.containers.hyperparameters import read_hyperparameters
from headrace.server.operations.training.channels import sources_of
from headrace.server.operations.training.metrics import Metrics
from headrace.server.operations.training.outputs import Folders
from headrace.server.operations.training.programs import kind_of
from headrace.server.operations.training.task import Task


class BuiltInTraining:
    """A built-in algorithm at work; channels that it does not know are left where they are."""

    def __init__(self, task: Task) -> None:
        """Check hyperparameters and channels; raises ClientError."""
        self.task = task
        self.image = built_in(kind_of(task.record).algorithm)
        sources = sources_of(task.record)
        names = [source.name for source in sources]
        self.hyperparameters = read_hyperparameters(self.image.hyperparameters, task.record["hyper_parameters"])
        self.image.check(self.hyperparameters, names)
        missing = next(
            (name for name, rule in self.image.channels.items() if rule.required and name not in names), None
        )
        if missing is not None:
            raise ClientError(f"Missing required channel: {missing}; add it to InputDataConfig")
        self.sources = tuple(source for source in sources if source.name in self.image.channels)
        folder = task.job.folder
        self.folders = Folders(folder / "data", folder / "model", folder / "output", task.job.checkpoint)
        given = task.record["algorithm_specification"].get("metric_definitions", ())
        definitions = {metric.name: metric.pattern for metric in self.image.metrics}
        definitions |= {each["name"]: each["regex"] for each in given}
        task.metrics = Metrics(list(definitions.items()), task.job.platform.clock)
        task.set_definitions(definitions)

    def train(self) -> None:
        """Fit the model; raises ClientError."""
        folders = self.folders
        self.task.finish_in_peace()
        for folder in (folders.model, folders.output):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        channels = {
            source.name: Channel(source.name, folders.data / source.name, source.content_type)
            for source in self.sources
        }
        self.image.train(
            TrainingRun(
                self.hyperparameters, channels, folders.model, folders.output, folders.checkpoint, self.task.log,
                self.task.stopped,
            )
        )  # fmt: skip


def built_in(name: str) -> BuiltIn:
    """Return a built-in algorithm; raises ClientError on one that this server does not have."""
    found = ALGORITHMS.get(name)
    if found is None or not found.hyperparameters:
        raise ClientError(f"The algorithm '{name}' can't be trained by this server; those that can: {_names()}")
    return found


def _names() -> str:
    return ", ".join(sorted(name for name, image in ALGORITHMS.items() if image.hyperparameters))
