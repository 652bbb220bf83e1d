"""Training jobs: created, described, listed, stopped, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.jobs.queue import MOST_ATTEMPTS
from headrace.server.operations.acting import check_role
from headrace.server.operations.lineage.kinds import check_experiment_config
from headrace.server.operations.training import statuses
from headrace.server.operations.training.requests import check_request, complete_request
from headrace.server.operations.training.statuses import TRAINING_JOB
from headrace.server.resources import Stored, member

__all__ = ["TRAINING_JOB"]

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
HIDDEN = ("lowered", "job", "warm_pool", "profiling_disabled", "user_code")
TIMES = ("training_start_time", "training_end_time")
PAGE = 10
UPDATED_WHILE = ("Downloading", "Training")


def create_training_job(
    context: Context,
    *,
    training_job_name: str,
    role_arn: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Take a training job in (AWS page: SageMaker API, CreateTrainingJob).

    Raises InvalidInput on what can't be trained, AlreadyExists (ResourceInUse) on a name that is taken.
    """
    kind = check_request(request, tags)
    check_role(context, role_arn)
    check_experiment_config(context, request.get("experiment_config"))
    now, place = context.now, context.place
    record = {
        "lowered": training_job_name.lower(),
        "role_arn": role_arn,
        **complete_request(request, kind),
        **statuses.begin(now),
    }
    given = {each["key"]: each["value"] for each in tags}
    try:
        stored = resources.create(
            context.connection, TRAINING_JOB, place, training_job_name, record, now=now, tags=given
        )
    except AlreadyExists as error:
        arn = TRAINING_JOB.arn_of(place, training_job_name, record)
        raise AlreadyExists(
            "Training job names must be unique within an AWS account and region, and a training job with this name "
            f"already exists ({arn})"
        ) from error
    where = {"account": place.account, "region": place.region, "partition": place.partition}
    stream = f"{training_job_name}/algo-1-{now // 1000}"
    job = context.platform.jobs.enqueue(
        context.connection,
        "training",
        {"place": where, "name": training_job_name, "log": {**where, "group": LOG_GROUP, "stream": stream}},
        now=now,
        attempts=MOST_ATTEMPTS + record.get("retry_strategy", {}).get("maximum_retry_attempts", 0),
        resource_arn=stored.arn,
        user_code=kind.user_code,
    )
    stored = resources.change(context.connection, TRAINING_JOB, stored, now=now, record={**stored.record, "job": job})
    statuses.tell(context.connection, stored, now)
    return {"training_job_arn": stored.arn}


def describe_training_job(context: Context, *, training_job_name: str) -> dict[str, Any]:
    """Return all that is known of a training job (AWS page: SageMaker API, DescribeTrainingJob)."""
    return described_training_job(find_training_job(context, training_job_name))


def described_training_job(stored: Stored) -> dict[str, Any]:
    """Return what describing a training job answers."""
    record = {name: value for name, value in stored.record.items() if name not in HIDDEN}
    record |= {name: moment(record[name]) for name in TIMES if name in record}
    record["secondary_status_transitions"] = [
        {name: moment(value) if name.endswith("_time") else value for name, value in each.items()}
        for each in record["secondary_status_transitions"]
    ]
    for name in ("final_metric_data_list", "debug_rule_evaluation_statuses", "profiler_rule_evaluation_statuses"):
        if name in record:
            record[name] = [_with_moment(each) for each in record[name]]
    return {
        **record,
        **_warm_pool(stored),
        "training_job_name": stored.name,
        "training_job_arn": stored.arn,
        "training_job_status": stored.state,
        "creation_time": moment(stored.created),
        "last_modified_time": moment(stored.modified),
    }


def list_training_jobs(
    context: Context,
    *,
    next_token: str | None = None,
    warm_pool_status_equals: str | None = None,
    training_plan_arn_equals: str | None = None,
    **asked: Any,
) -> dict[str, Any]:
    """Return summaries of training jobs (AWS page: SageMaker API, ListTrainingJobs).

    A page holds as many as asked for of those that match, where AWS filters a page by status after cutting it.
    """
    if training_plan_arn_equals:
        return {"training_job_summaries": []}
    where = [] if warm_pool_status_equals is None else [member("warm_pool") == warm_pool_status_equals]
    page = resources.search(
        context.connection,
        TRAINING_JOB,
        context.place,
        asked,
        where=where,
        position=context.position(next_token, of="list_training_jobs"),
        sort_order="Descending",
        limit=PAGE,
    )
    return {
        "training_job_summaries": [_summary(each) for each in page.items],
        "next_token": context.token(page.position, of="list_training_jobs"),
    }


