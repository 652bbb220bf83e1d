"""One attempt at a training job: what it is to do, how far it is, and how it ends."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.server import resources
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobStopped
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.training import statuses
from headrace.server.operations.training.metrics import Metrics
from headrace.server.operations.training.outputs import Artifacts
from headrace.server.resources import Place, Stored


@dataclass
class Task:
    """A training job in the hands of the process that runs it; `cause` is why it is to stop before its end."""

    job: Job
    stored: Stored
    actor: Actor
    metrics: Metrics
    cause: str = ""
    deadline: int = 0
    late: str = ""
    last_line: str = field(default="", repr=False)
    _members: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def begin(cls, job: Job) -> Task | None:
        """Take the job up, or return None where it is over; raises InvalidInput where its role can't be taken on."""
        platform, place = job.platform, Place(**job.payload["place"])
        with platform.metadata.writing() as connection:
            stored = resources.by_arn(connection, job.resource_arn)
            if stored is None or statuses.is_over(stored):
                return None
            if stored.state == "InProgress":
                stored = statuses.take_up(connection, stored, now=platform.clock())
            actor = act_as(platform, connection, stored.record["role_arn"], place)
        task = cls(job, stored, actor, Metrics((), platform.clock))
        task._set_deadline()
        return task

    @property
    def name(self) -> str:
        """The job's name."""
        return self.stored.name

    @property
    def record(self) -> dict[str, Any]:
        """The job's record, as it was when it was last looked at."""
        return self.stored.record

    def set_definitions(self, definitions: Mapping[str, str]) -> None:
        """Let Describe show an algorithm's own metric definitions from the next stage on."""
        shown = [{"name": name, "regex": pattern} for name, pattern in definitions.items()]
        specification = {**self.record["algorithm_specification"], "metric_definitions": shown}
        self._members["algorithm_specification"] = specification

    def stage(self, secondary: str) -> None:
        """Tell that the job is at another stage; one that is to end before its time is Stopping, and still uploads."""
        members, self._members = self._members, {}
        with self.job.platform.metadata.writing() as connection:
            stored = resources.by_arn(connection, self.stored.arn)
            if stored is None or statuses.is_over(stored):
                raise JobStopped
            now = self.job.platform.clock()
            if self.cause and stored.state == "InProgress":
                stored = statuses.advance(connection, stored, "Stopping", now=now, status="Stopping")
            kept = stored.state == "Stopping" and secondary != "Uploading"
            reached = stored.record["secondary_status"] if kept else secondary
            self.stored = statuses.advance(connection, stored, reached, now=now, members=members)

    def line(self, text: str) -> None:
        """Take a line of the algorithm's log: the metrics in it are stored now and then."""
        if text.strip():
            self.last_line = text.strip()
        self.metrics.read(text)
        if self.metrics.is_due():
            with self.job.platform.metadata.writing() as connection:
                self.metrics.store(connection, self.actor.place, self.name, self.job.platform.clock())

    def log(self, text: str) -> None:
        """Write a line of a built-in algorithm to the log, and take it."""
        self.job.log(text)
        self.line(text)

    def stopped(self) -> bool:
        """Tell whether training is to end now: it was asked to, its time is over, or the server stops."""
        if not self.cause:
            if self.job.cancelled:
                self.cause = "Stopped"
            elif self.job.platform.clock() >= self.deadline:
                self.cause = self.late
        return bool(self.cause)

    def settle_cause(self) -> None:
        """Raise JobStopped where it is not the job that is to stop but the server, so that it goes on later."""
        if self.cause == "Stopped":
            with self.job.platform.metadata.reading() as connection:
                stored = resources.by_arn(connection, self.stored.arn)
            if stored is not None and stored.state == "InProgress":
                raise JobStopped

    def finish(self, status: str, *, reason: str = "", artifacts: Artifacts | None = None) -> None:
        """End the job with all that it leaves, in one transaction; raises DataError where that may not be written."""
        context = None
        with self.job.commit() as connection:
            stored = resources.by_arn(connection, self.stored.arn)
            if stored is None or statuses.is_over(stored):
                return
            now = self.job.platform.clock()
            members: dict[str, Any] = {}
            if artifacts is not None:
                context = self.actor.context(connection)
                artifacts.put(context)
                if artifacts.model:
                    members["model_artifacts"] = {"s3_model_artifacts": artifacts.model}
            self.metrics.store(connection, self.actor.place, self.name, now)
            if final := self.metrics.final():
                members["final_metric_data_list"] = final
            ended = "Stopped" if status == "Completed" and (self.cause or stored.state == "Stopping") else status
            secondary = self.cause if ended == "Stopped" else ""
            statuses.end(connection, stored, ended, secondary, now=now, reason=reason, members=members)
        for action in context.committed if context is not None else ():
            action()

    def finish_in_peace(self) -> None:
        """Let SIGTERM pass from now on: what follows looks at `stopped` itself, or is to be finished."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _set_deadline(self) -> None:
        stopping = self.record["stopping_condition"]
        start = self.record.get("training_start_time", self.stored.created)
        self.deadline = start + stopping["max_runtime_in_seconds"] * 1000
        self.late = "MaxRuntimeExceeded"
        wait = stopping.get("max_wait_time_in_seconds")
        if wait is not None and self.stored.created + wait * 1000 < self.deadline:
            self.deadline, self.late = self.stored.created + wait * 1000, "MaxWaitTimeExceeded"
