"""The durable job of an AutoML job: the tables in, the nine steps, and all that they leave out to S3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from headrace.ml.errors import HeadraceError, RunInterrupted
from headrace.server import resources
from headrace.server.containers.archives import pack
from headrace.server.context import Context
from headrace.server.errors import OperationError
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobFailed, JobStopped
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.autopilot import states
from headrace.server.operations.autopilot.deploying import deploy, endpoint_name
from headrace.server.operations.autopilot.inputs import fetch_tables, read_specification
from headrace.server.operations.autopilot.reasons import reason_of
from headrace.server.operations.autopilot.results import (
    MOST_PARTIAL_FAILURES,
    Layout,
    best_name,
    list_candidates,
    partial_failures,
)
from headrace.server.operations.autopilot.survey import Survey, survey_tables
from headrace.server.operations.autopilot.walking import SEARCH, SHORTEST, Walk
from headrace.server.operations.storage.transfer import Key, check_put, encryption, put, stage
from headrace.server.operations.training.channels import DataError
from headrace.server.operations.training.outputs import written
from headrace.server.resources import Place, Stored
from headrace.server.stores.objects import Staged

BUDGET = 300.0
"""Seconds of a job that sets no limit."""


def run(job: Job) -> None:
    """Take an AutoML job from its channels to its end; raises JobFailed with the sentence for its FailureReason."""
    autopilot = Autopilot(job)
    try:
        autopilot.run()
    except RunInterrupted:
        raise JobStopped from None
    except (HeadraceError, DataError) as error:
        raise JobFailed(reason_of(error, autopilot.request, autopilot.inputs)) from error


@dataclass(frozen=True)
class Made:
    """What a job leaves: objects (key, content, content type), members of its record, and candidates."""

    objects: Sequence[tuple[Key, Path | bytes, str]]
    members: Mapping[str, Any]
    candidates: Sequence[Mapping[str, Any]] = ()


@dataclass
class Autopilot:
    """One attempt at an AutoML job."""

    job: Job

    def __post_init__(self) -> None:
        """Take on the role of the job, and note when its first attempt began."""
        self.began = time.monotonic()
        self.platform = self.job.platform
        stored = self._stored()
        self.name, self.request = stored.name, stored.record["request"]
        self.inputs = self.job.checkpoint / "input"
        self.tabular: Mapping[str, Any] = self.request["auto_ml_problem_type_config"]["tabular_job_config"]
        place = Place(stored.account, stored.region, stored.arn.split(":")[1])
        with self.platform.metadata.reading() as connection:
            self.actor: Actor = act_as(
                self.platform, connection, stored.record["role_arn"], place, session=f"AutoML-{stored.name}"
            )
        now = self.platform.clock()
        self._note(secondary=states.secondary_at(1), begun=stored.record.get("begun", now))

    def run(self) -> None:
        """Do all of it."""
        layout = Layout(self.request["output_data_config"]["s3_output_path"], self.name)
        with written(self.actor, layout.model.bucket):
            check_put(self.actor, layout.model.bucket, layout.model.key)
        tables = fetch_tables(self.actor, self.request["auto_ml_job_input_data_config"], self.inputs, pause=self._pause)
        uri = self.tabular.get("feature_specification_s3_uri")
        survey = survey_tables(tables, self.request, read_specification(self.actor, uri) if uri else None)
        criteria = self.tabular.get("completion_criteria") or {}
        resolved = {"problem_type": survey.problem_type, "objective": survey.objective, "completion_criteria": criteria}
        self._note(resolved=resolved)
        if self.tabular.get("generate_candidate_definitions_only"):
            self._publish_definitions(survey)
            return
        out, stopped = self._walk(survey, criteria)
        self._publish(survey, out, states.STOPPED if stopped else states.COMPLETED)

    def _walk(self, survey: Survey, criteria: Mapping[str, int]) -> tuple[Path, bool]:
        from headrace.ml.applications.automl.options import Options

        trials = criteria.get("max_candidates")
        seconds = criteria.get("max_auto_ml_job_runtime_in_seconds")
        budget = None if seconds is None and trials is not None else max(float(seconds or BUDGET), SHORTEST)
        options = Options(
            source=str(survey.training),
            target=self.tabular["target_attribute_name"],
            task=survey.task,
            test=None if survey.validation is None else str(survey.validation),
            budget=budget,
            trials=trials,
            metric=survey.metric,
            exclude=survey.exclude,
        )
        spent = (self.platform.clock() - self._stored().record["begun"]) / 1000
        started = time.monotonic() - (spent if budget is None else min(spent, budget - SHORTEST))
        return Walk(self.job, options, self._tell, started).go()

    def _publish(self, survey: Survey, out: Path, state: str) -> None:
        """Upload what the run left, deploy the model where that was asked for, and end the job."""
        document = json.loads((out / "report.json").read_bytes())
        layout = Layout(self.request["output_data_config"]["s3_output_path"], self.name, best_name(self.name, document))
        archive = self.job.folder / "model.tar.gz"
        pack(out / "model", archive)
        stored, now = self._stored(), self.platform.clock()
        began = stored.record.get("searched", stored.record["begun"])
        candidates = list_candidates(stored, survey, document, layout, began=began, now=now)
        best = next(each for each in candidates if each["candidate_name"] == layout.best)
        explanation = {
            "version": "1.0",
            "explanations": {"permutation_importance": document["steps"]["evaluation"]["importance"]},
        }
        made = Made(
            layout.objects(out, archive, json.dumps(explanation).encode()),
            {
                "best_candidate": best,
                "partial_failures": partial_failures(document),
                "artifacts": {"data_exploration_notebook_location": f"{layout.insights.uri}/report.html"},
            },
            candidates,
        )
        config = self.request.get("model_deploy_config")
        if config and state == states.COMPLETED:
            self._store(made, secondary="DeployingModel")
            made = self._deployed(endpoint_name(stored, config), best["inference_containers"][0])
        with self._staged(made) as staged, self.job.commit() as connection:
            context = self._write(connection, made, staged)
            members = {"secondary": state, **made.members}
            states.end(connection, self._stored(connection), state, now=self.platform.clock(), **members)
        _settle(context)

    def _publish_definitions(self, survey: Survey) -> None:
        """Upload which algorithms would be tried, and end the job without a model."""
        layout = Layout(self.request["output_data_config"]["s3_output_path"], self.name)
        key = layout.at("sagemaker-automl-candidates", "candidate-definitions.json")
        definitions = {
            "problem_type": survey.problem_type,
            "objective": survey.objective,
            "algorithms": [{"algorithm": name, "reason": reason} for name, reason in survey.shortlist],
        }
        members = {
            "secondary": "CandidateDefinitionsGenerated",
            "artifacts": {"candidate_definition_notebook_location": key.uri},
        }
        made = Made([(key, json.dumps(definitions, indent=2).encode(), "application/json")], members)
        with self._staged(made) as staged, self.job.commit() as connection:
            context = self._write(connection, made, staged)
            states.end(connection, self._stored(connection), states.COMPLETED, now=self.platform.clock(), **members)
        _settle(context)

    def _deployed(self, name: str, container: Mapping[str, Any]) -> Made:
        """Deploy the model; return what the job ends with: a job whose model can't be deployed is complete too."""
        try:
            deploy(self.job, self.actor, self._stored().record["role_arn"], name, container)
        except OperationError as error:
            self.job.log(f"The model could not be deployed: {error.message}")
            reason = f"The model could not be deployed: {error.message}"[: states.LONGEST_REASON]
            failures = [reason, *self._stored().record.get("partial_failures", ())]
            return Made([], {"secondary": "ModelDeploymentError", "partial_failures": failures[:MOST_PARTIAL_FAILURES]})
        return Made([], {"deployed": name})

    def _store(self, made: Made, *, secondary: str) -> None:
        """Store all of it, and go on."""
        with self._staged(made) as staged, self.platform.metadata.writing() as connection:
            context = self._write(connection, made, staged)
            members = {**made.members, "secondary": secondary}
            states.advance(connection, self._stored(connection), now=self.platform.clock(), **members)
        _settle(context)

    @contextmanager
    def _staged(self, made: Made) -> Iterator[list[Staged]]:
        """Make the bytes of the objects durable; they are let go of when the block fails."""
        staged: list[Staged] = []
        try:
            staged += [stage(self.actor, content) for _, content, _ in made.objects]
            yield staged
        except BaseException:
            for each in staged:
                self.platform.objects.discard(each)
            raise

    def _write(self, connection: Connection, made: Made, staged: Sequence[Staged]) -> Context:
        """Let the objects appear, and store the candidates, once however often an attempt comes here."""
        context = self.actor.context(connection)
        headers = encryption(self.request["output_data_config"].get("kms_key_id"))
        for (key, _, content_type), content in zip(made.objects, staged, strict=True):
            put(context, key.bucket, key.key, content, content_type=content_type, **headers)
        stored, record, now = self._stored(connection), {"candidates": made.candidates}, self.platform.clock()
        if made.candidates:
            name = stored.record["lowered"]
            earlier = resources.find(connection, states.CANDIDATES, self.actor.place, name, parent=stored.arn)
            if earlier is None:
                resources.create(
                    connection, states.CANDIDATES, self.actor.place, name, record, now=now, parent=stored.arn
                )
            else:
                resources.change(connection, states.CANDIDATES, earlier, now=now, record=record)
        return context

    def _pause(self) -> None:
        if self.job.cancelled:
            raise JobStopped

    def _tell(self, step: int) -> None:
        """Let the secondary status follow the steps."""
        members: dict[str, Any] = {"searched": self.platform.clock()} if step == SEARCH else {}
        self._note(secondary=states.secondary_at(step), **members)

    def _note(self, **members: Any) -> None:
        with self.platform.metadata.writing() as connection:
            stored = self._stored(connection)
            if stored.state == states.STOPPING:
                members.pop("secondary", None)
            if members and stored.state not in states.ENDED:
                states.advance(connection, stored, now=self.platform.clock(), **members)

    def _stored(self, connection: Any = None) -> Stored:
        if connection is None:
            with self.platform.metadata.reading() as reading:
                return self._stored(reading)
        stored = resources.by_arn(connection, self.job.resource_arn)
        if stored is None:
            raise JobFailed("The AutoML job of this work is not there any more.")
        return stored


def _settle(context: Context) -> None:
    """Do what waits for the commit of a transaction."""
    for action in context.committed:
        action()
