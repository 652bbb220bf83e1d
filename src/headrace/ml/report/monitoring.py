"""monitoring.json and monitoring.html: what monitoring found, for machines and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headrace.ml.metrics import METRICS
from headrace.ml.report.charts.monitoring import change_of, drift, missing_then_and_now, performance
from headrace.ml.report.charts.specification import Chart
from headrace.ml.report.facts.plain import plain
from headrace.ml.report.files import write_whole
from headrace.ml.report.formats import number, percent
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing
from headrace.ml.report.page import render_page, visible

SCHEMA_VERSION = "1.0"
VERDICTS = {
    "keep": ("Keep the model", "good", "Nothing changed that matters."),
    "watch": ("Watch the model", "warn", "The rows changed; the performance holds, as far as it can be told."),
    "repair": ("Repair the data", "bad", "The data are not what the model was trained on."),
    "retrain": ("Retrain the model", "bad", "The model does worse than on the test part of its run."),
    "unknown": ("Too few rows to tell", "neutral", "More rows are needed for a verdict."),
}
ICONS = {"good": "✓", "warn": "!", "bad": "✕", "neutral": "?"}
FAR = 0.1
_MOST_CHARTS = 24


def monitoring_document(record: Any, *, model: Mapping[str, Any]) -> dict[str, Any]:
    """Gather monitoring.json from the record of `monitor_model`; `model` has source, target, created and rows file."""
    facts = plain(asdict(record))
    judgement = facts.pop("judgement")
    return {"schema_version": SCHEMA_VERSION, **judgement, "changed": bool(record.changed), **model, **facts}


def write_monitoring(folder: Path, document: Mapping[str, Any]) -> None:
    """Write monitoring.json and monitoring.html into `folder`, each whole or not at all; raises OutputError."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / "monitoring.json", text + "\n")
    write_whole(folder / "monitoring.html", render_monitoring(document))


def render_monitoring(document: Mapping[str, Any]) -> str:
    """Render the page from the document."""
    document = visible(document)
    title, tone, meaning = VERDICTS[document["verdict"]]
    return render_page(
        "monitoring.html", _charts(document), document=document,
        summary={"title": title, "tone": tone, "icon": ICONS[tone], "meaning": meaning, "cards": _cards(document)},
        findings=_findings(document), performance=_performance(document), columns=_columns(document),
    )  # fmt: skip


def _charts(document: Mapping[str, Any]) -> dict[str, list[Chart]]:
    columns = document["columns"]
    moved = sorted(columns, key=lambda c: (not c["drifted"], -(c["distance"] or {"distance": 0})["distance"]))
    whole = [c for c in (document["predictions"], document["target"]) if c]
    found = {
        "performance": [_performance_chart(document)],
        "drift": [drift(columns, FAR)],
        "whole": [change_of(f"whole-{i}", each) for i, each in enumerate(whole)],
        "missing": [missing_then_and_now(columns)],
        "drifted": [change_of(f"column-{i}", c) for i, c in enumerate(moved) if c["drifted"]][:_MOST_CHARTS],
        "steady": [change_of(f"steady-{i}", c) for i, c in enumerate(moved) if not c["drifted"]][:_MOST_CHARTS],
    }
    return {place: [each for each in made if each is not None] for place, made in found.items()}


def _performance_chart(document: Mapping[str, Any]) -> Chart | None:
    measured, estimated = document["measured"][:1], document["estimated"][:1]
    if not (measured or estimated):
        return None
    first = (measured or estimated)[0]
    rows = [{"when": "on the test part", "value": first["test"], "low": first["test_low"], "high": first["test_high"]}]
    rows += [{"when": "estimated now"} | each for each in estimated if each["metric"] == first["metric"]]
    rows += [{"when": "measured now"} | each for each in measured]
    return performance("performance", METRICS[first["metric"]].title, rows)


def _cards(document: Mapping[str, Any]) -> list[dict[str, str]]:
    cards = [{"label": "Rows looked at", "value": number(document["rows"]),
              "note": f"beside {number(document['reference_rows'])} rows that the model was trained on"}]  # fmt: skip
    drifted = [c["name"] for c in document["columns"] if c["drifted"]]
    cards.append({"label": "Columns that changed", "value": f"{len(drifted)} of {len(document['columns'])}",
                  "note": ", ".join(drifted[:4]) or "none"})  # fmt: skip
    for key, word in (("measured", "measured now"), ("estimated", "estimated now")):
        for each in document[key][:1]:
            then = f" On the test part it was {number(each['test'])}." if each["test"] is not None else ""
            note = f"95 % interval {number(each['low'])} to {number(each['high'])}.{then}"
            cards.append(
                {"label": f"{METRICS[each['metric']].title}, {word}", "value": number(each["value"]), "note": note}
            )
    return cards


def _findings(document: Mapping[str, Any]) -> Listing | None:
    tones = {"broken": "bad", "drift": "warn", "note": "neutral"}
    rows: list[tuple[Cell, ...]] = [
        (Mark(f["level"], tones[f["level"]]), f["column"] or "–", f["sentence"],
         number(f["p_value"], 2) if f["p_value"] is not None else "–")
        for f in document["findings"]
    ]  # fmt: skip
    return listing("What changed", ("", "column", "what", "p-value, corrected"), rows, 3)


def _performance(document: Mapping[str, Any]) -> Listing | None:
    names = dict.fromkeys(p["metric"] for key in ("measured", "estimated") for p in document[key])
    by = {key: {p["metric"]: p for p in document[key]} for key in ("measured", "estimated")}
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        found = [by[key].get(name) for key in ("estimated", "measured")]
        tested = next((each["test"] for each in found if each and each["test"] is not None), None)
        cells = [
            f"{number(each['value'])} ({number(each['low'])} to {number(each['high'])})" if each else "–"
            for each in found
        ]
        rows.append((METRICS[name].title, number(tested), *cells))
    return listing("Performance", ("metric", "test part", "estimated now", "measured now"), rows, 1, 2, 3)


def _columns(document: Mapping[str, Any]) -> Listing | None:
    rows: list[tuple[Cell, ...]] = []
    for c in document["columns"]:
        d = c["distance"] or {}
        state = Mark("changed", "warn") if c["drifted"] else Mark("steady", "good")
        rows.append(
            (c["name"], state, number(d.get("distance"), 3), number(d.get("psi"), 3), number(d.get("wasserstein"), 3),
             percent(c["missing_before"]), percent(c["missing"]), number(c["unseen"] + c["beyond"]))
        )  # fmt: skip
    heads = (
        "column",
        "",
        "moved",
        "stability index",
        "in standard deviations",
        "missing then",
        "missing now",
        "never seen before",
    )
    return listing("Every column", heads, rows, 2, 3, 4, 5, 6, 7)
