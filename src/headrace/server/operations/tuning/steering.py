"""Keeps tuning jobs going: notes what their trials reached, starts the next ones, and ends what is done.

All that is known of a tuning job stands in its record, and each step is one transaction that goes through only if the
record is still the one that the step was thought out for. So no trial is started twice, whoever is killed when.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, select

from headrace.ml.tuning import Tried, propose
from headrace.server.context import Context, Platform
from headrace.server.errors import Conflict, OperationError, Throttled, Unavailable
from headrace.server.operations.training.jobs import create_training_job, stop_training_job
from headrace.server.operations.training.statuses import LONGEST_REASON
from headrace.server.operations.tuning import states
from headrace.server.operations.tuning.early_stopping import forget, hopeless
from headrace.server.operations.tuning.ranges import Range, grid_point, read_ranges
from headrace.server.operations.tuning.requests import training_request
from headrace.server.operations.tuning.states import TUNING_JOB
from headrace.server.operations.tuning.trials import Objective, Trial, followed, trial_name, trials_of
from headrace.server.resources import Place, Stored, by_arn, tags_of
from headrace.server.security.credentials import Caller
from headrace.server.stores.metadata.tables.resources import RESOURCES

LOG = logging.getLogger("headrace.tuning")
FRUITLESS = 5
"""Trials that end without an objective before the tuning job is given up, where none has one."""
_ACTIVE = select(RESOURCES.c.arn).where(RESOURCES.c.kind == TUNING_JOB.kind, RESOURCES.c.state.in_(states.ACTIVE))


@dataclass(frozen=True)
class Closing:
    """Why a tuning job starts no more trials: the state that it is to end in, and the reason where that is Failed."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """What is to be done for a tuning job now: `trials` as they stand, those to start (`tuned`) and to stop."""

    stored: Stored
    trials: Sequence[Trial]
    closing: Closing | None = None
    starting: Sequence[Mapping[str, str]] = ()
    stopping: Sequence[Trial] = ()

    @property
    def is_last(self) -> bool:
        """Whether nothing of the job runs any more, and nothing is to come."""
        return self.closing is not None and all(trial.is_over for trial in self.trials)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        noted = all(known == trial for known, trial in zip(trials_of(self.stored), self.trials, strict=True))
        return noted and not (self.starting or self.stopping or self.is_last)


def attend(platform: Platform, now: int) -> None:
    """Take the next step of every tuning job that has not ended; to be called about every second."""
    del now
    with platform.metadata.reading() as connection:
        active = list(connection.execute(_ACTIVE).scalars())
    for arn in active:
        try:
            advance(platform, arn)
        except OperationError as error:
            LOG.warning("%s could not be advanced: %s; it is tried again", arn, error)
        except Exception:
            LOG.exception("%s could not be advanced; it is tried again", arn)


def advance(platform: Platform, arn: str) -> None:
    """Take the next step of a tuning job, if there is one; a step that can't be taken makes the job fail."""
    with platform.metadata.reading() as connection:
        stored = by_arn(connection, arn)
        if stored is None or stored.state not in states.ACTIVE:
            return
        jobs, stopped_early = jobs_of(connection, trials_of(stored)), hopeless(platform, connection, stored)
        step = next_step(stored, jobs, platform.clock(), stopped_early)
    if step.is_empty:
        return
    try:
        _take(platform, step)
        if step.is_last:
            forget(platform, step.trials)
    except (Conflict, Unavailable, Throttled):
        raise
    except OperationError as error:
        _take(platform, replace(step, starting=(), closing=Closing(states.FAILED, error.message)))


def jobs_of(connection: Connection, trials: Sequence[Trial]) -> dict[str, Stored | None]:
    """Return the training jobs of the trials that are not known to be over, by ARN."""
    return {trial.arn: by_arn(connection, trial.arn) for trial in trials if not trial.is_over}


def next_step(
    stored: Stored, jobs: Mapping[str, Stored | None], now: int, stopped_early: Set[str] = frozenset()
) -> Step:
    """Return what is to be done for a tuning job whose training jobs stand as they do.

    `stopped_early` are the ARNs of those that are not worth their time.
    """
    objective = Objective.of(stored.record["config"])
    looked_at = [(trial, followed(trial, jobs.get(trial.arn), objective)) for trial in trials_of(stored)]
    trials = [found if found.is_over else trial for trial, found in looked_at]
    closing = _closing(stored, trials, objective, now)
    running = [found for _, found in looked_at if found.state == "InProgress"]
    if closing is not None:
        return Step(stored, trials, closing, stopping=running)
    stopping = [trial for trial in running if trial.arn in stopped_early]
    return Step(stored, trials, starting=_proposals(stored, trials, objective), stopping=stopping)


