"""monitoring.html: what was found, said and drawn, and deaf to what the data try."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.ml.contract import Task
from headrace.ml.monitoring import ColumnChange, Finding, Judgement, Level, Monitoring, Performance, Verdict
from headrace.ml.monitoring.distances import Distance
from headrace.ml.report.monitoring import monitoring_document, render_monitoring, write_monitoring

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"
MODEL = {"predicted": HOSTILE, "source": "new.csv", "created": "2026-11-30T20:00:00+00:00"}


def document(verdict: Verdict = Verdict.WATCH, **changes: Any) -> dict[str, Any]:
    moved = Distance(0.3, 0.4, None, 1e-9, ((HOSTILE, 0.5, 0.8), ("b", 0.5, 0.2)))
    parts: dict[str, Any] = {
        "task": Task.BINARY,
        "rows": 100,
        "reference_rows": 900,
        "columns": (
            ColumnChange(HOSTILE, "category", moved, 0.0, 0.1, drifted=True),
            ColumnChange("steady", "number", Distance(0.01, 0.0, 0.0, 0.9, (("1 to 2", 1.0, 1.0),))),
            ColumnChange("secret", "text", None),
        ),
        "predictions": ColumnChange("predictions", "number", moved),
        "target": None,
        "measured": (Performance("roc_auc", 0.8, 0.7, 0.9, 0.85, 0.8, 0.9, 0.2),),
        "estimated": (Performance("roc_auc", 0.82, 0.8, 0.84, 0.85, 0.8, 0.9),),
        "findings": (Finding("distribution", HOSTILE, Level.DRIFT, f"column '{HOSTILE}' moved", 1e-9),),
        "judgement": Judgement(verdict, (f"because of {HOSTILE}",), ("look",)),
        "notes": ("a note",),
    }
    return monitoring_document(Monitoring(**parts | changes), model=MODEL)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_page_says_the_verdict_and_lets_nothing_run(verdict: Verdict) -> None:
    made = document(verdict)
    page = render_monitoring(made)
    assert made["verdict"] == verdict and made["changed"] == (verdict not in (Verdict.KEEP, Verdict.UNKNOWN))
    assert "<img src=x" not in page and "49" not in page.split("<style>")[0]
    assert page.count("http-equiv") == 1 and "default-src" in page
    for word in ("How far each column moved", "ROC AUC, measured now", "A note", "Look"):
        assert word in page


def test_what_could_not_be_had_is_left_out() -> None:
    page = render_monitoring(document(measured=(), estimated=(), predictions=None, columns=(), findings=()))
    assert "ROC AUC" not in page and "The verdict" in page


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    made = document()
    write_monitoring(tmp_path / "new" / "folder", made)
    assert json.loads((tmp_path / "new/folder/monitoring.json").read_text()) == made
    assert {path.name for path in (tmp_path / "new/folder").iterdir()} == {"monitoring.json", "monitoring.html"}
