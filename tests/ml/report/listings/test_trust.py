"""The tables of trust: choices, leaks, weak segments, sensitive groups, and what mitigation changed."""

from typing import Any

import pytest

from headrace.ml.report.listings import trust
from headrace.ml.report.listings.listing import Mark

RATES = {"selection_rate": 0.2, "selection_rate_low": 0.1, "selection_rate_high": 0.3}
DOCUMENT: dict[str, Any] = {
    "metric": "roc_auc",
    "choices": [{"what": "threshold", "chosen": "0.31", "data": "held-out rows (800)", "evidence": "best F1"}],
    "mitigation": {
        "column": "sex",
        "groups": [{"group": "f", "rows": 100, "before": RATES, "after": RATES | {"selection_rate": 0.25}}],
        "impact": {when: {"value": 0.5, "low": 0.4, "high": None} for when in ("before", "after")},
        "metrics": [{"name": "roc_auc", "before": 0.8, "after": 0.79}],
        "money": {"before": 3.0, "after": 2.5, "currency": "EUR"},
    },
    "steps": {
        "datasets": {
            "leaks": [
                {
                    "column": "ref", "action": "set aside", "evidence": "numbers as keys are", "metric": "roc_auc",
                    "score": 0.999, "score_without": 0.82, "condition": False,
                },
                {
                    "column": "duration", "action": "learnt from", "evidence": "known late", "metric": "roc_auc",
                    "score": None, "score_without": None, "condition": True,
                },
            ]
        },
        "evaluation": {
            "weak_segments": [
                {
                    "segment": "'city' is 'south'", "rows": 200, "share": 0.2, "roc_auc": 0.6, "low": 0.5, "high": 0.7,
                    "overall": 0.8, "loss": 0.6, "loss_elsewhere": 0.4, "confirmed": True, "reason": "few rows: only 3",
                }
            ],
            "sensitive_groups": [
                {"column": "sex", "group": "f", "rows": 100, "roc_auc": 0.8, "low": 0.7, "high": 0.9, "base_rate": 0.2}
                | RATES
                | {"disparate_impact": 0.5, "judgement": "unequal beyond chance"},
            ],
        },
    },
}  # fmt: skip


def cells(listing: Any) -> list[str]:
    return [cell.text if isinstance(cell, Mark) else cell for row in listing.rows for cell in row]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (trust.choices, ("Threshold", "held-out rows (800)", "best F1")),
        (trust.leaks, ("ref", "set aside", "0.999", "0.82", "duration", "learnt from")),
        (trust.weak_segments, ("confirmed", "0.6 against 0.4", "Few rows: only 3")),
        (trust.sensitive_groups, ("unequal beyond chance", "0.2 (0.1 to 0.3)")),
        (trust.mitigation, ("Selected where 'sex' is f", "0.25 (0.1 to 0.3)", "0.79")),
    ],
)
def test_each_table_says_what_was_found(table: Any, said: tuple[str, ...]) -> None:
    found = cells(table(DOCUMENT))
    assert set(said) <= set(found)


@pytest.mark.parametrize(
    "table", [trust.choices, trust.leaks, trust.weak_segments, trust.sensitive_groups, trust.mitigation]
)
def test_older_reports_have_no_such_tables(table: Any) -> None:
    assert table({"metric": "roc_auc", "steps": {"datasets": {}, "evaluation": {}}}) is None
