"""report.json: the records of the nine steps as one document, for machines and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.facts.data import (
    cleaning_facts,
    dataset_facts,
    exploration_facts,
    feature_counts,
    feature_facts,
    preparation_facts,
    readiness_facts,
)
from headrace.ml.report.facts.discovery import discovery_facts
from headrace.ml.report.facts.goals import business_facts, business_goals_facts, model_facts
from headrace.ml.report.facts.model import candidate_facts, evaluation_facts, training_facts
from headrace.ml.report.facts.plain import part, plain
from headrace.ml.report.facts.problem import business_problem_facts, problem_framing_facts
from headrace.ml.report.facts.trust import choice_facts

SCHEMA_VERSION = "1.0"
STEP_NAMES = (
    "business_problem",
    "problem_framing",
    "datasets",
    "preparation",
    "exploration",
    "feature_engineering",
    "training",
    "evaluation",
    "business_goals",
)


def report_document(records: Mapping[str, Any], *, run: Mapping[str, Any]) -> dict[str, Any]:
    """Gather report.json from the records of the nine steps and the facts of the run.

    `records` are by step name (and `threshold` and `choices`, where there are any); `run` has timings (seconds by
    step), seed, versions, source, options, created, budget, and model (bytes, sha256, predict_microseconds,
    rows_per_second, parity_difference); what is absent becomes null.
    The result is finite JSON, described by schema.json, without predictions and without values of personal columns.
    """
    framing, evaluation, goals = (
        records.get("problem_framing"),
        records.get("evaluation"),
        records.get("business_goals"),
    )
    personal = frozenset(str(name) for name in part(records.get("datasets"), "personal", {}))
    classes = tuple(part(framing, "classes", ()))
    discovery = discovery_facts(records, personal)
    fitted = None if discovery else records.get("training")
    return {
        "schema_version": SCHEMA_VERSION,
        "task": plain(part(framing, "task")),
        "target": plain(part(framing, "target")),
        "metric": plain(part(framing, "metric")),
        "decision": plain(part(goals, "decision")),
        "reasons": plain(part(goals, "reasons", ())),
        "metrics": {
            name: plain(part(part(evaluation, "metrics", {}), name, {})) for name in ("train", "validation", "test")
        },
        "metrics_interval": plain(part(evaluation, "intervals", {})),
        "baseline": plain(part(evaluation, "baseline", {})),
        "business": business_facts(goals, records.get("threshold")),
        "candidates": candidate_facts(fitted),
        "discovery": discovery,
        "readiness": readiness_facts(records.get("datasets")),
        "cleaning": cleaning_facts(records.get("preparation"), personal),
        "features": feature_facts(records.get("feature_engineering")),
        "model": model_facts(run),
        "mitigation": plain(records.get("mitigation")),
        "choices": choice_facts(records.get("choices")),
        "timings": plain(part(run, "timings", {})),
        "seed": plain(part(run, "seed")),
        "versions": plain(part(run, "versions", {})),
        "source": plain(part(run, "source")),
        "options": plain(part(run, "options", {})),
        "created": plain(part(run, "created")),
        "budget": plain(part(run, "budget")),
        "steps": {
            "business_problem": business_problem_facts(records.get("business_problem")),
            "problem_framing": problem_framing_facts(framing),
            "datasets": dataset_facts(records.get("datasets")),
            "preparation": preparation_facts(records.get("preparation"), classes),
            "feature_engineering": feature_counts(records.get("feature_engineering")),
            "exploration": exploration_facts(records.get("exploration"), personal),
            "training": training_facts(fitted),
            "evaluation": evaluation_facts(evaluation, personal),
            "business_goals": business_goals_facts(goals),
        },
    }
