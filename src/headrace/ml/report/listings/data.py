"""Tables about the goal and the data: steps 1 to 6."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headrace.ml.metrics.money import ANY
from headrace.ml.report.formats import NOTHING, date_text, money, number, percent, words
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

Document = Mapping[str, Any]
STATUS = {
    "pass": ("pass", "good"),
    "warn": ("warning", "warn"),
    "fail": ("fail", "bad"),
    "unknown": ("unknown", "unknown"),
}
OUTCOMES = {
    "true_positive": "rightly predicted yes (true positive)",
    "false_positive": "false alarm (false positive)",
    "true_negative": "rightly predicted no (true negative)",
    "false_negative": "missed (false negative)",
}


def value_text(value: Any) -> str:
    """Write any JSON value in a cell."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def joins(document: Document) -> Listing | None:
    """The tables that were joined."""
    rows: list[tuple[Cell, ...]] = [
        (
            j["source"],
            ", ".join(k["main"] if k["main"] == k["joined"] else f"{k['main']} = {k['joined']}" for k in j["keys"]),
            "one row a key, as columns" if not j["summarised"] else "many rows a key, summarised",
            f"before {j['before']['main']}" if j["before"]["main"] and j["before"]["joined"] else "all",
            number(j["rows"]), number(j["matched"]), number(j["later"]), number(len(j["columns"])),
        )
        for j in document["steps"]["datasets"].get("joins", ())
    ]  # fmt: skip
    heads = ("Table", "On", "How", "Rows that count", "Rows", "Rows matched", "Rows later, not used", "Columns added")
    return listing("Joined tables", heads, rows, 4, 5, 6, 7)


def timeline(document: Document) -> Listing | None:
    """Weeks a phase."""
    rows = document["steps"]["business_problem"]["timeline"]
    return listing("Estimated timeline", ("Phase", "Weeks"), [(words(r["phase"]), number(r["weeks"])) for r in rows], 1)


def outcomes(document: Document) -> Listing | None:
    """What each outcome of a decision earns and costs."""
    charter = document["steps"]["business_problem"]["charter"]
    currency = charter.get("currency") or ""
    decisions, error = charter.get("decisions"), charter.get("error_cost")
    if decisions:
        rows: list[tuple[Cell, ...]] = [
            (OUTCOMES[k], money(decisions[k].get("earns"), currency), money(decisions[k].get("costs"), currency))
            for k in OUTCOMES
            if decisions.get(k)
        ]
        return listing("What each outcome of a decision is worth", ("Outcome", "Earns", "Costs"), rows, 1, 2)
    if costs := charter.get("costs"):
        mistakes: list[tuple[Cell, ...]] = [
            (_class_name(actual), _class_name(decided), money(amount, currency))
            for actual, row in costs.items()
            for decided, amount in row.items()
        ]
        return listing("What a mistake costs", ("The class is", "Decided for", "Costs"), mistakes, 2)
    if error:
        names = {"under": "a unit too low", "over": "a unit too high"}
        return listing(
            "What an error costs", ("Error", "Costs"), [(names[k], money(error.get(k), currency)) for k in names], 1
        )
    return None


def _class_name(name: str) -> str:
    return "any other" if name == ANY else name


def shortlist(document: Document) -> Listing | None:
    """The algorithms to be tried."""
    rows = document["steps"]["problem_framing"]["shortlist"]
    return listing(
        "Shortlist of algorithms",
        ("Algorithm", "Why it is on the list"),
        [(words(r["algorithm"]), value_text(r["reason"])) for r in rows],
    )


def readiness(document: Document) -> Listing | None:
    """The eight checks."""
    rows: list[tuple[Cell, ...]] = []
    for check in document["readiness"]:
        text, tone = STATUS.get(check["status"], (str(check["status"]), "neutral"))
        evidence = check["evidence"]
        said = evidence if isinstance(evidence, str) else " · ".join(value_text(e) for e in evidence or ())
        rows.append((words(check["name"]), Mark(text, tone), said or NOTHING, value_text(check["advice"] or None)))
    return listing("Readiness checklist", ("Check", "Result", "Evidence", "What to do"), rows)


def set_aside(document: Document) -> Listing | None:
    """Columns that are not learnt from: excluded, personal, dropped."""
    steps = document["steps"]
    rows: list[tuple[Cell, ...]] = [
        (r["column"], "excluded", value_text(r["reason"])) for r in steps["datasets"]["excluded"]
    ]
    rows += [(r["column"], "dropped in preparation", value_text(r["reason"])) for r in steps["preparation"]["dropped"]]
    return listing("Columns that are not learnt from", ("Column", "What happened", "Why"), rows)


