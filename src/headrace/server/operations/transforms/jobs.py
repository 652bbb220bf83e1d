"""Transform jobs: created, described, listed, stopped."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InUse, InvalidInput, NotFound
from headrace.server.jobs.queue import listing
from headrace.server.operations.lineage.kinds import check_experiment_config
from headrace.server.operations.models.models import model_named
from headrace.server.operations.transforms.requests import check_request, complete_request
from headrace.server.operations.transforms.states import (
    IN_PROGRESS,
    INNER,
    STOPPING,
    TRANSFORM_JOB,
    tell,
    transform_job_arn,
)
from headrace.server.resources import Stored

LOG_GROUP = "/aws/sagemaker/TransformJobs"
TIMES = ("transform_start_time", "transform_end_time")


def create_transform_job(
    context: Context,
    *,
    transform_job_name: str,
    model_name: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Start a transform job. AWS page: CreateTransformJob.

    Raises AlreadyExists on a name that is taken, InvalidInput on a model that does not exist and on what can't be done.
    """
    model = model_named(context, model_name)
    check_request(request)
    check_experiment_config(context, request.get("experiment_config"))
    instance = f"{transform_job_name}/i-{secrets.token_hex(9)[:17]}-{context.now // 1000}"
    record = {
        "transform_job_name": transform_job_name,
        "model_name": model_name,
        **complete_request(request),
        "lowered": transform_job_name.lower(),
        **{name: model.record[name] for name in ("deployed", "execution_role_arn")},
    }
    named = {each["key"]: each.get("value", "") for each in tags}
    try:
        stored = resources.create(
            context.connection, TRANSFORM_JOB, context.place, transform_job_name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        raise AlreadyExists(
            "Job name must be unique within an AWS account and region, and a job with this name already exists "
            f"({transform_job_arn(context.place, transform_job_name)})"
        ) from None
    tell(context.connection, stored, context.now)
    place = {"account": context.place.account, "region": context.place.region, "partition": context.place.partition}
    payload = {"log": {**place, "group": LOG_GROUP, "stream": instance}}
    context.platform.jobs.enqueue(context.connection, "transform", payload, now=context.now, resource_arn=stored.arn)
    return {"transform_job_arn": stored.arn}


def describe_transform_job(context: Context, *, transform_job_name: str) -> dict[str, Any]:
    """Return what CreateTransformJob was given, and what came of it. AWS page: DescribeTransformJob."""
    return described_transform_job(transform_job_named(context, transform_job_name))


def described_transform_job(stored: Stored) -> dict[str, Any]:
    """Return what describing a transform job answers."""
    shown = {name: value for name, value in stored.record.items() if value is not None and name not in INNER}
    return {
        **shown,
        **{name: moment(shown[name]) for name in TIMES if name in shown},
        "transform_job_arn": stored.arn,
        "transform_job_status": stored.state,
        "creation_time": moment(stored.created),
    }


def list_transform_jobs(context: Context, *, next_token: str | None = None, **asked: Any) -> dict[str, Any]:
    """Return transform jobs, the newest first unless asked otherwise. AWS page: ListTransformJobs."""
    position = context.position(next_token, of="list_transform_jobs")
    page = resources.search(
        context.connection, TRANSFORM_JOB, context.place, asked, position=position, sort_order="Descending"
    )
    return {
        "transform_job_summaries": [_summary(each) for each in page.items],
        "next_token": context.token(page.position, of="list_transform_jobs"),
    }


def stop_transform_job(context: Context, *, transform_job_name: str) -> None:
    """Ask a transform job to stop; none of its output appears. AWS page: StopTransformJob.

    Raises InvalidInput on a job that has ended.
    """
    stored = transform_job_named(context, transform_job_name)
    if stored.state == STOPPING:
        return
    if stored.state != IN_PROGRESS:
        raise InvalidInput(
            f"The request was rejected because the transform job is in status {stored.state}.",
            code="ValidationException",
        )
    found, _ = listing(context.connection, kind="transform", resource_arn=stored.arn, limit=1)
    if not found:
        raise InUse(f"the transform job {transform_job_name!r} has nothing that could be stopped; wait for its end")
    context.platform.jobs.cancel(context.connection, found[0].id, now=context.now, reason="it was stopped")


def transform_job_named(context: Context, name: str) -> Stored:
    """Return the transform job of that name; raises NotFound in AWS's words."""
    stored = resources.find(context.connection, TRANSFORM_JOB, context.place, name)
    if stored is None:
        raise NotFound("Requested resource not found.", status=400)
    return stored


def _summary(stored: Stored) -> dict[str, Any]:
    end = stored.record.get("transform_end_time")
    return {
        "transform_job_name": stored.name,
        "transform_job_arn": stored.arn,
        "creation_time": moment(stored.created),
        "transform_end_time": None if end is None else moment(end),
        "last_modified_time": moment(stored.modified),
        "transform_job_status": stored.state,
        "failure_reason": stored.record.get("failure_reason"),
    }
