"""Hyperparameter tuning jobs: created, described, listed with their training jobs, stopped and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.operations.acting import check_role
from headrace.server.operations.entities import tag_map
from headrace.server.operations.tuning import states
from headrace.server.operations.tuning.requests import check_request
from headrace.server.operations.tuning.states import TUNING_JOB
from headrace.server.operations.tuning.steering import jobs_of
from headrace.server.operations.tuning.trials import Objective, Trial, counters, followed, shown_trial, trials_of
from headrace.server.resources import Stored

__all__ = ["TUNING_JOB"]

PAGE = 10
SORTED_BY: Mapping[str, Callable[[Trial], Any]] = {
    "Name": lambda trial: trial.name,
    "CreationTime": lambda trial: trial.created,
    "Status": lambda trial: trial.state,
    "FinalObjectiveMetricValue": lambda trial: trial.value,
}


def create_hyper_parameter_tuning_job(
    context: Context,
    *,
    hyper_parameter_tuning_job_name: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Take a tuning job in; its training jobs are started by the platform (AWS page: CreateHyperParameterTuningJob).

    Raises InvalidInput on what can't be tuned, AlreadyExists (ResourceInUse) on a name that is taken, LimitExceeded.
    """
    checked = check_request(request, tags)
    check_role(context, checked["definition"]["role_arn"])
    name, seed = hyper_parameter_tuning_job_name, checked["config"].get("random_seed")
    record = {
        **checked,
        "lowered": name.lower(),
        "seed": secrets.randbelow(2**31) if seed is None else seed,
        "trials": [],
    }
    try:
        stored = resources.create(
            context.connection, TUNING_JOB, context.place, name, record, now=context.now, tags=tag_map(tags)
        )
    except AlreadyExists as error:
        raise AlreadyExists(
            f"A hyperparameter tuning job with the name, {name}, already exists "
            f"({TUNING_JOB.arn_of(context.place, name, record)}). Choose a different name."
        ) from error
    states.tell(context.connection, stored, context.now)
    return {"hyper_parameter_tuning_job_arn": stored.arn}


def describe_hyper_parameter_tuning_job(context: Context, *, hyper_parameter_tuning_job_name: str) -> dict[str, Any]:
    """Return all that is known of a tuning job (AWS page: DescribeHyperParameterTuningJob)."""
    stored = find_tuning_job(context, hyper_parameter_tuning_job_name)
    record, trials = stored.record, _trials(context, stored)
    objective = Objective.of(record["config"])
    best = objective.best(trials)
    answer = {
        **_summary(stored, trials),
        "hyper_parameter_tuning_job_config": record["config"],
        "training_job_definition": record["definition"],
        "best_training_job": None if best is None else shown_trial(best, objective),
        "tuning_job_completion_details": {
            "number_of_training_jobs_objective_not_improving": objective.not_improving(trials)
        },
        "consumed_resources": {
            "runtime_in_seconds": (record.get("end_time", context.now) - stored.created) // 1000
        },
        "failure_reason": record.get("failure_reason"),
    }  # fmt: skip
    return {name: value for name, value in answer.items() if name not in ("strategy", "resource_limits")}


def list_hyper_parameter_tuning_jobs(
    context: Context, *, next_token: str | None = None, **asked: Any
) -> dict[str, Any]:
    """Return summaries of tuning jobs (AWS page: ListHyperParameterTuningJobs)."""
    page = resources.search(
        context.connection,
        TUNING_JOB,
        context.place,
        asked,
        position=context.position(next_token, of="list_hyper_parameter_tuning_jobs"),
        sort_by="Name",
        limit=PAGE,
    )
    return {
        "hyper_parameter_tuning_job_summaries": [_summary(each, _trials(context, each)) for each in page.items],
        "next_token": context.token(page.position, of="list_hyper_parameter_tuning_jobs"),
    }