def personal(document: Document) -> Listing | None:
    """Columns whose values look personal."""
    rows = document["steps"]["datasets"]["personal"]
    found: list[tuple[Cell, ...]] = [(r["column"], words(r["kind"])) for r in rows]
    return listing("Columns with personal data (their values are not shown)", ("Column", "Looks like"), found)


def columns(document: Document) -> Listing | None:
    """The columns and their kinds."""
    rows = document["steps"]["datasets"]["columns"]
    return listing("Columns of the table", ("Column", "Kind"), [(r["name"], value_text(r["kind"])) for r in rows])


def cleaning(document: Document) -> Listing | None:
    """What was cleaned."""
    rows: list[tuple[Cell, ...]] = [
        (words(r["action"]), r["column"] or "whole table", number(r["count"]), value_text(r["evidence"]))
        for r in document["cleaning"]
    ]
    return listing("What was cleaned", ("Action", "Column", "Rows or cells", "Evidence"), rows, 2)


def statistics(document: Document) -> Listing | None:
    """One line of statistics a column."""
    rows: list[tuple[Cell, ...]] = []
    for column in document["steps"]["exploration"]["columns"]:
        date = column["kind"] == "date"
        missing = column["missing"] or 0
        total = (column["count"] or 0) + missing
        show = date_text if date else number
        spread = [show(column[k]) if column.get(k) is not None else NOTHING for k in ("minimum", "mean", "maximum")]
        rows.append(
            (
                str(column["name"]),
                value_text(column["kind"]),
                percent(missing / total) if total else NOTHING,
                number(column["distinct"]),
                *spread,
                number(column["std"]) if not date else NOTHING,
                most_frequent(column.get("top")),
            )
        )
    headings = (
        "Column",
        "Kind",
        "Missing",
        "Distinct",
        "Least",
        "Mean",
        "Greatest",
        "Standard deviation",
        "Most frequent",
    )
    return listing("Statistics of the training part", headings, rows, 2, 3, 4, 5, 6, 7)


def most_frequent(top: Any) -> str:
    """Write the three most frequent values with their counts."""
    if not top:
        return NOTHING
    found = [(t.get("value"), t.get("count")) if isinstance(t, Mapping) else (t[0], t[1]) for t in top[:3]]
    return ", ".join(f"{'(missing)' if v in (None, '') else value_text(v)} ({number(c)})" for v, c in found)


def leaks(document: Document) -> Listing | None:
    """Columns that give the answer away."""
    rows = document["steps"]["exploration"]["leaks"]
    return listing(
        "Columns that may give the answer away",
        ("Column", "Evidence"),
        [(str(r["column"]), value_text(r.get("evidence"))) for r in rows],
    )


def outliers(document: Document) -> Listing | None:
    """Columns with values far from the rest."""
    rows: list[tuple[Cell, ...]] = [
        (str(r.get("column")), number(r.get("interquartile")), number(r.get("robust_z")), percent(r.get("share")))
        for r in document["steps"]["exploration"]["outliers"]
    ]
    headings = (
        "Column",
        "Beyond the box (1.5 × interquartile range)",
        "Far from the median (robust z > 3.5)",
        "Share beyond the box",
    )
    return listing("Values far from the rest", headings, rows, 1, 2, 3)


def missing_patterns(document: Document) -> Listing | None:
    """Which values go missing together."""
    patterns = document["steps"]["exploration"]["missing_map"].get("patterns") or ()
    rows: list[tuple[Cell, ...]] = [
        (", ".join(map(str, p["columns"])) or "nothing missing", number(p["count"])) for p in patterns
    ]
    return listing("Which values go missing together", ("Columns without a value", "Rows"), rows, 1)


def features(document: Document) -> Listing | None:
    """Features kept and dropped, with reasons."""
    rows: list[tuple[Cell, ...]] = [
        (
            str(r["name"]),
            ", ".join(map(str, r["sources"] or ())),
            words(r["kind"]),
            Mark("kept", "good") if r["kept"] else Mark("dropped", "neutral"),
            value_text(r["reason"] or None),
            number(r["gain"]),
        )
        for r in sorted(document["features"], key=lambda r: not r["kept"])
    ]
    return listing("Features made", ("Feature", "Made of", "Kind", "Decision", "Why", "Gain"), rows, 5)
