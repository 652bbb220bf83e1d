"""Tables about the model and the decision: steps 7 to 9 and the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.metrics import METRICS
from headrace.ml.metrics.unlabelled import UNLABELLED
from headrace.ml.report.formats import NOTHING, duration, moment, money, number, percent, sentence, words
from headrace.ml.report.listings.data import value_text
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

Document = Mapping[str, Any]
KPI_STATUS = {"met": ("met", "good"), "uncertain": ("uncertain", "warn"), "missed": ("missed", "bad")}
CANDIDATE_STATUS = {"fitted": "good", "stopped": "warn", "pruned": "neutral", "failed": "bad"}


def metric_title(name: str) -> str:
    """A metric's name for people."""
    judged = METRICS.get(name) or UNLABELLED.get(name)
    return judged.title if judged else words(name)


def metric_meaning(name: str) -> str:
    """One phrase on what a metric says."""
    judged = METRICS.get(name) or UNLABELLED.get(name)
    return judged.meaning if judged else ""


def metric_rows(document: Document) -> list[dict[str, Any]]:
    """Each test metric with its interval and its value on the other parts, the deciding metric first."""
    metrics, intervals = document["metrics"], document["metrics_interval"]
    baseline = document["baseline"].get("metrics") or {}
    names = sorted(metrics["test"], key=lambda name: name != document["metric"])
    rows = []
    for name in names:
        low, high = (intervals.get(name) or (None, None))[:2]
        lower = name in METRICS and not METRICS[name].greater_is_better
        title = f"{metric_title(name)} (lower is better)" if lower else metric_title(name)
        row = {"name": name, "title": title, "low": low, "high": high, "baseline": baseline.get(name)}
        rows.append(row | {part: metrics[part].get(name) for part in ("train", "validation", "test")})
    return rows


def interval_text(low: Any, high: Any) -> str:
    """Write a 95 % interval."""
    return NOTHING if low is None or high is None else f"{number(low)} to {number(high)}"


def test_metrics(document: Document) -> Listing | None:
    """Metrics of the untouched test part, beside the baseline."""
    rows: list[tuple[Cell, ...]] = [
        (
            r["title"],
            number(r["test"]),
            interval_text(r["low"], r["high"]),
            number(r["baseline"]),
            metric_meaning(r["name"]),
        )
        for r in metric_rows(document)
    ]
    headings = ("Metric", "Test", "95 % interval", "Baseline", "What it says")
    return listing("How good the model is on rows it never saw", headings, rows, 1, 2, 3)


def all_metrics(document: Document) -> Listing | None:
    """Metrics of all parts."""
    rows: list[tuple[Cell, ...]] = [
        (
            r["title"],
            number(r["train"]),
            number(r["validation"]),
            number(r["test"]),
            interval_text(r["low"], r["high"]),
            number(r["baseline"]),
        )
        for r in metric_rows(document)
    ]
    return listing(
        "Metrics of every part",
        ("Metric", "Train", "Validation", "Test", "95 % interval (test)", "Baseline (test)"),
        rows,
        1,
        2,
        3,
        4,
        5,
    )


def bound_text(kpi: Mapping[str, Any]) -> str:
    """Write a KPI's bound."""
    bounds = [f"at least {number(kpi['minimum'])}"] if kpi.get("minimum") is not None else []
    bounds += [f"at most {number(kpi['maximum'])}"] if kpi.get("maximum") is not None else []
    return " and ".join(bounds) or NOTHING


def kpi_title(kpi: Mapping[str, Any]) -> str:
    """A KPI's name for people."""
    return str(kpi.get("name") or metric_title(str(kpi.get("metric") or "")))


def kpis(document: Document) -> Listing | None:
    """The charter's KPIs, met or missed."""
    rows: list[tuple[Cell, ...]] = [
        (
            kpi_title(k),
            bound_text(k),
            number(k["value"]),
            interval_text(k["low"], k["high"]),
            Mark(*KPI_STATUS.get(k["status"], (value_text(k["status"]), "neutral"))),
        )
        for k in document["business"]["kpis"]
    ]
    return listing("KPIs of the charter", ("KPI", "Bound", "Measured", "95 % interval", "Result"), rows, 2, 3)


def candidates(document: Document) -> Listing | None:
    """Every candidate, best first."""
    metric = METRICS.get(str(document["metric"]))
    sign = -1 if metric is None or metric.greater_is_better else 1
    ranked = sorted(
        document["candidates"], key=lambda c: (c["validation_score"] is None, sign * (c["validation_score"] or 0))
    )
    rows: list[tuple[Cell, ...]] = [
        (
            words(c["name"]),
            Mark(str(c["status"]), CANDIDATE_STATUS.get(c["status"], "neutral")),
            number(c["validation_score"]),
            duration(c["fit_seconds"]),
            duration(c["predict_microseconds"] / 1e6) if c["predict_microseconds"] is not None else NOTHING,
            percent(c["weight"]) if c.get("weight") else NOTHING,
            c.get("reason") or ", ".join(f"{k} {value_text(v)}" for k, v in (c["hyperparameters"] or {}).items()),
        )
        for c in ranked
    ]
    headings = ("Candidate", "Status", "Score", "To fit", "To predict a row", "Weight", "Settings, or what went wrong")
    return listing(f"Candidates by {metric_title(str(document['metric']))}", headings, rows, 2, 3, 4, 5)


def members(document: Document) -> Listing | None:
    """What the final model is made of."""
    rows: list[tuple[Cell, ...]] = [
        (words(m["candidate"]), percent(m["weight"])) for m in document["steps"]["training"]["members"]
    ]
    return listing("What the final model is made of", ("Candidate", "Weight"), rows, 1)


def group_listing(caption: str, rows: Sequence[Mapping[str, Any]], metric: str) -> Listing | None:
    """Segments or sensitive groups: the deciding metric with its interval, then whatever else was measured."""
    known = ("column", "group", "rows", "share", metric, "low", "high")
    others = list(dict.fromkeys(key for row in rows for key in row if key not in known))
    found: list[tuple[Cell, ...]] = [
        (
            str(row["column"]),
            value_text(row["group"]),
            number(row.get("rows")),
            percent(row.get("share")),
            number(row.get(metric)),
            interval_text(row.get("low"), row.get("high")),
            *(number(row.get(key)) for key in others),
        )
        for row in rows
    ]
    headings = ("Column", "Group", "Rows", "Share", metric_title(metric), "95 % interval")
    return listing(caption, (*headings, *(sentence(words(key)) for key in others)), found, *range(2, 6 + len(others)))


def timings(document: Document) -> Listing | None:
    """Seconds a step."""
    rows: list[tuple[Cell, ...]] = [
        (words(step), duration(s)) for step, s in document["timings"].items() if isinstance(s, int | float)
    ]
    return listing("Time spent", ("Step", "Time"), rows, 1)


def run_facts(document: Document) -> Listing | None:
    """What is needed to repeat the run."""
    source = document["source"]
    facts: list[tuple[Cell, ...]] = [
        ("Table", value_text(source)),
        ("Made", moment(document["created"])),
        ("Seed", value_text(document["seed"])),
    ]
    facts.append(("Budget", duration(document["budget"])))
    facts += [
        (f"Option: {words(k)}", value_text(v)) for k, v in document["options"].items() if v not in (None, [], "", False)
    ]
    facts += [(f"Version of {k}", value_text(v)) for k, v in document["versions"].items()]
    return listing("The run", ("Fact", "Value"), facts)


def expected_value_text(document: Document, value: Any) -> str:
    """Write money a decision."""
    return money(value, document["business"]["currency"] or "")
