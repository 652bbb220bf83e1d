"""What a threshold is chosen by: money, the KPIs that it decides, and how much can be acted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headrace.ml.metrics import Values, interval
from headrace.ml.metrics.money import Payoffs, UnitCosts
from headrace.ml.metrics.outcomes import RATES, Outcomes
from headrace.ml.process.capacity import Capacity, parse_capacity

if TYPE_CHECKING:
    from headrace.ml.process.business_problem import Charter, Decisions

MONEY = "expected_value"
Allowed = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bound:
    """A KPI that the threshold decides: `metric` is a name of `RATES` or `expected_value`."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None

    def __str__(self) -> str:
        sides = [("at least", self.minimum), ("at most", self.maximum)]
        return f"{self.metric.replace('_', ' ')} " + " and ".join(f"{w} {v:g}" for w, v in sides if v is not None)

    def allows(self, low: Values, high: Values) -> Allowed:
        """Whether the whole range from `low` to `high` lies within the bounds."""
        passes = np.isfinite(low) & np.isfinite(high)
        if self.minimum is not None:
            passes &= low >= self.minimum
        if self.maximum is not None:
            passes &= high <= self.maximum
        return passes


@dataclass(frozen=True)
class Goal:
    """Money of each outcome (None without), its currency, the bounds to be kept, and the capacity."""

    payoffs: Payoffs | None = None
    currency: str = "USD"
    bounds: tuple[Bound, ...] = ()
    capacity: Capacity | None = None

    def worth(self, outcomes: Outcomes) -> Values:
        """Return what is to be made most of: money a decision, or F1 without money."""
        return outcomes.rate("f1") if self.payoffs is None else outcomes.money(self.payoffs)

    def figure(self, metric: str, outcomes: Outcomes) -> Values | None:
        """Return a bound's metric [..., thresholds]; None for money where there is none."""
        if metric != MONEY:
            return outcomes.rate(metric)
        return None if self.payoffs is None else outcomes.money(self.payoffs)

    def within_capacity(self, outcomes: Outcomes) -> Allowed:
        """Whether no more rows are acted on than the capacity allows."""
        share = 1.0 if self.capacity is None else self.capacity.share
        return np.asarray(outcomes.acted <= share * outcomes.rows * (1 + 1e-9))

    def meets(self, outcomes: Outcomes, resamples: Outcomes | None = None) -> Allowed:
        """Whether every bound is kept at each threshold: by its value, or with `resamples` by its 95 % interval."""
        passes: Allowed = np.ones(len(outcomes.thresholds), dtype=bool)
        for bound in self.bounds:
            values = self.figure(bound.metric, outcomes if resamples is None else resamples)
            if values is not None:
                ends = (values, values) if resamples is None else band(values)
                passes &= bound.allows(*ends)
        return passes


def band(replicates: Values) -> tuple[Values, Values]:
    """Return the 95 % interval of each column of bootstrap values [replicates, thresholds]."""
    if np.isfinite(replicates).all():
        low, high = np.percentile(replicates, [2.5, 97.5], axis=0)
        return low, high
    ends = np.array([interval(column) for column in replicates.T]).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def goal_of(charter: Charter) -> Goal:
    """Return what the charter's threshold is chosen by."""
    bounds = tuple(Bound(kpi.metric, kpi.minimum, kpi.maximum) for kpi in charter.kpis if kpi.metric in (*RATES, MONEY))
    return Goal(
        payoffs=payoffs_of(charter.decisions),
        currency=charter.currency,
        bounds=bounds,
        capacity=None if charter.capacity is None else parse_capacity(charter.capacity, charter.rate),
    )


def unit_costs_of(charter: Charter) -> UnitCosts | None:
    """Return what a unit of error costs, of predicted numbers; None where the charter does not say."""
    given = charter.error_cost
    return None if given is None else UnitCosts(given.under, given.over)


def payoffs_of(decisions: Decisions | None) -> Payoffs | None:
    """Return the money that each outcome gains."""
    if decisions is None:
        return None
    return Payoffs(
        decisions.true_positive.value,
        decisions.false_positive.value,
        decisions.false_negative.value,
        decisions.true_negative.value,
    )
