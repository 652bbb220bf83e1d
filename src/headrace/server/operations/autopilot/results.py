"""What an AutoML job leaves: objects in S3, and candidates with their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.ml.contract import CLASSIFICATION
from headrace.server.operations.autopilot.metrics import MINIMIZED, candidate_metrics, value_of
from headrace.server.operations.autopilot.states import LONGEST_REASON
from headrace.server.operations.autopilot.survey import Survey
from headrace.server.operations.storage.transfer import Key, parse_uri
from headrace.server.resources import Stored

IMAGE = "headrace:1"
BASELINE = "baseline"
LONGEST_NAME = 64
MOST_PARTIAL_FAILURES = 5
STATUSES = {"fitted": "Completed", "failed": "Failed"}
OBJECTIVE_STATUSES = {"fitted": "Succeeded", "failed": "Failed"}


@dataclass(frozen=True)
class Layout:
    """Where a job's objects are, under S3OutputPath/<job>/; `best` is the name of the best candidate."""

    output: str
    job: str
    best: str = ""

    def at(self, *parts: str) -> Key:
        """Return the key of an object."""
        return parse_uri("/".join((self.output.rstrip("/"), self.job, *parts)))

    @property
    def model(self) -> Key:
        """The model's archive."""
        return self.at("sagemaker-automl-candidates", "model", self.best, "model.tar.gz")

    @property
    def explainability(self) -> Key:
        """The prefix of what explains the model."""
        return self.at("documentation", "explainability", "output", self.best)

    @property
    def insights(self) -> Key:
        """The prefix of the report."""
        return self.at("documentation", "model_monitor", "output", self.best)

    def objects(self, out: Path, archive: Path, explanation: bytes) -> list[tuple[Key, Path | bytes, str]]:
        """Return each object's key, content and content type."""
        return [
            (self.model, archive, "application/x-gzip"),
            (
                Key(self.explainability.bucket, f"{self.explainability.key}/analysis.json"),
                explanation,
                "application/json",
            ),
            (Key(self.insights.bucket, f"{self.insights.key}/report.html"), out / "report.html", "text/html"),
            (Key(self.insights.bucket, f"{self.insights.key}/report.json"), out / "report.json", "application/json"),
            (Key(self.insights.bucket, f"{self.insights.key}/predictions.csv"), out / "predictions.csv", "text/csv"),
        ]


def best_name(job: str, document: Mapping[str, Any]) -> str:
    """Return the name of the best candidate: that of the only member, or the ensemble's."""
    members = document["steps"]["training"]["members"]
    return candidate_name(job, members[0]["candidate"] if len(members) == 1 else "ensemble")


def candidate_name(job: str, name: str) -> str:
    """Return the name of a candidate in the words of SageMaker."""
    return f"{job}-{name.replace('_', '-')}"[:LONGEST_NAME]


def list_candidates(
    stored: Stored, survey: Survey, document: Mapping[str, Any], layout: Layout, *, began: int, now: int
) -> list[dict[str, Any]]:
    """Return the candidates in the order in which they were tried, times in ms, and last the ensemble of them.

    Only the best has an inference container; `began` is when the search did.
    """
    times = {"creation_time": began, "end_time": now, "last_modified_time": now}
    members = {each["candidate"]: each for each in document["steps"]["training"]["members"]}
    candidates = [
        _candidate(stored, survey, each, times)
        for each in document["candidates"]
        if each["name"] != BASELINE or each["name"] in members
    ]
    if len(members) > 1:
        score = document["metrics"]["validation"].get(survey.metric)
        ensemble = {"name": "ensemble", "status": "fitted", "validation_score": score}
        candidates.append(_candidate(stored, survey, ensemble, times))
    best = next(each for each in candidates if each["candidate_name"] == layout.best)
    best |= {
        "inference_containers": [_container(stored, survey, layout)],
        "candidate_properties": {
            "candidate_artifact_locations": {
                "explainability": layout.explainability.uri,
                "model_insights": layout.insights.uri,
            },
            "candidate_metrics": [
                *candidate_metrics(survey.task, document["metrics"]),
                {
                    "standard_metric_name": "InferenceLatency",
                    "value": document["model"]["predict_microseconds"] / 1e6,
                    "set": "Validation",
                },
            ],
        },
    }
    return candidates


def partial_failures(document: Mapping[str, Any]) -> list[str]:
    """Return why candidates failed, each reason once."""
    reasons = (each["reason"] for each in document["candidates"] if each["status"] == "failed" and each["reason"])
    return [reason[:LONGEST_REASON] for reason in dict.fromkeys(reasons)][:MOST_PARTIAL_FAILURES]


def _candidate(stored: Stored, survey: Survey, found: Mapping[str, Any], times: Mapping[str, int]) -> dict[str, Any]:
    name, status, score = candidate_name(stored.name, found["name"]), found["status"], found.get("validation_score")
    candidate = {
        "candidate_name": name,
        "objective_status": OBJECTIVE_STATUSES.get(status, "Pending"),
        "candidate_status": STATUSES.get(status, "Stopped"),
        "candidate_steps": [
            {
                "candidate_step_type": "AWS::SageMaker::TrainingJob",
                "candidate_step_arn": stored.arn,
                "candidate_step_name": name,
            }
        ],
        **times,
    }
    if score is not None:
        candidate["final_auto_ml_job_objective_metric"] = {
            "type": "Minimize" if survey.objective in MINIMIZED else "Maximize",
            "metric_name": survey.objective,
            "value": value_of(survey.objective, score),
            "standard_metric_name": survey.objective,
        }
    if found.get("reason") and status != "fitted":
        candidate["failure_reason"] = found["reason"][:LONGEST_REASON]
    return candidate


def _container(stored: Stored, survey: Survey, layout: Layout) -> dict[str, Any]:
    domain = "amazonaws.com.cn" if stored.arn.startswith("arn:aws-cn:") else "amazonaws.com"
    supported = ["predicted_label"]
    if survey.task in CLASSIFICATION:
        supported += ["probability", "probabilities", "labels"]
    return {
        "image": f"{stored.account}.dkr.ecr.{stored.region}.{domain}/{IMAGE}",
        "model_data_url": layout.model.uri,
        "environment": {
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
            "SAGEMAKER_INFERENCE_SUPPORTED": ",".join(supported),
        },
    }
