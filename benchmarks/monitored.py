"""The section of RESULTS.md about monitoring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Render = Callable[[list[str], list[list[object]]], str]
SHOWN = ("roc_auc", "accuracy", "log_loss", "rmse", "mae")


def sections(rows: dict[str, Any], table: Render) -> list[str]:
    """Render false alarms, planted drifts found, and estimates beside the truth."""
    if not rows:
        return []
    alarms = [[name, key.removeprefix("alarms, "), f["repeats"], f["alarms"], f"{f['alarms'] / f['repeats']:.1%}"]
              for name, parts in rows.items() for key, f in parts.items() if key.startswith("alarms") and f]  # fmt: skip
    total, all_alarms = sum(row[2] for row in alarms), sum(row[3] for row in alarms)
    planted: dict[str, list[int]] = {}
    for parts in rows.values():
        for key, f in parts.items():
            if key.startswith("planted") and f:
                found = planted.setdefault(key.removeprefix("planted, "), [0, 0, 0])
                found[0], found[1], found[2] = found[0] + 1, found[1] + f["repeats"], found[2] + f["found"]
    drifts = [[kind, tables, tried, found, f"{found / tried:.0%}"] for kind, (tables, tried, found) in planted.items()]
    estimates = [
        [name, metric, f["slices"], f"{f['error_of_estimate']:.4g}", f"{f['error_of_test_value']:.4g}"]
        for name, parts in rows.items() for metric, f in parts.get("estimates", {}).items() if metric in SHOWN
    ]  # fmt: skip
    said = (
        "`make bench-monitoring DATA=FOLDER` (`benchmarks/monitoring.py`). Half of each table trains a model (4 trials). False alarms: "
        "samples of the other half, or of the training rows drawn with replacement, of 200 or 1,000 rows, in which nothing changed; "
        f"{all_alarms} of {total} monitorings alarmed ({all_alarms / max(1, total):.1%}). Planted: one change at a time in up to 1,000 rows, in a column drawn at "
        "random; found means an alarm that names the column (for changes of the whole table: an alarm). *shift* is half a standard deviation, *scale* "
        "doubles the spread, *share* gives one label a fifth of the rows, *unit* is times 1,000, *new label* 5 % and *missing* 10 % of the rows, *target "
        "shift* draws positive rows four times as often, *concept* mixes up two fifths of the true values."
    )
    about = (
        "Estimates without labels on slices of the other half (one label of a column each): mean distance from the measured metric, beside that of the test "
        "part's value, which is what is known without an estimate."
    )
    return [
        "## Monitoring", said,
        table(["table", "rows drawn from", "monitorings", "alarms", "share"], [list(row) for row in alarms]),
        table(["planted", "tables", "tried", "found", "share"], [list(row) for row in drifts]),
        about,
        table(["table", "metric", "slices", "error of the estimate", "error of the test value"], [list(row) for row in estimates]),
    ]  # fmt: skip
