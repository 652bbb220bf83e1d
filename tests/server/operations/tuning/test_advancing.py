"""Steps of a tuning job as transactions, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headrace.server import resources
from headrace.server.context import Context, Platform
from headrace.server.jobs.attempts import Attempts
from headrace.server.jobs.queue import JobQueue, get, listing
from headrace.server.operations import work
from headrace.server.operations.identity.entities import ROLE
from headrace.server.operations.training.statuses import TRAINING_JOB, end
from headrace.server.operations.tuning import jobs
from headrace.server.operations.tuning.states import EVENT, TUNING_JOB
from headrace.server.operations.tuning.steering import advance, attend
from headrace.server.resources import Place, Stored
from headrace.server.security.credentials import Caller
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.events import EVENTS

HERE = Place("111122223333", "eu-central-1")
CALLER = Caller("IAMUser", HERE.account, "arn:aws:iam::111122223333:user/a", "AIDA", "arn:aws:iam::111122223333:user/a")
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


class Tuning:
    """A tuning job `search` of up to four trials, two at a time."""

    def __init__(self, metadata: MetadataStore, **config: Any) -> None:
        self.metadata = metadata
        made = SimpleNamespace(metadata=metadata, jobs=JobQueue(work.on_change), clock=lambda: 1000)
        self.platform = cast(Platform, made)
        with metadata.writing() as connection:
            role = resources.create(
                connection, ROLE, HERE, "worker", {"path": "/", "id": "AROA"}, now=0, policy=json.dumps(TRUST)
            )
            context = Context(self.platform, connection, CALLER, HERE, 1000, "", lambda *_: None)
            self.arn = jobs.create_hyper_parameter_tuning_job(
                context,
                hyper_parameter_tuning_job_name="Search",
                hyper_parameter_tuning_job_config={
                    "strategy": "Bayesian",
                    "hyper_parameter_tuning_job_objective": {"type": "Maximize", "metric_name": "validation:auc"},
                    "resource_limits": {"max_number_of_training_jobs": 4, "max_parallel_training_jobs": 2},
                    "parameter_ranges": {
                        "integer_parameter_ranges": [{"name": "max_depth", "min_value": "1", "max_value": "9"}]
                    },
                    **config,
                },
                training_job_definition={
                    "algorithm_specification": {
                        "training_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
                        "training_input_mode": "File",
                    },
                    "static_hyper_parameters": {"num_round": "1"},
                    "role_arn": role.arn,
                    "output_data_config": {"s3_output_path": "s3://bucket/models"},
                    "checkpoint_config": {"s3_uri": "s3://bucket/checkpoints/"},
                    "hyper_parameter_tuning_resource_config": {
                        "volume_kms_key_id": "key",
                        "instance_configs": [
                            {"instance_type": "ml.m5.large", "instance_count": 1, "volume_size_in_gb": 1}
                        ],
                    },
                    "stopping_condition": {"max_runtime_in_seconds": 60},
                },
            )["hyper_parameter_tuning_job_arn"]

    @property
    def stored(self) -> Stored:
        with self.metadata.reading() as connection:
            return cast(Stored, resources.by_arn(connection, self.arn))

    @property
    def training_jobs(self) -> list[Stored]:
        with self.metadata.reading() as connection:
            return resources.listing(connection, TRAINING_JOB, HERE).items

    def end(self, job: Stored, state: str = "Completed", value: float | None = None) -> None:
        told = {"metric_name": "validation:auc", "value": value, "timestamp": 1}
        with self.metadata.writing() as connection:
            members = {} if value is None else {"final_metric_data_list": [told]}
            end(connection, job, state, now=1000, members=members)

    def log(self, job: Stored, *values: float) -> None:
        """Let the worker write rounds of a training job into its log, in a new attempt unless it runs already."""
        attempts = Attempts()
        with self.metadata.writing() as connection:
            if get(connection, job.record["job"]).state == "queued":
                attempts.claim(connection, ["training"], owner="worker", now=1000)
            attempt = get(connection, job.record["job"]).attempt
            lines = [f"[{number}]#011validation-auc:{value}" for number, value in enumerate(values)]
            attempts.log(connection, job.record["job"], attempt, lines, now=1000)

    def hand_back(self, job: Stored) -> None:
        """Let the worker hand a training job back, to be tried again."""
        with self.metadata.writing() as connection:
            attempt = get(connection, job.record["job"]).attempt
            Attempts().hand_back(connection, job.record["job"], attempt, now=1000)

    def events(self) -> list[Any]:
        with self.metadata.reading() as connection:
            rows = connection.execute(EVENTS.select().where(EVENTS.c.kind == EVENT).order_by(EVENTS.c.id)).all()
        return [json.loads(row.detail)["HyperParameterTuningJobStatus"] for row in rows]


@pytest.fixture
def tuning(metadata: MetadataStore) -> Tuning:
    return Tuning(metadata)


def test_no_trial_is_started_twice_by_several_servers(tuning: Tuning) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: advance(tuning.platform, tuning.arn), range(12)))
    assert [job.name[:11] for job in tuning.training_jobs] == ["Search-001-", "Search-002-"]
    with tuning.metadata.reading() as connection:
        queued, _ = listing(connection, kind="training")
    assert sorted(each.resource_arn for each in queued) == sorted(job.arn for job in tuning.training_jobs)


def test_a_trial_is_the_training_job_of_its_definition(tuning: Tuning) -> None:
    advance(tuning.platform, tuning.arn)
    first = tuning.training_jobs[0]
    assert first.record["tuning_job_arn"] == tuning.arn
    assert first.record["resource_config"] == {
        "instance_type": "ml.m5.large", "instance_count": 1, "volume_size_in_gb": 1, "volume_kms_key_id": "key",
    }  # fmt: skip
    assert first.record["checkpoint_config"]["s3_uri"] == f"s3://bucket/checkpoints/{first.name}"
    assert first.record["hyper_parameters"].keys() == {"num_round", "max_depth", "_tuning_objective_metric"}


def test_a_job_ends_when_its_trials_have(tuning: Tuning) -> None:
    values = iter((0.5, 0.9, 0.7, 0.6))
    for _ in range(5):
        attend(tuning.platform, 1000)
        for job in [each for each in tuning.training_jobs if each.state == "InProgress"]:
            tuning.end(job, value=next(values))
    stored = tuning.stored
    assert stored.state == "Completed"
    assert len(tuning.training_jobs) == 4
    assert [each["value"] for each in stored.record["trials"]] == [0.5, 0.9, 0.7, 0.6]
    assert "closing" not in stored.record
    assert tuning.events()[0] == "InProgress"
    assert tuning.events()[-1] == "Completed"


def test_a_role_that_is_gone_makes_the_job_fail_and_stops_what_runs(tuning: Tuning) -> None:
    advance(tuning.platform, tuning.arn)
    tuning.end(tuning.training_jobs[0], value=0.5)
    with tuning.metadata.writing() as connection:
        resources.remove(connection, resources.get(connection, ROLE, HERE, "worker"))
    for _ in range(3):
        advance(tuning.platform, tuning.arn)
    stored = tuning.stored
    assert stored.state == "Failed"
    assert stored.record["failure_reason"].startswith("Could not assume role")
    assert [each.state for each in tuning.training_jobs] == ["Completed", "Stopped"]


def test_one_job_that_can_not_go_on_keeps_no_other_from_it(tuning: Tuning, caplog: pytest.LogCaptureFixture) -> None:
    with tuning.metadata.writing() as connection:
        resources.create(connection, TUNING_JOB, HERE, "broken", {"lowered": "broken"}, now=0)
    attend(tuning.platform, 1000)
    assert "broken could not be advanced" in caplog.text
    assert len(tuning.training_jobs) == 2


def test_a_trial_that_lags_behind_the_median_is_stopped_early(metadata: MetadataStore) -> None:
    limits = {"max_number_of_training_jobs": 9, "max_parallel_training_jobs": 1}
    tuning = Tuning(metadata, training_job_early_stopping_type="Auto", resource_limits=limits)

    def running() -> Stored:
        advance(tuning.platform, tuning.arn)
        return next(job for job in tuning.training_jobs if job.state == "InProgress")

    for last in (0.7, 0.8, 0.9):
        tuning.log(running(), 0.5, 0.6, last)
        tuning.end(running(), value=last)
    fourth = running()
    tuning.log(fourth, 0.5, 0.6)
    assert running().name == fourth.name
    tuning.hand_back(fourth)
    tuning.log(fourth, 0.5)
    assert running().name == fourth.name, "its next attempt begins anew"
    tuning.log(fourth, 0.6, 0.5)
    advance(tuning.platform, tuning.arn)
    stopping = next(job for job in tuning.training_jobs if job.state == "Stopping")
    assert stopping.name == fourth.name
    tuning.end(stopping, "Stopped", 0.5)
    advance(tuning.platform, tuning.arn)
    assert tuning.stored.record["trials"][3]["state"] == "Stopped"
    assert tuning.stored.record["trials"][3]["value"] == 0.5
