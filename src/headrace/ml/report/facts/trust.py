"""Facts that trust rests on: the choices and their data, columns that leak, and where the model fails worst."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.facts.plain import part, plain, rows_of


def choice_facts(records: Any) -> list[dict[str, Any]]:
    """What was decided, on which data, by which figure."""
    return rows_of(records, "what", "chosen", "data", "evidence")


def leak_facts(record: Any) -> list[dict[str, Any]]:
    """Columns of step 3 that leak the target or may, with the score with and without them."""
    return rows_of(
        part(record, "leaks"), "column", "action", "evidence", "metric", "score", "score_without", "condition"
    )


def weak_segment_facts(record: Any) -> list[dict[str, Any]]:
    """Where the model of step 8 fails worst."""
    return [plain(segment) for segment in part(record, "weak_segments", ())]
