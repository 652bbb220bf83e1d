"""Step 1, the business problem: the charter, and whether machine learning is the right tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Outcome(BaseModel):
    """What one kind of decision earns and costs, in money; both are at least zero."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    earns: float = 0.0
    costs: float = 0.0


class Decisions(BaseModel):
    """The money of each outcome of a yes/no decision."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    true_positive: Outcome = Outcome()
    false_positive: Outcome = Outcome()
    true_negative: Outcome = Outcome()
    false_negative: Outcome = Outcome()


class ErrorCost(BaseModel):
    """What a unit of error costs when the prediction is too low (under) or too high (over); regression."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    under: float = 0.0
    over: float = 0.0


class Kpi(BaseModel):
    """A measure of success with its bound: `metric` is a name of ml/metrics.py or `expected_value` (money a decision)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: str
    minimum: float | None = None
    maximum: float | None = None
    name: str = ""


class Charter(BaseModel):
    """The goal, in business words and numbers; the YAML file's keys are these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    problem: str = ""
    current_state: str = ""
    pain_points: tuple[str, ...] = ()
    impact: str = ""
    kpis: tuple[Kpi, ...] = ()
    positive_class: str | None = None
    decisions: Decisions | None = None
    error_cost: ErrorCost | None = None
    currency: str = "USD"
    latency_limit_ms: float | None = None
    cost_limit_per_1000: float | None = None
    excluded_columns: tuple[str, ...] = ()
    sensitive_columns: tuple[str, ...] = ()
    interpretability: str = "none"  # none | preferred | required
    complex_logic: bool = True
    scale: bool = True
    personalisation: bool = False
    responsiveness: bool = False
    fixed_rule_is_enough: bool = False
    data_changes: bool = True
    requires_full_accuracy: bool = False


@dataclass(frozen=True)
class BusinessProblem:
    """The charter, what of it was assumed, and the verdict with its reasons.

    `verdict` is `use ml`, `use interpretable ml` or `do not use ml`; `timeline` is weeks a phase.
    """

    charter: Charter
    assumed: tuple[str, ...]
    verdict: str
    reasons: tuple[str, ...]
    timeline: tuple[tuple[str, float], ...] = ()


def define_business_problem(charter: Path | Charter | None) -> BusinessProblem:
    """Read and check the charter, and judge whether machine learning fits."""
    raise NotImplementedError
