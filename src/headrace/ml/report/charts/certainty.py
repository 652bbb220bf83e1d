"""The chart of calibration: reliability before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.charts.classification import SHARES
from headrace.ml.report.charts.specification import PALETTE, Chart, chart, diagonal, label, quantity, tip


def reliability(facts: Mapping[str, Any]) -> Chart | None:
    """Draw how often the event came true against the probability predicted, before and after calibration."""
    curves = [(when, curve) for when in ("before", "after") for curve in facts.get(when) or ()]
    if not facts.get("after"):
        return None
    several = len(facts["after"]) > 1
    values = [
        {
            "class": str(curve["class"]),
            "when": when,
            "line": f"{curve['class']}, {when}" if several else when,
            "predicted": point["predicted"],
            "observed": point["observed"],
            "count": point["count"],
        }
        for when, curve in curves
        for point in curve["points"]
    ]
    encoding: dict[str, Any] = {
        "x": quantity("predicted", "predicted probability", scale=SHARES, axis={"format": "%"}),
        "y": quantity("observed", "how often it came true", scale=SHARES, axis={"format": "%"}),
        "color": label("class" if several else "when", scale={"range": PALETTE}),
        "detail": {"field": "line"},
        "strokeDash": label("when", scale={"domain": ["before", "after"], "range": [[3, 3], [1, 0]]}),
        "tooltip": tip(
            ("line", "line"),
            ("predicted", "predicted", ".1%"),
            ("observed", "came true", ".1%"),
            ("count", "rows", ","),
        ),
    }
    return chart(
        "reliability",
        "Calibration before and after",
        "On held-out rows, each corrected by a curve that was fitted without it: the closer a line lies to the "
        "diagonal, the more its probabilities can be taken at their word.",
        values,
        height=300,
        layer=[diagonal(), {"mark": {"type": "line", "point": {"size": 45}}, "encoding": encoding}],
    )