def stop_training_job(context: Context, *, training_job_name: str) -> None:
    """Ask a training job to stop; one that waits is stopped at once (AWS page: SageMaker API, StopTrainingJob)."""
    stored = find_training_job(context, training_job_name)
    if statuses.is_over(stored):
        raise InvalidInput(
            f"The request was rejected because the training job is in status {stored.state}.",
            code="ValidationException",
        )
    if stored.state != "Stopping":
        statuses.advance(context.connection, stored, "Stopping", now=context.now, status="Stopping")
        context.platform.jobs.cancel(context.connection, stored.record["job"], now=context.now)


def update_training_job(
    context: Context,
    *,
    training_job_name: str,
    profiler_config: Mapping[str, Any] | None = None,
    profiler_rule_configurations: Sequence[Mapping[str, Any]] | None = None,
    resource_config: Mapping[str, Any] | None = None,
    remote_debug_config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Change what may be changed of a training job (AWS page: SageMaker API, UpdateTrainingJob)."""
    stored = find_training_job(context, training_job_name)
    record = dict(stored.record)
    if (profiler_config or profiler_rule_configurations or remote_debug_config) and statuses.is_over(stored):
        raise InvalidInput(
            f"Training job {stored.name} is {stored.state}; profiling and debugging change only while it is InProgress",
            code="ValidationException",
        )
    if remote_debug_config:
        if record["secondary_status"] not in UPDATED_WHILE:
            raise InvalidInput(
                f"Training job {stored.name} is {record['secondary_status']}; remote debugging changes only while it "
                "is Downloading or Training",
                code="ValidationException",
            )
        record["remote_debug_config"] = dict(remote_debug_config)
    if profiler_config:
        record["profiler_config"] = {**record.get("profiler_config", {}), **profiler_config}
        record["profiling_status"] = "Disabled" if profiler_config.get("disable_profiler") else "Enabled"
    if profiler_rule_configurations:
        record["profiler_rule_configurations"] = [
            *record.get("profiler_rule_configurations", ()), *map(dict, profiler_rule_configurations),
        ]  # fmt: skip
    if resource_config:
        if record.get("warm_pool") != "InUse":
            raise InvalidInput(
                f"Training job {stored.name} keeps no warm pool now; set KeepAlivePeriodInSeconds when it is created",
                code="ValidationException",
            )
        record["resource_config"] = {**record["resource_config"], **resource_config}
    resources.change(context.connection, TRAINING_JOB, stored, now=context.now, record=record)
    return {"training_job_arn": stored.arn}


def delete_training_job(context: Context, *, training_job_name: str) -> None:
    """Forget a training job that has ended; its artifacts stay (AWS page: SageMaker API, DeleteTrainingJob)."""
    resources.remove(context.connection, find_training_job(context, training_job_name), TRAINING_JOB)


def find_training_job(context: Context, name: str) -> Stored:
    """Return a training job; raises NotFound in SageMaker's words."""
    stored = resources.find(context.connection, TRAINING_JOB, context.place, name)
    if stored is None:
        raise NotFound("Requested resource not found.", code="ResourceNotFound", status=400)
    return stored


def _summary(stored: Stored) -> dict[str, Any]:
    end = stored.record.get("training_end_time")
    return {
        "training_job_name": stored.name,
        "training_job_arn": stored.arn,
        "creation_time": moment(stored.created),
        "training_end_time": None if end is None else moment(end),
        "last_modified_time": moment(stored.modified),
        "training_job_status": stored.state,
        "secondary_status": stored.record["secondary_status"],
        **_warm_pool(stored),
    }


def _warm_pool(stored: Stored) -> dict[str, Any]:
    pool = stored.record.get("warm_pool")
    if pool is None:
        return {}
    kept = {"resource_retained_billable_time_in_seconds": 0} if pool == "Terminated" else {}
    return {"warm_pool_status": {"status": pool, **kept}}


def _with_moment(each: Mapping[str, Any]) -> dict[str, Any]:
    times = ("timestamp", "last_modified_time")
    return {name: moment(value) if name in times else value for name, value in each.items()}
