"""The durable job of an AutoML job: the tables in, the nine steps, and all that they leave out to S3."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.ml.errors import HeadraceError, RunInterrupted
from headrace.server import resources
from headrace.server.containers.archives import pack
from headrace.server.jobs.handle import Job
from headrace.server.jobs.records import JobFailed, JobStopped
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.autopilot import states
from headrace.server.operations.autopilot.inputs import fetch_tables, read_specification
from headrace.server.operations.autopilot.results import Layout, best_name, list_candidates, partial_failures
from headrace.server.operations.autopilot.survey import Survey, survey_tables
from headrace.server.operations.autopilot.walking import SEARCH, SHORTEST, Walk
from headrace.server.operations.storage.transfer import put, stage
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Place, Stored

BUDGET = 300.0
"""Seconds of a job that sets no limit."""


def run(job: Job) -> None:
    """Take an AutoML job from its channels to its end; raises JobFailed with the sentence for its FailureReason."""
    try:
        Autopilot(job).run()
    except RunInterrupted:
        raise JobStopped from None
    except (HeadraceError, DataError) as error:
        raise JobFailed(str(error)) from error


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
        tables = fetch_tables(
            self.actor, self.request["auto_ml_job_input_data_config"], self.job.checkpoint / "input", pause=self._pause
        )
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
        """Upload what the run left and end the job, all in one transaction."""
        document = json.loads((out / "report.json").read_bytes())
        layout = Layout(self.request["output_data_config"]["s3_output_path"], self.name, best_name(self.name, document))
        archive = self.job.folder / "model.tar.gz"
        pack(out / "model", archive)
        stored, now = self._stored(), self.platform.clock()
        began = stored.record.get("searched", stored.record["begun"])
        candidates = list_candidates(stored, survey, document, layout, began=began, now=now)
        best = next(each for each in candidates if each["candidate_name"] == layout.best)
        members = {
            "best_candidate": best,
            "partial_failures": partial_failures(document),
            "artifacts": {"data_exploration_notebook_location": f"{layout.insights.uri}/report.html"},
        }
        explanation = {
            "version": "1.0",
            "explanations": {"permutation_importance": document["steps"]["evaluation"]["importance"]},
        }
        self._end(layout.objects(out, archive, json.dumps(explanation).encode()), state, members, candidates=candidates)

    def _publish_definitions(self, survey: Survey) -> None:
        """Upload which algorithms would be tried, and end the job without a model."""
        layout = Layout(self.request["output_data_config"]["s3_output_path"], self.name)
        key = layout.at("sagemaker-automl-candidates", "candidate-definitions.json")
        definitions = {
            "problem_type": survey.problem_type,
            "objective": survey.objective,
            "algorithms": [{"algorithm": name, "reason": reason} for name, reason in survey.shortlist],
        }
        members = {"artifacts": {"candidate_definition_notebook_location": key.uri}}
        content = json.dumps(definitions, indent=2).encode()
        self._end(
            [(key, content, "application/json")], states.COMPLETED, members, secondary="CandidateDefinitionsGenerated"
        )

    def _end(
        self,
        objects: list[Any],
        state: str,
        members: Mapping[str, Any],
        *,
        candidates: list[dict[str, Any]] | None = None,
        secondary: str = "",
    ) -> None:
        staged = [(key, stage(self.actor, content), content_type) for key, content, content_type in objects]
        try:
            with self.job.commit() as connection:
                context = self.actor.context(connection)
                for key, content, content_type in staged:
                    put(context, key.bucket, key.key, content, content_type=content_type)
                now = self.platform.clock()
                stored = self._stored(connection)
                if candidates is not None:
                    resources.create(
                        connection, states.CANDIDATES, self.actor.place, stored.record["lowered"],
                        {"candidates": candidates}, now=now, parent=stored.arn,
                    )  # fmt: skip
                states.end(connection, stored, state, now=now, **{"secondary": secondary or state, **members})
        except BaseException:
            for _, content, _ in staged:
                self.platform.objects.discard(content)
            raise
        for action in context.committed:
            action()

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
