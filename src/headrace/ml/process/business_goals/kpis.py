"""Holding what was measured against the charter's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Target, Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.business_problem import BusinessProblem, Charter, Kpi
from headrace.ml.process.evaluation import Evaluation

FEWEST_TEST_ROWS = 30
FEWEST_TEST_ROWS_OF_CLASS = 10

MET, UNCERTAIN, MISSED = "met", "uncertain", "missed"


def hold_kpis(
    business: BusinessProblem,
    evaluation: Evaluation,
    money: Mapping[str, Any],
    *,
    predict_microseconds: float,
    small: str,
) -> list[dict[str, Any]]:
    """Return {name, metric, bound, minimum, maximum, value, low, high, status} for each KPI and limit of the charter.

    `met` means that the whole interval lies within the bounds, `uncertain` that only the value does (or that the test
    part is `small`), `missed` that the value does not, or could not be measured. Limits have no interval.
    """
    charter = business.charter
    found = [_hold(kpi, evaluation, money, uncertain=bool(small)) for kpi in charter.kpis]
    for name, metric, value, limit in _limits(charter, predict_microseconds):
        if limit is not None:
            status = MET if value <= limit else MISSED
            found.append(_row(name, metric, None, limit, value, None, None, status))
    return found


def too_small(task: Task, target: Target) -> str:
    """Say why the test part is too small for intervals to be trusted; "" where it is large enough."""
    if len(target) < FEWEST_TEST_ROWS:
        return f"the test part has only {len(target)} rows"
    if task in CLASSIFICATION:
        fewest = int(np.unique(target, return_counts=True)[1].min())
        if fewest < FEWEST_TEST_ROWS_OF_CLASS and task is Task.BINARY:
            return f"the test part has only {fewest} rows of one class"
    return ""


def cost_per_1000(charter: Charter, predict_microseconds: float) -> float:
    """Return what the computing of 1,000 predictions costs, in the charter's currency."""
    return predict_microseconds * 1000 / 3.6e9 * charter.compute_price_per_hour


def _limits(charter: Charter, predict_microseconds: float) -> list[tuple[str, str, float, float | None]]:
    return [
        ("Latency of one prediction", "latency_ms", predict_microseconds / 1000, charter.latency_limit_ms),
        (
            "Computing cost of 1,000 predictions",
            "cost_per_1000",
            cost_per_1000(charter, predict_microseconds),
            charter.cost_limit_per_1000,
        ),
    ]


def _hold(kpi: Kpi, evaluation: Evaluation, money: Mapping[str, Any], *, uncertain: bool) -> dict[str, Any]:
    if kpi.metric in METRICS:
        value = evaluation.metrics["test"].get(kpi.metric)
        low, high = evaluation.intervals.get(kpi.metric, (None, None))
    else:
        value, low, high = (money.get(key) for key in ("value", "low", "high"))
    minimum = -np.inf if kpi.minimum is None else kpi.minimum
    maximum = np.inf if kpi.maximum is None else kpi.maximum
    status = MISSED
    if value is not None and minimum <= value <= maximum:
        sure = low is not None and high is not None and minimum <= low and high <= maximum
        status = MET if sure and not uncertain else UNCERTAIN
    title = METRICS[kpi.metric].title if kpi.metric in METRICS else "Expected value a decision"
    return _row(kpi.name or title, kpi.metric, kpi.minimum, kpi.maximum, value, low, high, status)


def _row(
    name: str,
    metric: str,
    minimum: float | None,
    maximum: float | None,
    value: float | None,
    low: float | None,
    high: float | None,
    status: str,
) -> dict[str, Any]:
    bound = {"minimum": minimum, "maximum": maximum}
    return {"name": name, "metric": metric, "bound": bound, **bound, "value": value, "low": low, "high": high} | {
        "status": status
    }
