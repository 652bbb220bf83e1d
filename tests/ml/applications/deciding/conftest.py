"""A folder as a run leaves it, as far as deciding anew reads it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headrace.ml.process.business_goals.evidence import EVIDENCE_FILE, Evidence

MONEY = {
    "true_positive": {"earns": 130, "costs": 40},
    "false_positive": {"earns": 0, "costs": 40},
    "false_negative": {"earns": 0, "costs": 0},
    "true_negative": {"earns": 0, "costs": 0},
}


def report(task, *, money=None, kpis=(), threshold=0.5, **charter):
    """Make report.json's document: `kpis` are rows of step 9."""
    bounds = [{key: kpi[key] for key in ("metric", "minimum", "maximum", "name")} for kpi in kpis]
    goal = {"decisions": money, "kpis": bounds, "currency": "EUR", **charter}
    findings = [{"weight": "favour", "about": "baseline", "sentence": "The model is better than the baseline."}]
    return {
        "schema_version": "1.0",
        "task": task,
        "decision": "go",
        "reasons": ["The model is better than the baseline."],
        "metrics": {"train": {}, "validation": {}, "test": {}},
        "candidates": [],
        "business": {"threshold": threshold, "expected_value": {}, "kpis": list(kpis), "profits": []},
        "steps": {
            "business_problem": {"charter": goal},
            "problem_framing": {"classes": ["no", "yes"], "positive_class": "yes"},
            "business_goals": {"findings": findings},
        },
    }


@pytest.fixture
def make_out(tmp_path):
    """Make the folder of a run: `signal` 0 is pure noise."""

    def make(task="binary", rows=4000, seed=0, **goal):
        generator = np.random.default_rng(seed)
        parts = []
        for _ in range(2):
            if task == "regression":
                values = generator.normal(size=rows)
                parts += [values + generator.normal(size=rows), values]
            else:
                chance = generator.random(rows)
                target = (generator.random(rows) < chance).astype(np.int64)
                parts += [target, np.column_stack([1 - chance, chance])]
        (tmp_path / "report.json").write_text(json.dumps(report(task, **goal)), encoding="utf-8")
        (tmp_path / EVIDENCE_FILE).write_bytes(Evidence.of(*parts, seed=seed).to_bytes())
        return tmp_path

    return make
