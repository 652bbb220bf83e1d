"""Holding what was measured against the charter's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Target, Task
from headrace.ml.metrics import METRICS
from headrace.ml.metrics.unlabelled import UNLABELLED
from headrace.ml.process.business_goals.findings import MET, MISSED, UNCERTAIN

if TYPE_CHECKING:
    from headrace.ml.process.business_problem import BusinessProblem, Charter
    from headrace.ml.process.evaluation import Evaluation

FEWEST_TEST_ROWS = 30
FEWEST_TEST_ROWS_OF_CLASS = 10


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
    charter, found = business.charter, []
    for kpi in charter.kpis:
        measured = money
        if kpi.metric in METRICS or kpi.metric in UNLABELLED:
            low, high = evaluation.intervals.get(kpi.metric, (None, None))
            measured = {"value": evaluation.metrics["test"].get(kpi.metric), "low": low, "high": high}
        found.append(hold_kpi(kpi.name, kpi.metric, kpi.minimum, kpi.maximum, measured, small=bool(small)))
    for name, metric, value, limit in _limits(charter, predict_microseconds):
        if limit is not None:
            found.append(_row(name, metric, None, limit, {"value": value}, MET if value <= limit else MISSED))
    return found


def hold_kpi(
    name: str,
    metric: str,
    minimum: float | None,
    maximum: float | None,
    measured: Mapping[str, Any],
    *,
    small: bool,
) -> dict[str, Any]:
    """Return one row of `hold_kpis`; `measured` is {value, low, high}, empty where nothing could be measured."""
    value, low, high = (measured.get(key) for key in ("value", "low", "high"))
    least = -np.inf if minimum is None else minimum
    most = np.inf if maximum is None else maximum
    status = MISSED
    if value is not None and least <= value <= most:
        sure = low is not None and high is not None and least <= low and high <= most
        status = MET if sure and not small else UNCERTAIN
    others = {"expected_value": "Expected value a decision", "share": "Share of rows acted on"}
    judged = METRICS.get(metric) or UNLABELLED.get(metric)
    title = judged.title if judged else others.get(metric, metric)
    return _row(name or title, metric, minimum, maximum, measured, status)


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
    cost = cost_per_1000(charter, predict_microseconds)
    return [
        ("Latency of one prediction", "latency_ms", predict_microseconds / 1000, charter.latency_limit_ms),
        ("Computing cost of 1,000 predictions", "cost_per_1000", cost, charter.cost_limit_per_1000),
    ]


def _row(
    name: str, metric: str, minimum: float | None, maximum: float | None, measured: Mapping[str, Any], status: str
) -> dict[str, Any]:
    bound = {"minimum": minimum, "maximum": maximum}
    figures = {key: measured.get(key) for key in ("value", "low", "high")}
    return {"name": name, "metric": metric, "bound": bound, **bound, **figures, "status": status}
