"""What is asked for: costs, bounds and capacity, checked, and put in the place of what the charter says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from headrace.ml.applications.deciding.prices import merge_prices
from headrace.ml.errors import OptionError
from headrace.ml.metrics import METRICS, metric_name
from headrace.ml.metrics.money import Payoffs, UnitCosts
from headrace.ml.metrics.outcomes import RATES
from headrace.ml.process.business_goals.goal import MONEY, Bound, Goal
from headrace.ml.process.capacity import parse_capacity

LARGEST = 1e12
_OUTCOMES = ("true_positive", "false_positive", "false_negative", "true_negative")
_GIVEN = {
    "gain_tp": ("true_positive", 1.0),
    "cost_tp": ("true_positive", -1.0),
    "cost_fp": ("false_positive", -1.0),
    "cost_fn": ("false_negative", -1.0),
    "gain_tn": ("true_negative", 1.0),
}
_SHARES = frozenset(RATES) - {"mcc"}


@dataclass(frozen=True)
class Request:
    """What is to be decided by; what is None or empty stays as the run's charter has it.

    Amounts are money a decision (`cost_under`, `cost_over`: a unit of error), never negative. `costs`: actual class →
    decided class → money, `*` for every class. `at_least` and `at_most`: metric → bound. `capacity` is as in the
    charter, or `none` for no limit.
    """

    cost_fn: float | None = None
    cost_fp: float | None = None
    cost_tp: float | None = None
    gain_tp: float | None = None
    gain_tn: float | None = None
    cost_under: float | None = None
    cost_over: float | None = None
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    capacity: str | float | None = None
    rate: str | None = None
    currency: str | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse amounts and thresholds that mean nothing."""
        for name in (*_GIVEN, "cost_under", "cost_over"):
            _check_amount(name, getattr(self, name))
        if not all(isinstance(row, Mapping) for row in self.costs.values()):
            raise OptionError("costs are not actual → decided → money; write them as {'urgent': {'spam': 200}}")
        for actual, row in self.costs.items():
            for decided, amount in row.items():
                _check_amount(f"cost {actual}:{decided}", amount)
        if self.cost_tp is not None and self.gain_tp is not None:
            raise OptionError("--gain-tp and --cost-tp are given both; give what remains of the gain, or of the cost")
        if self.currency is not None and not (0 < len(self.currency) <= 20 and self.currency.isprintable()):
            raise OptionError(f"currency {self.currency[:30]!r} is no name of one; give one such as EUR")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise OptionError(f"threshold {self.threshold:g} is not a probability; give a number from 0 to 1")
        for bounds in (self.at_least, self.at_most):
            for metric, value in bounds.items():
                _check_bound(metric, value)

    @property
    def asked(self) -> dict[str, Any]:
        """What was given, by name."""
        return {name: value for name, value in vars(self).items() if value not in (None, {})}

    def goal(self, charter: Mapping[str, Any]) -> Goal:
        """Return what a threshold is chosen by: the run's charter (as report.json has it), and this in its place."""
        for name in ("cost_under", "cost_over"):
            if getattr(self, name) is not None:
                raise OptionError(
                    f"--{name.replace('_', '-')} is for predicted numbers, and this run decides yes or no; "
                    "give --cost-fn and --cost-fp"
                )
        if self.costs:
            raise OptionError(
                "--cost and --costs are for several classes, and this run decides yes or no; give --cost-fn and "
                "--cost-fp"
            )
        payoffs = _charter_payoffs(charter)
        for name, (outcome, sign) in _GIVEN.items():
            amount = getattr(self, name)
            if amount is not None:
                payoffs = replace(payoffs or Payoffs(), **{outcome: sign * amount})
        return Goal(
            payoffs=payoffs,
            currency=self.currency or str(charter.get("currency") or "USD"),
            bounds=self.bounds(charter.get("kpis") or ()),
            capacity=self._capacity(charter),
        )

    def unit_costs(self, charter: Mapping[str, Any]) -> UnitCosts | None:
        """Return what a unit of error costs; None where neither this nor the charter says so."""
        for name in (*_GIVEN, "threshold", "capacity", "at_least", "at_most"):
            if getattr(self, name) not in (None, {}):
                raise OptionError(
                    f"--{name.replace('_', '-')} is for yes/no decisions, and this run predicts a number; "
                    "give --cost-under and --cost-over"
                )
        if self.costs:
            raise OptionError(
                "--cost and --costs are for several classes, and this run predicts a number; give --cost-under and "
                "--cost-over"
            )
        found = charter.get("error_cost")
        if found is None and self.cost_under is None and self.cost_over is None:
            return None
        under, over = (float((found or {}).get(side) or 0.0) for side in ("under", "over"))
        return UnitCosts(
            under if self.cost_under is None else self.cost_under, over if self.cost_over is None else self.cost_over
        )

    def class_costs(self, charter: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
        """Return what each mistake costs, actual → decided → money: as the charter has it, and this in its place."""
        for name in (*_GIVEN, "cost_under", "cost_over", "threshold", "capacity", "rate", "at_least", "at_most"):
            if getattr(self, name) not in (None, {}):
                raise OptionError(
                    f"--{name.replace('_', '-')} is not for several classes, which this run decides among; "
                    "give --cost ACTUAL:PREDICTED=MONEY"
                )
        known = charter.get("costs") or {}
        if not known and not self.costs:
            raise OptionError(
                "nothing says what mistakes cost; give --cost ACTUAL:PREDICTED=MONEY, --costs FILE, or costs in the "
                "charter"
            )
        return merge_prices(known, self.costs)

    def bounds(self, kpis: Iterable[Mapping[str, Any]]) -> tuple[Bound, ...]:
        """Return the bounds that the threshold decides: the charter's, and those asked for in place of them."""
        asked = {*self.at_least, *self.at_most}
        kept = [k for k in kpis if k["metric"] in (*RATES, MONEY) and k["metric"] not in asked]
        return (
            *(Bound(k["metric"], k["minimum"], k["maximum"]) for k in kept),
            *(Bound(name, self.at_least.get(name), self.at_most.get(name)) for name in sorted(asked)),
        )

    def _capacity(self, charter: Mapping[str, Any]) -> Any:
        capacity = charter.get("capacity") if self.capacity is None else self.capacity
        rate = self.rate or charter.get("rate")
        if capacity is None and self.rate is not None:
            raise OptionError(f"--rate '{self.rate}' says how many rows arrive; add --capacity, such as '200 a week'")
        if capacity is None or str(capacity).strip().lower() == "none":
            return None
        try:
            return parse_capacity(capacity, rate)
        except ValueError as error:
            raise OptionError(f"capacity '{capacity}' {error}") from None


def parse_bounds(texts: Iterable[str], option: str) -> dict[str, float]:
    """Read `recall=0.8` or `share=20%` into metric → bound; `option` is named in errors."""
    found: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        percent = number.strip().endswith("%")
        try:
            value = float(number.strip().rstrip("%").replace(",", "")) / (100 if percent else 1)
        except ValueError:
            value = math.nan
        if not equals or not math.isfinite(value):
            raise OptionError(f"{option} '{text}' is no metric with its bound; write it as recall=0.8")
        found[metric_name(name)] = value
    return found


def _check_amount(name: str, amount: Any) -> None:
    if amount is None:
        return
    option = f"--{name.replace('_', '-')}"
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise OptionError(f"{option} {amount} is not an amount of money; give a number such as 1250.5")
    if amount < 0:
        raise OptionError(
            f"{option} {amount:g} is negative; write what is paid as a positive cost, what comes in as a gain"
        )
    if amount > LARGEST:
        raise OptionError(f"{option} {amount:g} is more than {LARGEST:g}; count in thousands or millions")


def _check_bound(metric: str, value: float) -> None:
    known = (*RATES, MONEY)
    if metric not in known:
        close = get_close_matches(metric, known, 1)
        said = f"did you mean {close[0]}" if close else f"use one of {', '.join(known)}"
        why = "does not depend on the threshold" if metric in METRICS else "is no metric"
        raise OptionError(f"'{metric}' {why}; {said}")
    if not math.isfinite(value):
        raise OptionError(f"the bound {value} of {metric} is not a number; write it as {metric}=0.8")
    if metric in _SHARES and not 0 <= value <= 1:
        raise OptionError(f"the bound {value:g} of {metric} is no share; write 0.8 or 80% for 80 %")


def _charter_payoffs(charter: Mapping[str, Any]) -> Payoffs | None:
    decisions = charter.get("decisions")
    if not decisions:
        return None
    return Payoffs(*(float(decisions[o]["earns"] or 0) - float(decisions[o]["costs"] or 0) for o in _OUTCOMES))
