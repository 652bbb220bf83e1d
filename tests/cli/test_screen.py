"""What a run shows: plain lines away from a terminal, and a summary that names everything."""

import io
from pathlib import Path

from headrace.cli.screen import Screen
from headrace.ml.process.progress import Moment

DOCUMENT = {
    "decision": "go-with-conditions",
    "reasons": ["a [bold] reason", "KPI 'recall' is met"],
    "metrics": {"test": {"roc_auc": 0.8432, "log_loss": 0.4}},
    "metrics_interval": {"roc_auc": [0.82, 0.86]},
    "baseline": {"metrics": {"roc_auc": 0.5}},
    "business": {
        "threshold": 0.31,
        "currency": "EUR",
        "expected_value": {"value": 12.5, "low": 10.0, "high": 15.0},
        "kpis": [{"name": "", "metric": "recall", "value": 0.7, "status": "met"}],
    },
}


def test_away_from_a_terminal_each_step_is_one_line() -> None:
    stream = io.StringIO()
    with Screen(stream) as screen:
        for doing in ("first", "second"):
            screen.show(Moment(step="7/9 Training", doing=doing))
        screen.show(Moment(step="8/9 Evaluation", doing="[red]third"))
    lines = stream.getvalue().splitlines()
    assert [line.split(" s  ")[-1] for line in lines] == [
        "7/9 Training: first",
        "8/9 Evaluation: [red]third",
    ]


def test_the_summary_says_decision_reasons_money_metrics_and_places() -> None:
    stream = io.StringIO()
    Screen(stream).summarise(DOCUMENT, Path("/somewhere/out"))
    shown = stream.getvalue()
    for part in ("GO-WITH-CONDITIONS", "a [bold] reason", "0.8432", "0.82 … 0.86", "12.5 EUR", "recall: 0.7 met"):
        assert part in shown
    assert "/somewhere/out/report.html" in shown
