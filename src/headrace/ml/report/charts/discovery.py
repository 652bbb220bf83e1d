"""Charts of clusters, anomalies and association rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headrace.ml.report.charts.specification import (
    MUTED,
    PALETTE,
    RED,
    Chart,
    chart,
    label,
    quantity,
    rule_at,
    text_at,
    tip,
    zoom,
)
from headrace.ml.report.formats import number, percent, words

Document = Mapping[str, Any]


def discovery_charts(document: Document) -> Iterable[Chart | None]:
    """The charts of a task without a label; none for the others."""
    facts = document.get("discovery") or {}
    yield cluster_picture(facts)
    yield cluster_numbers(facts)
    yield score_histogram(facts)
    yield score_series(facts)
    yield rule_picture(facts)


def cluster_picture(facts: Mapping[str, Any]) -> Chart | None:
    """Draw rows as points along their two main directions, coloured by cluster."""
    points = [row | {"cluster": words(row["cluster"])} for row in facts.get("picture") or ()]
    if not points:
        return None
    return chart(
        "cluster-picture",
        "The rows and their clusters",
        f"Each point is one row, placed by its first two principal components, which hold {percent(facts['shown'])} of "
        "the variance; clusters that overlap here may lie apart in other directions.",
        points,
        height=320,
        params=zoom("x", "y"),
        mark={"type": "point", "opacity": 0.65, "size": 24, "filled": True},
        encoding={
            "x": quantity("x", "first principal component"),
            "y": quantity("y", "second principal component"),
            "color": label("cluster", scale={"range": PALETTE}),
            "tooltip": tip(("cluster", "cluster")),
        },
    )


def cluster_numbers(facts: Mapping[str, Any]) -> Chart | None:
    """Draw silhouettes by the number of clusters, beside those of data without clusters."""
    candidates = [c for c in facts.get("candidates") or () if c.get("silhouette") is not None]
    values = [{"clusters": c["clusters"], "value": c["silhouette"], "what": words(c["algorithm"])} for c in candidates]
    values += [
        {"clusters": c["clusters"], "value": c["reference"], "what": "without clusters"}
        for c in candidates
        if c["algorithm"] == "k_means"
    ]
    if not values:
        return None
    return chart(
        "cluster-numbers",
        "How many clusters",
        "The silhouette of each number of clusters; clusters are there where it lies well above that of data of the "
        "same spread without clusters.",
        values,
        mark={"type": "line", "point": True},
        encoding={
            "x": quantity("clusters", "clusters", axis={"tickMinStep": 1}, scale={"zero": False}),
            "y": quantity("value", "silhouette"),
            "color": label("what", scale={"range": PALETTE}),
            "tooltip": tip(("what", "algorithm"), ("clusters", "clusters", "d"), ("value", "silhouette", ".3f")),
        },
    )


def score_histogram(facts: Mapping[str, Any]) -> Chart | None:
    """Draw how the anomaly scores are spread, and the threshold."""
    bins = facts.get("histogram") or []
    if not bins:
        return None
    line = [{"at": facts["threshold"], "text": f"threshold {number(facts['threshold'])}"}]
    bars = {
        "mark": {"type": "bar"},
        "encoding": {
            "x": quantity("start", "score"),
            "x2": {"field": "end"},
            "y": quantity("count", "rows", scale={"type": "symlog"}),
            "tooltip": tip(("start", "from", ".4~g"), ("end", "to", ".4~g"), ("count", "rows", ",d")),
        },
    }
    return chart(
        "score-histogram",
        "Scores of all rows",
        "How many rows have which score (the upright axis is logarithmic); rows right of the line are anomalies.",
        bins,
        layer=[bars, rule_at(line, "x", color=RED), text_at(line, "x")],
    )


def score_series(facts: Mapping[str, Any]) -> Chart | None:
    """Draw the values over time, with the anomalies marked."""
    points = facts.get("series") or []
    if not points:
        return None
    moment = {
        "field": "time",
        "type": "temporal" if isinstance(points[0]["time"], str) else "quantitative",
        "title": None,
    }
    value = quantity("value", "value", scale={"zero": False})
    return chart(
        "score-series",
        "The series and its anomalies",
        "The value over time; red points are called anomalies.",
        points,
        wide=True,
        height=280,
        layer=[
            {"mark": {"type": "line", "color": MUTED, "strokeWidth": 1}, "encoding": {"x": moment, "y": value}},
            {
                "transform": [{"filter": {"field": "is_anomaly", "equal": True}}],
                "mark": {"type": "point", "color": RED, "size": 40},
                "encoding": {
                    "x": moment,
                    "y": value,
                    "tooltip": tip(("value", "value", ".4~g"), ("score", "score", ".4~g")),
                },
            },
        ],
    )


def rule_picture(facts: Mapping[str, Any]) -> Chart | None:
    """Draw rules by how often they apply and how much they say."""
    values = [
        {
            "support": r["support"],
            "confidence": r["confidence"],
            "lift": r["lift"],
            "rule": f"{' and '.join(map(str, r['antecedent']))} → {r['consequent']}",
            "tested": "confirmed" if r["confirmed"] else "not confirmed",
        }
        for r in (facts.get("rules") or ())[:500]
    ]
    if not values:
        return None
    return chart(
        "rules",
        "Rules by support and confidence",
        "Each point is a rule: further right it applies to more baskets, further up it holds more often; larger points "
        "have a larger lift.",
        values,
        height=320,
        mark={"type": "point", "filled": True, "opacity": 0.7},
        encoding={
            "x": quantity("support", "support", scale={"zero": False}, axis={"format": "%"}),
            "y": quantity("confidence", "confidence", scale={"zero": False}, axis={"format": "%"}),
            "size": quantity("lift", "lift"),
            "color": label("tested", scale={"domain": ["confirmed", "not confirmed"], "range": PALETTE[:2]}),
            "tooltip": tip(
                ("rule", "rule"),
                ("support", "support", ".1%"),
                ("confidence", "confidence", ".1%"),
                ("lift", "lift", ".2f"),
            ),
        },
    )