def list_training_jobs_for_hyper_parameter_tuning_job(
    context: Context,
    *,
    hyper_parameter_tuning_job_name: str,
    next_token: str | None = None,
    max_results: int = PAGE,
    status_equals: str | None = None,
    sort_by: str = "Name",
    sort_order: str = "Ascending",
) -> dict[str, Any]:
    """Return the training jobs of a tuning job (AWS page: ListTrainingJobsForHyperParameterTuningJob).

    Sorted by FinalObjectiveMetricValue, those without one are left out.
    """
    stored = find_tuning_job(context, hyper_parameter_tuning_job_name)
    objective, key, descending = Objective.of(stored.record["config"]), SORTED_BY[sort_by], sort_order == "Descending"
    found = [
        ((key(trial), trial.name), trial)
        for trial in _trials(context, stored)
        if status_equals in (None, trial.state) and key(trial) is not None
    ]
    found.sort(key=lambda each: each[0], reverse=descending)
    of = f"{stored.arn}/{sort_by}/{sort_order}"
    if position := context.position(next_token, of=of):
        after = tuple(position)
        found = [each for each in found if (each[0] < after if descending else each[0] > after)]
    more = list(found[max_results - 1][0]) if len(found) > max_results else None
    return {
        "training_job_summaries": [shown_trial(trial, objective) for _, trial in found[:max_results]],
        "next_token": context.token(more, of=of),
    }


def stop_hyper_parameter_tuning_job(context: Context, *, hyper_parameter_tuning_job_name: str) -> None:
    """Ask a tuning job to stop, with its training jobs (AWS page: StopHyperParameterTuningJob).

    Raises InvalidInput on one that has ended.
    """
    stored = find_tuning_job(context, hyper_parameter_tuning_job_name)
    if stored.state in states.ENDED:
        raise InvalidInput(
            f"The request was rejected because the hyperparameter tuning job is already in status {stored.state}.",
            code="ValidationException",
        )
    if stored.state == states.IN_PROGRESS:
        states.change(context.connection, stored, stored.record, now=context.now, state=states.STOPPING)


def delete_hyper_parameter_tuning_job(context: Context, *, hyper_parameter_tuning_job_name: str) -> None:
    """Forget a tuning job that has ended; its training jobs stay (AWS page: DeleteHyperParameterTuningJob).

    Raises InvalidInput on one that has not ended.
    """
    stored = find_tuning_job(context, hyper_parameter_tuning_job_name)
    if stored.state not in states.ENDED:
        raise InvalidInput(
            f"The hyperparameter tuning job {stored.name} is {stored.state}, which is not in a terminal state; stop it "
            "and wait for its end",
            code="ValidationException",
        )
    resources.remove(context.connection, stored, TUNING_JOB)


def find_tuning_job(context: Context, name: str) -> Stored:
    """Return a tuning job by its name in any case; raises NotFound (ResourceNotFound)."""
    arn = TUNING_JOB.arn_of(context.place, name, {"lowered": name.lower()})
    stored = resources.by_arn(context.connection, arn)
    if stored is None:
        raise NotFound(
            f"Amazon SageMaker can't find a tuning job called {name}. Type another name.",
            code="ResourceNotFound",
            status=400,
        )
    return stored


def _trials(context: Context, stored: Stored) -> list[Trial]:
    """Return the trials of a tuning job as their training jobs stand."""
    trials = trials_of(stored)
    jobs, objective = jobs_of(context.connection, trials), Objective.of(stored.record["config"])
    return [followed(trial, jobs.get(trial.arn), objective) for trial in trials]


def _summary(stored: Stored, trials: Sequence[Trial]) -> dict[str, Any]:
    config, ended = stored.record["config"], stored.record.get("end_time")
    return {
        "hyper_parameter_tuning_job_name": stored.name,
        "hyper_parameter_tuning_job_arn": stored.arn,
        "hyper_parameter_tuning_job_status": stored.state,
        "strategy": config["strategy"],
        "creation_time": moment(stored.created),
        "hyper_parameter_tuning_end_time": None if ended is None else moment(ended),
        "last_modified_time": moment(stored.modified),
        "resource_limits": config["resource_limits"],
        **counters(trials),
    }
