"""What is done next for a tuning job, by what its training jobs reached."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from headrace.server.operations.tuning.states import STOPPING, TUNING_JOB
from headrace.server.operations.tuning.steering import Step, next_step
from headrace.server.operations.tuning.trials import Trial, trial_name
from headrace.server.resources import Stored

ARN = "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/search"
MINUTE = 60_000


def job(trials: Sequence[Trial] = (), *, most: int = 10, parallel: int = 2, **config: Any) -> Stored:
    """Return a tuning job that minimizes a metric over two ranges, made at time 0."""
    limits = {"max_number_of_training_jobs": most, "max_parallel_training_jobs": parallel}
    ranges = {
        "integer_parameter_ranges": [{"name": "depth", "min_value": "1", "max_value": "9"}],
        "continuous_parameter_ranges": [
            {"name": "rate", "min_value": "0.9", "max_value": "0.999", "scaling_type": "ReverseLogarithmic"}
        ],
    }
    record = {
        "config": {
            "strategy": "Bayesian",
            "hyper_parameter_tuning_job_objective": {"type": "Minimize", "metric_name": "loss"},
            "parameter_ranges": ranges,
            **config,
            "resource_limits": limits | config.get("resource_limits", {}),
        },
        "seed": 1,
        "trials": [asdict(each) for each in trials],
    }
    return Stored(TUNING_JOB.kind, "123456789012", "us-east-1", "search", ARN, record, "InProgress")


def trial(number: int, state: str = "Completed", value: float | None = None) -> Trial:
    """Return a trial with values inside the ranges."""
    tuned = {"depth": str(1 + number % 9), "rate": repr(0.9 + number / 1000)}
    return Trial(trial_name(job(), number), f"arn:{number}", tuned, number, state, end=number, value=value)


def running(trials: Sequence[Trial]) -> dict[str, Stored | None]:
    """Return the training jobs of the trials that run."""
    return {
        each.arn: Stored("sagemaker/training-job", "", "", each.name, each.arn, {}, each.state)
        for each in trials
        if not each.is_over
    }


def step(stored: Stored, now: int = 1) -> Step:
    trials = [Trial(**each) for each in stored.record["trials"]]
    return next_step(stored, running(trials), now)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_as_many_start_as_may_run_at_once_and_as_are_left(strategy: str) -> None:
    assert len(step(job(strategy=strategy)).starting) == 2
    one = [trial(1, "InProgress")]
    assert len(step(job(one, strategy=strategy)).starting) == 1
    assert len(step(job(one, strategy=strategy, parallel=9, most=4)).starting) == 3
    assert step(job([*one, trial(2, "Stopping")], strategy=strategy)).is_empty


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_what_starts_follows_from_the_seed_and_lies_in_the_ranges(strategy: str) -> None:
    past = [trial(number, value=number / 10) for number in range(1, 8)]
    stored = job([*past, trial(8, "InProgress")], strategy=strategy, parallel=3)
    first, again = step(stored).starting, step(stored).starting
    assert first == again
    assert len({tuple(each.items()) for each in first}) == 2
    assert all(0.9 <= float(each["rate"]) <= 0.999 and each["depth"] in "123456789" for each in first)
    other = replace(stored, record=stored.record | {"seed": 2})
    assert step(other).starting != first


def test_only_bayes_looks_at_what_was_reached() -> None:
    def told(strategy: str, sign: int) -> Sequence[Any]:
        trials = [trial(number, value=sign * number) for number in range(1, 9)]
        return step(job(trials, strategy=strategy)).starting

    assert told("Random", 1) == told("Random", -1)
    assert told("Bayesian", 1) != told("Bayesian", -1)


def test_a_job_whose_trials_are_all_over_is_at_its_end() -> None:
    last = step(job([trial(1, value=1.0), trial(2, "Failed")], most=2))
    assert last.is_last
    assert last.closing is not None
    assert last.closing.state == "Completed"
    assert not step(job([trial(1, value=1.0), trial(2, "InProgress")], most=2)).is_last


def test_a_trial_whose_training_job_is_gone_has_failed() -> None:
    gone = next_step(job([trial(1, "InProgress")]), {"arn:1": None}, 1)
    assert gone.trials[0].state == "Failed"
    assert "deleted" in gone.trials[0].reason


@pytest.mark.parametrize(
    ("config", "values", "closes"),
    [
        ({}, [1.0], False),
        ({"resource_limits": {"max_runtime_in_seconds": 120}}, [1.0], True),
        ({"resource_limits": {"max_runtime_in_seconds": 121}}, [1.0], False),
        ({"tuning_job_completion_criteria": {"target_objective_metric_value": 0.5}}, [1.0, 0.6], False),
        ({"tuning_job_completion_criteria": {"target_objective_metric_value": 0.5}}, [1.0, 0.5], True),
        (
            {
                "tuning_job_completion_criteria": {
                    "best_objective_not_improving": {"max_number_of_training_jobs_not_improving": 3}
                }
            },
            [1.0, 0.5, 0.499, 0.7, 0.496],
            True,
        ),
        (
            {
                "tuning_job_completion_criteria": {
                    "best_objective_not_improving": {"max_number_of_training_jobs_not_improving": 3}
                }
            },
            [1.0, 0.5, 0.499, 0.7, 0.49],
            False,
        ),
    ],
)
def test_what_completes_a_job_early(config: dict[str, Any], values: list[float], closes: bool) -> None:
    """What still runs is stopped then, and the job ends once it has."""
    past = [trial(number, value=value) for number, value in enumerate(values, 1)]
    found = step(job([*past, trial(90, "InProgress")], **config), 2 * MINUTE)
    assert (found.closing is not None) == closes
    assert bool(found.stopping) == closes
    assert not found.is_last


def test_a_job_is_given_up_after_five_trials_without_an_objective() -> None:
    past = [trial(number, "Failed") for number in range(1, 4)]
    assert step(job([*past, trial(4)])).closing is None
    silent = step(job([*past, trial(4), trial(5)])).closing
    assert silent is not None
    assert silent.reason.startswith("No objective metrics found after running 5 training jobs. ")
    failed = step(job([replace(trial(n, "Failed"), reason="no data") for n in range(1, 6)])).closing
    assert failed is not None
    assert failed.reason.startswith("All training jobs failed. ")
    assert failed.reason.endswith("no data")


def test_a_stopping_job_stops_each_trial_once() -> None:
    stored = replace(job([trial(1, "InProgress"), trial(2, "Stopping")]), state=STOPPING)
    found = step(stored)
    assert [each.name for each in found.stopping] == [trial(1).name]
    assert not found.starting
    assert not found.is_last
    over = step(replace(job([trial(1, "Stopped")]), state=STOPPING))
    assert over.is_last
    assert over.closing is not None
    assert over.closing.state == "Stopped"
