"""Charts of a regression: predicted against actual values, residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.distributions import COLUMNS
from headrace.ml.report.charts.specification import ORANGE, Chart, chart, diagonal, quantity, rule_at, tip, zoom


def predicted_against_actual(points: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw predicted against true values with the line on which they would agree."""
    values = [{"actual": p["actual"], "predicted": p["predicted"]} for p in points]
    if not values:
        return None
    everything = [v[k] for v in values for k in ("actual", "predicted")]
    line = diagonal(min(everything), max(everything))
    cloud = {
        "params": zoom("x", "y"),
        "mark": {"type": "point", "opacity": 0.55, "size": 20, "filled": True},
        "encoding": {
            "x": quantity("actual", "true value", scale={"zero": False}, axis={"format": "~s"}),
            "y": quantity("predicted", "predicted value", scale={"zero": False}, axis={"format": "~s"}),
            "tooltip": tip(("actual", "true value", ",.5~g"), ("predicted", "predicted", ",.5~g")),
        },
    }
    return chart(
        "predicted-actual",
        "Predicted against true values",
        "Each point is one row of the test part; on the dashed line the prediction was exact, above it too "
        "high, below it too low."
        " Hold Ctrl or Shift and turn the wheel to zoom.",
        values,
        height=320,
        layer=[cloud, line],
    )


def residuals(points: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the error of each prediction against the predicted value."""
    values = [{"predicted": p["predicted"], "residual": p["residual"]} for p in points if p.get("residual") is not None]
    if not values:
        return None
    cloud = {
        "mark": {"type": "point", "opacity": 0.55, "size": 20, "filled": True},
        "encoding": {
            "x": quantity("predicted", "predicted value", scale={"zero": False}, axis={"format": "~s"}),
            "y": quantity("residual", "error: true minus predicted", axis={"format": "~s"}),
            "tooltip": tip(("predicted", "predicted", ",.5~g"), ("residual", "error", ",.5~g")),
        },
    }
    return chart(
        "residuals",
        "Errors against predictions",
        "Each point is one row's error; an even band around the ruled zero is good, while a curve or a fan "
        "shows where the model errs by a pattern.",
        values,
        height=320,
        layer=[cloud, rule_at([{"at": 0}], "y", color=ORANGE)],
    )


def residual_histogram(bins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how large the errors are and how often."""
    values = [{"start": b["start"], "end": b["end"], "count": b["count"]} for b in bins]
    if not values:
        return None
    return chart(
        "residual-histogram",
        "How large the errors are",
        "Each bar is a range of errors; a narrow hill around zero means that most predictions are close.",
        values,
        height=240,
        layer=[
            {
                "mark": COLUMNS,
                "encoding": {
                    "x": quantity("start", "error: true minus predicted", scale={"zero": False}, axis={"format": "~s"}),
                    "x2": {"field": "end"},
                    "y": quantity("count", "rows"),
                    "y2": {"datum": 0},
                    "tooltip": tip(("start", "from", ",.4~g"), ("end", "to", ",.4~g"), ("count", "rows", ",")),
                },
            },
            rule_at([{"at": 0}], "x", color=ORANGE),
        ],
    )
