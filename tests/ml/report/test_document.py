"""report.json: complete, finite, described by its schema, without predictions and personal values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from headrace.ml import report
from headrace.ml.process import STEPS
from headrace.ml.report import report_document
from headrace.ml.report.page import STEPS as SECTIONS

SCHEMA = json.loads((Path(report.__file__).parent / "schema.json").read_text(encoding="utf-8"))
TASKS = ("binary", "multiclass", "regression")


def described(schema: dict[str, Any], where: str = "") -> list[str]:
    """Find the fields of a schema that say nothing about themselves."""
    missing = [f"{where}.{k}" for k, v in schema.get("properties", {}).items() if "description" not in v]
    for name in ("properties", "items", "additionalProperties"):
        inner = schema.get(name)
        if isinstance(inner, dict):
            for key, value in inner.items() if name == "properties" else [(name, inner)]:
                missing += described(value, f"{where}.{key}")
    return missing


def test_schema_is_valid_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert described(SCHEMA) == []
    assert SCHEMA["properties"]["schema_version"]["pattern"].startswith("^1")


@pytest.mark.parametrize("decision", ["go", "go-with-conditions", "no-go"])
@pytest.mark.parametrize("task", TASKS)
def test_document_follows_the_schema(make_document: Any, task: str, decision: str) -> None:
    document = make_document(task, decision=decision)
    errors = [f"{list(e.path)}: {e.message}" for e in Draft202012Validator(SCHEMA).iter_errors(document)]
    assert errors == []
    assert document["decision"] == decision


def test_document_has_the_facts_of_the_issue(make_document: Any) -> None:
    document = make_document()
    assert document["schema_version"] == "1.0"
    assert document["metrics"]["test"]["roc_auc"] == pytest.approx(0.8493)
    assert document["metrics_interval"]["roc_auc"] == [pytest.approx(0.8238, abs=1e-4), pytest.approx(0.8748, abs=1e-4)]
    assert document["baseline"]["name"] == "most frequent"
    first = document["candidates"][0]
    assert {"name", "hyperparameters", "validation_score", "fit_seconds", "predict_microseconds", "status"} <= set(
        first
    )
    assert [c["weight"] for c in document["candidates"]][:3] == [0.6, 0.4, None]
    assert len(document["readiness"]) == 8
    assert document["cleaning"][0]["count"] == 11
    assert [f["kept"] for f in document["features"]] == [True, False]
    assert document["business"]["threshold"] == 0.31
    assert document["business"]["expected_value"]["value"] == 28.41
    assert document["business"]["kpis"][0]["met"] is True
    assert document["timings"]["training"] == 38.2
    assert (document["seed"], document["versions"]["python"]) == (7, "3.11.9")
    assert sum(document["steps"]["preparation"]["sizes"].values()) == 600


def test_document_is_finite_json(make_document: Any) -> None:
    document = make_document()
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    assert document["metrics"]["test"]["undefined"] is None


def test_no_predictions_and_no_personal_values(make_document: Any) -> None:
    text = json.dumps(make_document())
    assert "0.4242" not in text
    assert "ann@example.com" not in text
    assert "e-mail address" in text


def test_steps_that_are_absent_leave_a_document_without_figures() -> None:
    document = report_document({}, run={})
    assert document["decision"] is None
    assert document["candidates"] == []
    assert document["metrics"] == {"train": {}, "validation": {}, "test": {}}


def test_sections_are_the_steps_in_order() -> None:
    assert [name for name, _, _ in SECTIONS] == list(STEPS)
