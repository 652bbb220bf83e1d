"""The candidates of AutoML jobs, listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.autopilot.states import AUTOML_JOB, CANDIDATES

PAGE = 10
TIMES = ("creation_time", "end_time", "last_modified_time")
ORDERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "CreationTime": lambda candidate: candidate["creation_time"],
    "Status": lambda candidate: candidate["candidate_status"],
    "FinalObjectiveMetricValue": lambda candidate: candidate["final_auto_ml_job_objective_metric"]["value"],
}


def list_candidates_for_auto_ml_job(
    context: Context,
    *,
    auto_ml_job_name: str,
    status_equals: str | None = None,
    candidate_name_equals: str | None = None,
    sort_order: str | None = None,
    sort_by: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Return candidates of a job (AWS page: SageMaker API, ListCandidatesForAutoMLJob).

    Those without a value of the objective come last where it is what they are sorted by.
    """
    arn = AUTOML_JOB.arn_of(context.place, auto_ml_job_name, {"lowered": auto_ml_job_name.lower()})
    if resources.by_arn(context.connection, arn) is None:
        raise NotFound(f"Could not find AutoML job {auto_ml_job_name}; list those that exist", code="ResourceNotFound")
    stored = resources.find(context.connection, CANDIDATES, context.place, auto_ml_job_name.lower(), parent=arn)
    candidates = [] if stored is None else stored.record["candidates"]
    chosen = [
        each
        for each in candidates
        if status_equals in (None, each["candidate_status"]) and candidate_name_equals in (None, each["candidate_name"])
    ]
    order = sort_by or "CreationTime"
    unscored = [each for each in chosen if "final_auto_ml_job_objective_metric" not in each]
    if order == "FinalObjectiveMetricValue":
        chosen = [each for each in chosen if "final_auto_ml_job_objective_metric" in each]
    chosen.sort(key=ORDERS[order], reverse=sort_order == "Descending")
    if order == "FinalObjectiveMetricValue":
        chosen += unscored
    listing = f"list_candidates_for_auto_ml_job/{arn}"
    start = (context.position(next_token, of=listing) or [0])[0]
    after = start + (max_results or PAGE)
    answer = {"candidates": [shown_candidate(each) for each in chosen[start:after]]}
    token = context.token([after], of=listing) if after < len(chosen) else None
    return answer if token is None else {**answer, "next_token": token}


def shown_candidate(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored candidate as operations answer with it."""
    return {**candidate, **{name: moment(candidate[name]) for name in TIMES if name in candidate}}
