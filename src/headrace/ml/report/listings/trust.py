"""Tables that trust rests on: the choices and their data, columns that leak, and where the model fails worst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import money, number, percent, sentence
from headrace.ml.report.listings.data import value_text
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing
from headrace.ml.report.listings.model import interval_text, metric_title

Document = Mapping[str, Any]
WHEN = ("before", "after")
TREATMENT = {
    "base_rate": "In truth positive",
    "selection_rate": "Predicted positive",
    "true_positive_rate": "Found of the positives",
    "false_positive_rate": "False alarms",
    "calibration_gap": "Probability less truth",
    "disparate_impact": "Selected, as a ratio to the most selected group",
    "true_positive_gap": "Found, less than in that group",
    "accuracy": "Accuracy",
    "mean_error": "Mean error",
}


def choices(document: Document) -> Listing | None:
    """What was decided, on which data, by which figure."""
    rows: list[tuple[Cell, ...]] = [
        (sentence(row["what"]), str(row["chosen"]), str(row["data"]), str(row["evidence"]))
        for row in document.get("choices") or ()
    ]
    return listing("What was decided, on which data, by which figure", ("Choice", "Chosen", "Data", "Evidence"), rows)


def leaks(document: Document) -> Listing | None:
    """Columns that leak the target or may."""
    rows: list[tuple[Cell, ...]] = []
    for row in document["steps"]["datasets"].get("leaks") or ():
        tone = "bad" if row["action"] == "set aside" else "warn" if row["condition"] else "neutral"
        title = metric_title(str(row["metric"])) if row["score"] is not None else ""
        rows.append(
            (
                str(row["column"]),
                Mark(str(row["action"]), tone),
                title,
                number(row["score"]),
                number(row["score_without"]),
                sentence(row["evidence"]),
            )
        )
    headings = ("Column", "What was done", "Metric of a quick model", "With it", "Without it", "Evidence")
    return listing("Columns that give the answer away, or may", headings, rows, 3, 4)


def weak_segments(document: Document) -> Listing | None:
    """Where the model fails worst: found on held-out rows, measured on the test part."""
    metric = str(document["metric"])
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(row["segment"]),
            Mark("confirmed", "bad") if row["confirmed"] else Mark("not confirmed", "neutral"),
            number(row["rows"]),
            percent(row["share"]),
            number(row.get(metric)),
            interval_text(row["low"], row["high"]),
            number(row["overall"]),
            f"{number(row['loss'])} against {number(row['loss_elsewhere'])}",
            sentence(row["reason"]),
        )
        for row in document["steps"]["evaluation"].get("weak_segments") or ()
    ]
    headings = (
        "Segment", "On the test part", "Test rows", "Share", metric_title(metric), "Interval for all segments together",
        "Overall", "Loss a row, there and elsewhere", "Likely reason",
    )  # fmt: skip
    return listing("Where the model fails worst", headings, rows, 2, 3, 4, 5, 6, 7)


def sensitive_groups(document: Document) -> Listing | None:
    """How the groups of sensitive columns are treated, with intervals."""
    metric = str(document["metric"])
    groups = document["steps"]["evaluation"].get("sensitive_groups") or ()
    shown = {name: title for name, title in TREATMENT.items() if any(name in group for group in groups)}
    rows: list[tuple[Cell, ...]] = [
        (
            str(row["column"]),
            value_text(row["group"]),
            number(row.get("rows")),
            _with_interval(row.get(metric), row.get("low"), row.get("high")),
            *(_with_interval(row.get(name), row.get(f"{name}_low"), row.get(f"{name}_high")) for name in shown),
            *((_judgement(row.get("judgement")),) if "disparate_impact" in shown else ()),
        )
        for row in groups
    ]
    judged = ("Four-fifths rule",) if "disparate_impact" in shown else ()
    headings = ("Column", "Group", "Test rows", metric_title(metric), *shown.values(), *judged)
    caption = "How sensitive groups are treated (95 % intervals in brackets)"
    return listing(caption, headings, rows, *range(2, 4 + len(shown)))


def _with_interval(value: object, low: object, high: object) -> str:
    return (
        number(value, 3)
        if low is None or high is None
        else f"{number(value, 3)} ({number(low, 3)} to {number(high, 3)})"
    )


def _judgement(text: object) -> Cell:
    tones = {"unequal beyond chance": "bad", "may be unequal": "warn", "equal enough": "good"}
    return Mark(str(text), tones.get(str(text), "unknown")) if text else ""


def mitigation(document: Document) -> Listing | None:
    """What --mitigate changed, on the test part."""
    found = document.get("mitigation")
    if not found:
        return None
    rows: list[tuple[Cell, ...]] = [
        (f"Selected where '{found['column']}' is {group['group']}", *_pair(group, "selection_rate"))
        for group in found["groups"]
    ]
    impact = found["impact"]
    ratios = (_with_interval(impact[when]["value"], impact[when]["low"], impact[when]["high"]) for when in WHEN)
    rows.append(("Lowest selection rate over the highest", *ratios))
    rows += [(metric_title(each["name"]), *(number(each[when]) for when in WHEN)) for each in found["metrics"]]
    if earned := found["money"]:
        rows.append(("Money a decision", *(money(earned[when], earned["currency"]) for when in WHEN)))
    caption = f"What equal selection of the groups of '{found['column']}' changes and costs, on the test part"
    return listing(caption, ("Figure", "Without it", "With it"), rows, 1, 2)


def _pair(group: Mapping[str, Any], name: str) -> tuple[str, str]:
    before, after = (
        _with_interval(group[when][name], group[when][f"{name}_low"], group[when][f"{name}_high"]) for when in WHEN
    )
    return before, after
