"""What would make the model better: more rows, better columns; and whether it holds for newer data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from headrace.ml.metrics import Metric
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation import Evaluation
from headrace.ml.process.evaluation.measures import sign
from headrace.ml.process.preparation import Preparation

_WORTHWHILE = 0.25  # of the interval's half width, a doubling
_UNEQUAL = 0.8
_BEYOND_CHANCE = 1.7  # times the distance to the interval's end, which is 3.3 standard errors
_MISSING = 0.2
_FEWEST_IN_GROUP = 20


def weigh_more_data(evaluation: Evaluation, metric: Metric, rows: int) -> dict[str, Any]:
    """Return {helps, slope, expected_gain, low, high, rows, reading}; `helps` is None without a learning curve.

    `slope` is what doubling the rows adds to the metric, positive where it gets better, `low` to `high` its interval.
    """
    learning = evaluation.fitting.get("learning_curve")
    if not learning:
        return {
            "helps": None,
            "slope": None,
            "expected_gain": None,
            "low": None,
            "high": None,
            "rows": rows,
            "reading": "Whether more rows would help is not known: there was no time for a learning curve.",
        }
    slope, least, most = (learning.get(name) for name in ("slope", "low", "high"))
    low, high = evaluation.intervals.get(metric.name, (0.0, 0.0))
    helps = slope > _WORTHWHILE * (high - low) / 2 and (least is None or least > 0)
    worth = "worth it" if helps else "hardly worth it"
    reading = f"{learning['reading']} Collecting more than the {rows:,} is {worth}."
    expected = {"expected_gain": max(slope, 0.0), "low": least, "high": most}
    return {"helps": helps, "slope": slope, **expected, "rows": rows, "reading": reading}


def advise(
    business: BusinessProblem,
    preparation: Preparation,
    evaluation: Evaluation,
    more_data: Mapping[str, Any],
) -> list[str]:
    """Return what to do next, a sentence each: rows and columns to collect, weak segments, unequal treatment."""
    advice = [str(more_data["reading"])]
    important = [row["column"] for row in evaluation.importance if row["importance"] > 2 * row["std"]][:3]
    if important:
        names = ", ".join(f"'{name}'" for name in important)
        advice.append(f"Collect more columns about what {names} describe: the model relies on them most.")
    holey = [name for name in important if _missing_share(preparation, name) > _MISSING]
    advice += [
        f"Fill '{name}' more often: it matters, and is missing in {_missing_share(preparation, name):.0%} of the rows."
        for name in holey
    ]
    advice += _weak_segment(evaluation)
    if evaluation.fitting.get("verdict") == "underfitting":
        advice.append("The columns say little about the target: look for others before tuning further.")
    return [*advice, *_unequal(evaluation), *_changing(business)]


def generalisation(preparation: Preparation, evaluation: Evaluation, metric: Metric) -> dict[str, Any]:
    """Compare the test part with the held-out rows: {held_out, test, holds, newest, reading}.

    `newest` tells that the test part is the newest data. `holds` is False where the held-out value is better by more
    than chance explains.
    """
    held_out, test = (evaluation.metrics[part].get(metric.name) for part in ("validation", "test"))
    if held_out is None or test is None or metric.name not in evaluation.intervals:
        return {}
    low, high = evaluation.intervals[metric.name]
    slack = test - low if metric.greater_is_better else high - test
    holds = sign(metric) * (held_out - test) <= _BEYOND_CHANCE * slack
    newest = "newest" in preparation.split
    what = "newest rows, the test part" if newest else "test part"
    verb = "holds up" if holds else "is worse than the held-out rows promised, beyond chance"
    reading = f"On the {what}, {metric.title} {verb}: {test:.4g} against {held_out:.4g}."
    return {"held_out": held_out, "test": test, "holds": holds, "newest": newest, "reading": reading}


def _missing_share(preparation: Preparation, name: str) -> float:
    column = preparation.frame[name]
    if column.dtype == pl.Binary:  # pictures, whose gaps are all 0
        return sum(not any(each) for each in column.to_list()) / max(1, len(column))
    return float((column.cast(pl.String).fill_null("") == "").to_numpy().mean()) if len(column) else 0.0


def _weak_segment(evaluation: Evaluation) -> list[str]:
    """Name the worst segment whose weakness the test part confirms."""
    return [
        f"The model is weakest where {worst['segment']} ({worst['rows']:,} test rows; {worst['reason']}): collect more "
        "such rows, and columns that tell them apart."
        for worst in evaluation.weak_segments[:1]
        if worst["confirmed"]
    ]


def _unequal(evaluation: Evaluation) -> list[str]:
    """Name the groups that are selected less often than the four-fifths rule allows, and whether beyond chance."""
    said = []
    large = [group for group in evaluation.sensitive_groups if group["rows"] >= _FEWEST_IN_GROUP]
    for group in large:
        impact = group.get("disparate_impact")
        if impact is not None and impact < _UNEQUAL:
            same = (other for other in large if other["column"] == group["column"])
            most = max(same, key=lambda other: float(other["selection_rate"]))
            low, high = group.get("disparate_impact_low"), group.get("disparate_impact_high")
            spread = "" if low is None or high is None else f" (95 % interval {low:.2f} to {high:.2f})"
            sure = "is below" if high is not None and high < _UNEQUAL else "may be below"
            said.append(
                f"Rows where '{group['column']}' is {group['group']} are selected {impact:.2f} times{spread} as often "
                f"as those where it is {most['group']} ({group['selection_rate']:.1%} against "
                f"{most['selection_rate']:.1%}; in truth {group['base_rate']:.1%} and {most['base_rate']:.1%}), "
                f"which {sure} {_UNEQUAL}: check whether that is fair before acting on it."
            )
    return said


def _changing(business: BusinessProblem) -> list[str]:
    if not business.charter.data_changes:
        return []
    return ["Watch the inputs for drift against baseline.json once the model is in use, as the data changes over time."]
