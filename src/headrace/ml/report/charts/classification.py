"""Charts of a classifier: ROC, precision-recall, confusion matrix, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    PALETTE,
    SEQUENTIAL,
    Chart,
    Values,
    chart,
    diagonal,
    label,
    quantity,
    tip,
)

SHARES = {"domain": [0, 1], "nice": False}


def _lines(curves: Sequence[Mapping[str, Any]], *fields: str) -> Values:
    return [
        {"class": str(curve["class"]), "order": order, **{f: point.get(f) for f in fields}}
        for curve in curves
        for order, point in enumerate(curve["points"])
    ]


def _curve(several: bool, x: tuple[str, str], y: tuple[str, str]) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "x": quantity(*x, scale=SHARES, axis={"format": "%"}),
        "y": quantity(*y, scale=SHARES, axis={"format": "%"}),
        "order": {"field": "order", "type": "quantitative"},
        "tooltip": tip((*x, ".1%"), (*y, ".1%"), ("threshold", "at the threshold", ".3f")),
    }
    if several:
        encoding["color"] = label("class", scale={"range": PALETTE})
        encoding["tooltip"] = [*tip(("class", "class")), *encoding["tooltip"]]
    mark: dict[str, Any] = {"type": "line", "interpolate": "linear", "point": {"opacity": 0, "size": 60}}
    return {"mark": mark, "encoding": encoding}


def roc(curves: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw true positives found against false alarms raised, for every threshold."""
    values = _lines(curves, "false_positive_rate", "true_positive_rate", "threshold")
    if not values:
        return None
    x, y = (
        ("false_positive_rate", "false alarms among the negatives"),
        ("true_positive_rate", "positives that were found"),
    )
    return chart(
        "roc",
        "ROC curve",
        "The closer the curve comes to the upper left corner, the better; the dashed line is what guessing "
        "would reach.",
        values,
        height=300,
        layer=[diagonal(), _curve(len(curves) > 1, x, y)],
    )


def precision_recall(curves: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw precision against recall for every threshold."""
    values = _lines(curves, "recall", "precision", "threshold")
    if not values:
        return None
    return chart(
        "precision-recall",
        "Precision and recall",
        "Going right, more of the positives are found (recall); going down, more of the alarms are false "
        "(precision drops). Higher is better.",
        values,
        height=300,
        **_curve(
            len(curves) > 1,
            ("recall", "recall: positives that were found"),
            ("precision", "precision: alarms that were right"),
        ),
    )


def confusion_matrix(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart | None:
    """Draw how often each true class was predicted as each class."""
    if not counts:
        return None
    names = [str(c) for c in classes]
    values = [
        {
            "truth": names[i],
            "prediction": names[j],
            "count": n,
            "share": n / sum(row) if sum(row) else 0,
            "verdict": "right" if i == j else "wrong",
        }
        for i, row in enumerate(counts)
        for j, n in enumerate(row)
    ]
    position = {
        "scale": {"padding": 0.02},
        "axis": {"grid": False, "domain": False, "ticks": False, "labelAngle": 0, "labelLimit": 110},
    }
    light = {"condition": {"test": "datum.share > 0.55", "value": "#ffffff"}, "value": "#14202e"}
    tooltip = tip(
        ("truth", "true class"),
        ("prediction", "predicted"),
        ("count", "rows", ","),
        ("share", "of the true class", ".1%"),
        ("verdict", ""),
    )
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rect", "cornerRadius": 3},
            "encoding": {
                "color": quantity("share", scale={"domain": [0, 1], "range": SEQUENTIAL}, legend=None),
                "tooltip": tooltip,
            },
        }
    ]
    if len(names) <= 12:
        text = {"text": quantity("count", format=","), "color": light}
        layers.append(
            {"mark": {"type": "text", "fontSize": 15 if len(names) <= 4 else 11, "fontWeight": 600}, "encoding": text}
        )
    return chart(
        "confusion-matrix",
        "Confusion matrix",
        "Each line is a true class, each column what the model said; counts on the diagonal from upper "
        "left to lower right are right, all others wrong.",
        values,
        height=max(220, 34 * len(names)),
        encoding={"x": label("prediction", "predicted class") | position, "y": label("truth", "true class") | position},
        layer=layers,
    )


def calibration(curves: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how often the event happened against the probability that was predicted."""
    values = [
        {"class": str(c["class"]), "predicted": p["predicted"], "observed": p["observed"], "count": p.get("count")}
        for c in curves
        for p in c["points"]
    ]
    if not values:
        return None
    encoding: dict[str, Any] = {
        "x": quantity("predicted", "predicted probability", scale=SHARES, axis={"format": "%"}),
        "y": quantity("observed", "how often it came true", scale=SHARES, axis={"format": "%"}),
        "tooltip": tip(("predicted", "predicted", ".1%"), ("observed", "came true", ".1%"), ("count", "rows", ",")),
    }
    if len(curves) > 1:
        encoding["color"] = label("class", scale={"range": PALETTE})
    return chart(
        "calibration",
        "Calibration",
        "Of the rows given 30 %, about 30 % should come true: the closer the points lie to the dashed "
        "line, the more a probability can be taken at its word.",
        values,
        height=300,
        layer=[diagonal(), {"mark": {"type": "line", "point": {"size": 55}}, "encoding": encoding}],
    )


def gain(curves: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the share of the positives found against the share of rows acted upon."""
    values = _lines(curves, "share", "gain", "lift")
    if not values:
        return None
    several, x, y = len(curves) > 1, ("share", "rows acted upon, surest first"), ("gain", "positives that were found")
    line = _curve(several, x, y)
    line["encoding"]["tooltip"] = [*tip(("class", "class"))][: int(several)] + tip(
        (*x, ".1%"), (*y, ".1%"), ("lift", "times better than chance", ".2f")
    )
    return chart(
        "gain",
        "Gain",
        "Acting on the rows of which the model is surest, how many of the positives are reached: the "
        "further above the dashed line, the less work is wasted.",
        values,
        height=300,
        layer=[diagonal(), line],
    )
