"""An attempt at a processing job: fetches its inputs, runs its program, and lets its outputs appear with its end."""

from __future__ import annotations

import math

from sqlalchemy import Connection

from headrace.server.containers.contract import ClientError
from headrace.server.containers.model_monitor import Analysis, AnalysisFailed, MetricSet, analyze
from headrace.server.errors import InvalidInput
from headrace.server.jobs.handle import Job
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.metrics.storing import LARGEST, Point, add, metric_number
from headrace.server.operations.processing import states
from headrace.server.operations.processing.files import NoData, Outputs, check_outputs, lay_out
from headrace.server.operations.processing.requests import is_analysis
from headrace.server.operations.processing.scripted import run_script
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Place, Stored, by_arn

ENDPOINTS, BATCHES = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/ModelMonitoring/data-metrics"
"""Namespaces of the metrics of what endpoints and batch transforms captured."""
MINUTE = 60_000
ALONE = "This server runs a processing job on one machine, which gets all data, whatever its InstanceCount."
LATE = "Job runtime exceeded MaxRuntimeInSeconds provided"


class ProgramFailed(Exception):  # noqa: N818
    """The program ended with an error: the FailureReason, and its message."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(reason)
        self.message = message


def attempt(job: Job) -> None:
    """Run a processing job to its end."""
    place = Place(**job.payload["place"])
    with job.platform.metadata.reading() as connection:
        stored = by_arn(connection, job.resource_arn)
        if stored is None or stored.state in states.ENDED:
            return
        try:
            actor = act_as(job.platform, connection, stored.record["role_arn"], place)
        except InvalidInput as error:
            actor, failure = None, f"ClientError: {error.message}"
    if actor is None:
        _end(job, states.FAILED, reason=failure)
    else:
        _Work(job, stored, actor).run()


class _Work:
    """A job in the hands of the process that runs it."""

    def __init__(self, job: Job, stored: Stored, actor: Actor) -> None:
        self.job, self.stored, self.actor = job, stored, actor
        self.root = job.work / "ml"
        self.outputs = Outputs(actor, stored.record)

    def run(self) -> None:
        """Run the program and end the job."""
        try:
            self._process()
        except NoData as error:
            self._fail(str(error))
        except (DataError, ClientError) as error:
            self._fail(f"ClientError: {error}")
        except AnalysisFailed as error:
            self._fail(f"AlgorithmError: {error}")
        except ProgramFailed as error:
            self._fail(f"AlgorithmError: {error}", error.message)
        finally:
            self.outputs.discard()

    def _process(self) -> None:
        record = self.stored.record
        if (record["processing_resources"]["cluster_config"].get("instance_count") or 1) > 1:
            self.job.log(ALONE)
        check_outputs(self.actor, record)
        lay_out(self.actor, record, self.root)
        if is_analysis(record["app_specification"]["image_uri"]):
            analysis = analyze(record.get("environment") or {}, self.root)
            self.job.log(analysis.exit_message)
        else:
            analysis = Analysis(self._run_script())
        self.outputs.gather(self.root)
        late = self._is_late() and not is_analysis(record["app_specification"]["image_uri"])
        state, reason = (states.STOPPED, LATE) if late else (states.COMPLETED, "")
        _end(self.job, state, self.actor, self.outputs, reason=reason, analysis=analysis)

    def _run_script(self) -> str:
        code, message = run_script(self.job, self.stored, self.actor, self.root, self._is_late)
        if code and not self._is_late():
            raise ProgramFailed(
                f"See job logs for more information, exit code: {code if code > 0 else 128 - code}", message
            )
        return message

    def _is_late(self) -> bool:
        start = self.stored.record.get("processing_start_time", self.stored.created)
        limit = self.stored.record["stopping_condition"]["max_runtime_in_seconds"]
        return bool(self.job.platform.clock() - start >= limit * 1000)

    def _fail(self, reason: str, message: str = "") -> None:
        """End the job as failed; what is uploaded continuously is kept where it may be."""
        self.job.log(reason)
        self.outputs.discard()
        try:
            self.outputs.gather(self.root, continuous=True)
            _end(self.job, states.FAILED, self.actor, self.outputs, reason=reason, analysis=Analysis(message))
        except DataError:
            _end(self.job, states.FAILED, reason=reason, analysis=Analysis(message))


def _end(
    job: Job,
    state: str,
    actor: Actor | None = None,
    outputs: Outputs | None = None,
    *,
    reason: str = "",
    analysis: Analysis | None = None,
) -> None:
    """Commit the job's end with its outputs and metrics; raises DataError where they may not be written."""
    context = None
    with job.commit() as connection:
        stored = by_arn(connection, job.resource_arn)
        if stored is None or stored.state in states.ENDED:
            return
        if actor is not None and outputs is not None:
            context = actor.context(connection)
            outputs.appear(context)
        now = job.platform.clock()
        if stored.state == states.STOPPING and state == states.COMPLETED:
            state = states.STOPPED
        if analysis is not None and actor is not None:
            _publish(connection, actor.place, stored, analysis.metrics, now)
        message = analysis.exit_message if analysis is not None else ""
        states.move(connection, stored, state, now, reason=reason, exit_message=message)
    if outputs is not None:
        outputs.kept()
    for action in context.committed if context is not None else ():
        action()


def _publish(connection: Connection, place: Place, stored: Stored, metrics: tuple[MetricSet, ...], now: int) -> None:
    """Store the metrics of analysed data in CloudWatch."""
    environment = stored.record.get("environment") or {}
    endpoint = environment.get("sagemaker_endpoint_name")
    dimensions = {"MonitoringSchedule": environment.get("sagemaker_monitoring_schedule_name", "")}
    if endpoint:
        dimensions["Endpoint"] = endpoint
    namespace = ENDPOINTS if endpoint else BATCHES
    for each in metrics:
        values = (each.count, each.sum, each.minimum, each.maximum)
        if all(math.isfinite(value) and abs(value) <= LARGEST for value in values):
            number = metric_number(connection, place, namespace, each.name, dimensions, now)
            add(connection, number, Point(now // MINUTE * MINUTE, 60, "None", *values, None))