def _closing(stored: Stored, trials: Sequence[Trial], objective: Objective, now: int) -> Closing | None:
    if stored.state == states.STOPPING:
        return Closing(states.STOPPED)
    if "closing" in stored.record:
        return Closing(**stored.record["closing"])
    config = stored.record["config"]
    limits, criteria = config["resource_limits"], config.get("tuning_job_completion_criteria") or {}
    most, ended = limits["max_number_of_training_jobs"], [trial for trial in trials if trial.is_over]
    if objective.best(trials) is None and len(ended) >= min(FRUITLESS, most):
        return Closing(states.FAILED, _fruitless(ended))
    runtime = limits.get("max_runtime_in_seconds")
    target = criteria.get("target_objective_metric_value")
    patience = (criteria.get("best_objective_not_improving") or {}).get("max_number_of_training_jobs_not_improving")
    done = (
        len(ended) >= most
        or (runtime is not None and now - stored.created >= runtime * 1000)
        or (target is not None and objective.reached(trials, target))
        or (patience is not None and objective.not_improving(trials) >= patience)
    )
    return Closing(states.COMPLETED) if done else None


def _fruitless(ended: Sequence[Trial]) -> str:
    """Return why a tuning job without any objective failed, in AWS's words."""
    failed = [trial for trial in ended if trial.state == "Failed"]
    if ended and len(failed) == len(ended):
        return (
            "All training jobs failed. Please take a look at the training jobs failures to get more details. "
            f"The first, {failed[0].name}, failed for: {failed[0].reason}"
        )
    return (
        f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom algorithm "
        "is emitting the objective metric as defined by the regular expression provided."
    )


def _proposals(stored: Stored, trials: Sequence[Trial], objective: Objective) -> list[dict[str, str]]:
    """Return the hyperparameters of the trials to start now."""
    config = stored.record["config"]
    limits, running = config["resource_limits"], sum(not trial.is_over for trial in trials)
    wanted = min(limits["max_parallel_training_jobs"] - running, limits["max_number_of_training_jobs"] - len(trials))
    if wanted <= 0:
        return []
    ranges = read_ranges(config["parameter_ranges"])
    numbers = range(len(trials), len(trials) + wanted)
    if config["strategy"] == "Grid":
        return [grid_point(ranges, number) for number in numbers]
    space = {each.name: each.space for each in ranges}
    tried = _tried(ranges, trials) if config["strategy"] == "Bayesian" else []
    found = []
    for number in numbers:
        values = propose(space, tried, greater_is_better=objective.maximize, seed=stored.record["seed"], number=number)
        found.append({each.name: each.text(values[each.name]) for each in ranges})
        if config["strategy"] == "Bayesian":
            tried.append(Tried(values))
    return found


def _tried(ranges: Sequence[Range], trials: Sequence[Trial]) -> list[Tried]:
    return [
        Tried(
            {each.name: each.value(trial.tuned[each.name]) for each in ranges}, trial.value if trial.is_over else None
        )
        for trial in trials
        if trial.succeeded or not trial.is_over
    ]


def _take(platform: Platform, step: Step) -> None:
    """Do what a step says, unless the job has moved on meanwhile."""
    stored = step.stored
    with platform.metadata.writing() as connection:
        current = by_arn(connection, stored.arn)
        if current is None or current.version != stored.version:
            return
        context = _context(platform, connection, stored)
        for trial in step.stopping:
            job = by_arn(connection, trial.arn)
            if job is not None and job.state == "InProgress":
                stop_training_job(context, training_job_name=trial.name)
        started = [
            _start(context, stored, len(step.trials) + index, tuned) for index, tuned in enumerate(step.starting, 1)
        ]
        record = {**stored.record, "trials": [asdict(trial) for trial in (*step.trials, *started)]}
        if step.closing is not None:
            record["closing"] = asdict(step.closing)
        if step.is_last:
            _end(context, stored, step, record)
        else:
            states.change(connection, stored, record, now=context.now)
    for action in context.committed:
        action()


def _start(context: Context, stored: Stored, number: int, tuned: Mapping[str, str]) -> Trial:
    """Start the training job of trial `number`."""
    definition, name = stored.record["definition"], trial_name(stored, number)
    answer = create_training_job(
        context,
        training_job_name=name,
        role_arn=definition["role_arn"],
        tags=[{"key": key, "value": value} for key, value in tags_of(context.connection, stored.arn).items()],
        tuning_job_arn=stored.arn,
        **training_request(definition, tuned, name),
    )
    return Trial(name, answer["training_job_arn"], tuned, context.now)


def _end(context: Context, stored: Stored, step: Step, record: dict[str, object]) -> None:
    closing = step.closing or Closing(states.COMPLETED)
    if closing.state == states.COMPLETED and not any(trial.succeeded for trial in step.trials):
        closing = Closing(states.FAILED, _fruitless(step.trials))
    ending: dict[str, object] = {"end_time": context.now}
    if closing.reason:
        ending["failure_reason"] = closing.reason[:LONGEST_REASON]
    del record["closing"]
    states.change(context.connection, stored, {**record, **ending}, now=context.now, state=closing.state)


def _context(platform: Platform, connection: Connection, stored: Stored) -> Context:
    """Return a context in which the platform itself acts where a tuning job lives."""
    place = Place(stored.account, stored.region, stored.arn.split(":")[1])
    caller = Caller("AWSService", stored.account, "", "sagemaker", "sagemaker", "sagemaker")
    return Context(platform, connection, caller, place, platform.clock(), "", lambda *_: None)
