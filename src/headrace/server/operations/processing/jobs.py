"""Processing jobs: created, described, listed, stopped and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InUse, InvalidInput, NotFound
from headrace.server.jobs.queue import listing
from headrace.server.operations.acting import check_role
from headrace.server.operations.lineage.kinds import check_experiment_config
from headrace.server.operations.processing.requests import check_request, complete_request, is_analysis
from headrace.server.operations.processing.states import IN_PROGRESS, INNER, PROCESSING_JOB, STOPPING, tell
from headrace.server.resources import Stored

__all__ = ["PROCESSING_JOB"]

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
KIND = "processing"
TIMES = ("processing_start_time", "processing_end_time")


def create_processing_job(
    context: Context,
    *,
    processing_job_name: str,
    role_arn: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Start a processing job. AWS page: CreateProcessingJob.

    Raises InvalidInput on what can't be done, AlreadyExists (ResourceInUse) on a name that is taken.
    """
    check_request(request)
    check_role(context, role_arn)
    check_experiment_config(context, request.get("experiment_config"))
    record = {"role_arn": role_arn, **complete_request(request)}
    stored = start(context, processing_job_name, record, {each["key"]: each["value"] for each in tags})
    return {"processing_job_arn": stored.arn}


def start(context: Context, name: str, record: Mapping[str, Any], tags: Mapping[str, str]) -> Stored:
    """Store a job with its completed record and let it run; raises AlreadyExists on a name that is taken."""
    place, now = context.place, context.now
    record = {"lowered": name.lower(), **record}
    try:
        stored = resources.create(context.connection, PROCESSING_JOB, place, name, record, now=now, tags=dict(tags))
    except AlreadyExists:
        raise AlreadyExists(
            "Job name must be unique within an AWS account and region, and a job with this name already exists "
            f"({PROCESSING_JOB.arn_of(place, name, record)})"
        ) from None
    tell(context.connection, stored, now)
    where = {"account": place.account, "region": place.region, "partition": place.partition}
    log = {**where, "group": LOG_GROUP, "stream": f"{name}/algo-1-{now // 1000}"}
    context.platform.jobs.enqueue(
        context.connection,
        KIND,
        {"place": where, "log": log},
        now=now,
        resource_arn=stored.arn,
        user_code=not is_analysis(record["app_specification"]["image_uri"]),
    )
    return stored


def describe_processing_job(context: Context, *, processing_job_name: str) -> dict[str, Any]:
    """Return what CreateProcessingJob was given, and what came of it. AWS page: DescribeProcessingJob."""
    return described_processing_job(processing_job_named(context, processing_job_name))


def described_processing_job(stored: Stored) -> dict[str, Any]:
    """Return what describing a processing job answers."""
    shown = {name: value for name, value in stored.record.items() if value is not None and name not in INNER}
    return {
        **shown,
        **{name: moment(shown[name]) for name in TIMES if name in shown},
        "processing_job_name": stored.name,
        "processing_job_arn": stored.arn,
        "processing_job_status": stored.state,
        "creation_time": moment(stored.created),
        "last_modified_time": moment(stored.modified),
    }


def list_processing_jobs(context: Context, *, next_token: str | None = None, **asked: Any) -> dict[str, Any]:
    """Return processing jobs, the newest first unless asked otherwise. AWS page: ListProcessingJobs."""
    position = context.position(next_token, of="list_processing_jobs")
    page = resources.search(
        context.connection, PROCESSING_JOB, context.place, asked, position=position, sort_order="Descending"
    )
    return {
        "processing_job_summaries": [_summary(each) for each in page.items],
        "next_token": context.token(page.position, of="list_processing_jobs"),
    }


def stop_processing_job(context: Context, *, processing_job_name: str) -> None:
    """Ask a processing job to stop. AWS page: StopProcessingJob. Raises InvalidInput on a job that has ended."""
    stored = processing_job_named(context, processing_job_name)
    if stored.state == STOPPING:
        return
    if stored.state != IN_PROGRESS:
        raise InvalidInput(
            f"The request was rejected because the processing job is in status {stored.state}.",
            code="ValidationException",
        )
    found, _ = listing(context.connection, kind=KIND, resource_arn=stored.arn, limit=1)
    if not found:
        raise InUse(f"the processing job {processing_job_name!r} has nothing that could be stopped; wait for its end")
    context.platform.jobs.cancel(context.connection, found[0].id, now=context.now, reason="it was stopped")


def delete_processing_job(context: Context, *, processing_job_name: str) -> None:
    """Forget a processing job that has ended; what it wrote stays. AWS page: DeleteProcessingJob."""
    resources.remove(context.connection, processing_job_named(context, processing_job_name), PROCESSING_JOB)


def processing_job_named(context: Context, name: str) -> Stored:
    """Return the processing job of that name; raises NotFound in AWS's words."""
    stored = resources.find(context.connection, PROCESSING_JOB, context.place, name)
    if stored is None:
        raise NotFound("Requested resource not found.", code="ResourceNotFound", status=400)
    return stored


def _summary(stored: Stored) -> dict[str, Any]:
    end = stored.record.get("processing_end_time")
    return {
        "processing_job_name": stored.name,
        "processing_job_arn": stored.arn,
        "creation_time": moment(stored.created),
        "processing_end_time": None if end is None else moment(end),
        "last_modified_time": moment(stored.modified),
        "processing_job_status": stored.state,
        "failure_reason": stored.record.get("failure_reason"),
        "exit_message": stored.record.get("exit_message"),
    }
