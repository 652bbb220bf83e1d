"""AutoML jobs: created, described, listed, stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.operations.acting import check_role
from headrace.server.operations.autopilot import states
from headrace.server.operations.autopilot.candidates import shown_candidate
from headrace.server.operations.autopilot.requests import check_request, from_first_version
from headrace.server.operations.autopilot.states import AUTOML_JOB
from headrace.server.resources import Stored

__all__ = ["AUTOML_JOB"]

LOG_GROUP = "/aws/sagemaker/AutoMLJobs"
PAGE = 10


def create_auto_ml_job_v2(
    context: Context,
    *,
    auto_ml_job_name: str,
    role_arn: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Take an AutoML job in (AWS page: SageMaker API, CreateAutoMLJobV2).

    Raises InvalidInput on what can't be done here, AlreadyExists (ResourceInUse) on a name that is taken.
    """
    return _create(context, auto_ml_job_name, role_arn, tags, {"request": check_request(request)})


def create_auto_ml_job(
    context: Context,
    *,
    auto_ml_job_name: str,
    role_arn: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Take an AutoML job in the terms of the first version (AWS page: SageMaker API, CreateAutoMLJob)."""
    record = {"request": check_request(from_first_version(request)), "first_request": request}
    return _create(context, auto_ml_job_name, role_arn, tags, record)


def describe_auto_ml_job_v2(context: Context, *, auto_ml_job_name: str) -> dict[str, Any]:
    """Return all that is known of an AutoML job (AWS page: SageMaker API, DescribeAutoMLJobV2)."""
    stored = find_job(context, auto_ml_job_name)
    resolved = stored.record.get("resolved")
    answer = {**stored.record["request"], "auto_ml_problem_type_config_name": "Tabular"}
    if resolved:
        answer["resolved_attributes"] = {
            "auto_ml_job_objective": {"metric_name": resolved["objective"]},
            "completion_criteria": resolved["completion_criteria"],
            "auto_ml_problem_type_resolved_attributes": {
                "tabular_resolved_attributes": {"problem_type": resolved["problem_type"]}
            },
        }
    return answer | _shown(stored)


def describe_auto_ml_job(context: Context, *, auto_ml_job_name: str) -> dict[str, Any]:
    """Return all that is known of a job made by CreateAutoMLJob (AWS page: SageMaker API, DescribeAutoMLJob)."""
    stored = find_job(context, auto_ml_job_name)
    if "first_request" not in stored.record:
        raise InvalidInput(
            f"The AutoML job {stored.name} was created by CreateAutoMLJobV2; describe it with DescribeAutoMLJobV2"
        )
    answer = dict(stored.record["first_request"])
    if resolved := stored.record.get("resolved"):
        answer["resolved_attributes"] = {
            "auto_ml_job_objective": {"metric_name": resolved["objective"]},
            "completion_criteria": resolved["completion_criteria"],
            "problem_type": resolved["problem_type"],
        }
    return answer | _shown(stored)


def list_auto_ml_jobs(context: Context, *, next_token: str | None = None, **asked: Any) -> dict[str, Any]:
    """Return summaries of AutoML jobs (AWS page: SageMaker API, ListAutoMLJobs)."""
    page = resources.search(
        context.connection,
        AUTOML_JOB,
        context.place,
        asked,
        position=context.position(next_token, of="list_auto_ml_jobs"),
        sort_by="Name",
        sort_order="Descending",
        limit=PAGE,
    )
    return {
        "auto_ml_job_summaries": [_summary(stored) for stored in page.items],
        "next_token": context.token(page.position, of="list_auto_ml_jobs"),
    }


def stop_auto_ml_job(context: Context, *, auto_ml_job_name: str) -> None:
    """Ask a job to stop; it keeps the candidates that it has (AWS page: SageMaker API, StopAutoMLJob).

    Raises InvalidInput on a job that has ended.
    """
    stored = find_job(context, auto_ml_job_name)
    if stored.state in states.ENDED:
        raise InvalidInput(
            f"The request was rejected because the AutoML job is in status {stored.state}; only a job in progress stops"
        )
    if stored.state == states.IN_PROGRESS:
        context.platform.jobs.cancel(
            context.connection, stored.record["job"], now=context.now, reason="StopAutoMLJob was called"
        )


def find_job(context: Context, name: str) -> Stored:
    """Return an AutoML job by its name in any case; raises NotFound (ResourceNotFound)."""
    arn = AUTOML_JOB.arn_of(context.place, name, {"lowered": name.lower()})
    stored = resources.by_arn(context.connection, arn)
    if stored is None:
        raise NotFound(f"Could not find AutoML job {name}; list those that exist", code="ResourceNotFound")
    return stored


def _create(
    context: Context, name: str, role_arn: str, tags: Sequence[Mapping[str, str]], request: Mapping[str, Any]
) -> dict[str, Any]:
    check_role(context, role_arn)
    place, now = context.place, context.now
    record = {**request, "lowered": name.lower(), "role_arn": role_arn, "secondary": "Starting"}
    given = {each["key"]: each["value"] for each in tags}
    try:
        stored = resources.create(context.connection, AUTOML_JOB, place, name, record, now=now, tags=given)
    except AlreadyExists as error:
        arn = AUTOML_JOB.arn_of(place, name, record)
        raise AlreadyExists(f"AutoML Job already exists: {arn}; choose another name") from error
    where = {"account": place.account, "region": place.region, "partition": place.partition}
    stream = f"{name}/headrace-{now // 1000}"
    job = context.platform.jobs.enqueue(
        context.connection,
        "autopilot",
        {"name": name, "log": {**where, "group": LOG_GROUP, "stream": stream}},
        now=now,
        resource_arn=stored.arn,
    )
    states.advance(context.connection, stored, now=now, job=job)
    return {"auto_ml_job_arn": stored.arn}


def _shown(stored: Stored) -> dict[str, Any]:
    """Return the members that both versions describe a job with."""
    record = stored.record
    best = record.get("best_candidate")
    shown = {
        **_summary(stored),
        "role_arn": record["role_arn"],
        "best_candidate": None if best is None else shown_candidate(best),
        "auto_ml_job_artifacts": record.get("artifacts"),
        "model_deploy_result": {"endpoint_name": record["deployed"]} if record.get("deployed") else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _summary(stored: Stored) -> dict[str, Any]:
    record = stored.record
    ended, failures = record.get("end_time"), record.get("partial_failures")
    members = {
        "auto_ml_job_name": stored.name,
        "auto_ml_job_arn": stored.arn,
        "auto_ml_job_status": stored.state,
        "auto_ml_job_secondary_status": record["secondary"],
        "creation_time": moment(stored.created),
        "end_time": None if ended is None else moment(ended),
        "last_modified_time": moment(stored.modified),
        "failure_reason": record.get("failure_reason"),
        "partial_failure_reasons": [{"partial_failure_message": each} for each in failures] if failures else None,
    }
    return {name: value for name, value in members.items() if value is not None}
