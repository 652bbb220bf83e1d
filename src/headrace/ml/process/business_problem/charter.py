"""The charter: the goal of a project in business words and numbers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from headrace.ml.metrics import METRICS, metric_name
from headrace.ml.metrics.unlabelled import UNLABELLED
from headrace.ml.process.capacity import parse_capacity
from headrace.ml.tables.names import suggest

EXPECTED_VALUE = "expected_value"

_SHARES = frozenset(METRICS) - {"log_loss", "rmse", "mae", "mape", "median_absolute_error"}


def _as_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is not a number; write one such as 1250.5")
    return value


def _as_label(value: object) -> object:
    return str(value) if isinstance(value, int | float) else value


def _as_sequence(value: object) -> object:
    return () if value is None else (value,) if isinstance(value, str | int | float) else value


def _as_metric(value: object) -> object:
    if not isinstance(value, str):
        return value
    name = metric_name(value)
    known = (*METRICS, *UNLABELLED, EXPECTED_VALUE)
    if name not in known:
        raise ValueError(f"is not a metric{suggest(name, known) or '; use one of ' + ', '.join(known)}")
    return name


Number = Annotated[float, BeforeValidator(_as_number), Field(allow_inf_nan=False)]
Amount = Annotated[Number, Field(ge=0, le=1e12)]
Label = Annotated[str, BeforeValidator(_as_label)]
Labels = Annotated[tuple[Label, ...], BeforeValidator(_as_sequence)]
ClassCosts = dict[Label, dict[Label, Amount]]
"""Actual class → decided class → money; `*` stands for every class."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        """Leave out keys without a value, so that their defaults hold."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


class Outcome(_Part):
    """What one kind of decision earns and costs, in money; both are at least zero."""

    earns: Amount = 0.0
    costs: Amount = 0.0

    @property
    def value(self) -> float:
        """Money gained by it, negative where it loses."""
        return self.earns - self.costs


class Decisions(_Part):
    """The money of each outcome of a yes/no decision."""

    true_positive: Outcome = Outcome()
    false_positive: Outcome = Outcome()
    true_negative: Outcome = Outcome()
    false_negative: Outcome = Outcome()


class ErrorCost(_Part):
    """What a unit of error costs when the prediction is too low (under) or too high (over); regression."""

    under: Amount = 0.0
    over: Amount = 0.0


class Kpi(_Part):
    """A measure of success with its bound: `metric` is a name of ml/metrics or `expected_value` (money a decision)."""

    metric: Annotated[str, BeforeValidator(_as_metric)]
    minimum: Number | None = None
    maximum: Number | None = None
    name: Label = ""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("has no bound; add minimum or maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"has minimum {self.minimum:g} above maximum {self.maximum:g}; swap or correct them")
        if self.metric in _SHARES and self.minimum is not None and self.minimum > 1:
            raise ValueError(
                f"asks for {self.metric} of at least {self.minimum:g}, which never exceeds 1; write 0.8 for 80 %"
            )
        return self


class Charter(_Part):
    """The goal, in business words and numbers; the YAML file's keys are these fields."""

    problem: Label = ""
    current_state: Label = ""
    pain_points: Labels = ()
    impact: Label = ""
    kpis: tuple[Kpi, ...] = ()
    positive_class: Label | None = None
    decisions: Decisions | None = None
    error_cost: ErrorCost | None = None
    costs: ClassCosts = Field(default_factory=dict)
    capacity: Label | None = None
    rate: Label | None = None
    currency: Label = "USD"
    latency_limit_ms: Annotated[Number, Field(gt=0)] | None = None
    cost_limit_per_1000: Amount | None = None
    compute_price_per_hour: Amount = 0.1
    excluded_columns: Labels = ()
    sensitive_columns: Labels = ()
    interpretability: Literal["none", "preferred", "required"] = "none"
    complex_logic: bool = True
    scale: bool = True
    personalisation: bool = False
    responsiveness: bool = False
    fixed_rule_is_enough: bool = False
    data_changes: bool = True
    requires_full_accuracy: bool = False

    @model_validator(mode="after")
    def _money(self) -> Self:
        money = self.decisions is not None or self.error_cost is not None or self.costs
        if not money and any(k.metric == EXPECTED_VALUE for k in self.kpis):
            raise ValueError("has a KPI on expected_value but no money; add decisions, costs or error_cost")
        return self

    @model_validator(mode="after")
    def _capacity(self) -> Self:
        if self.rate is not None and self.capacity is None:
            raise ValueError(
                f"has the rate '{self.rate}' but no capacity; add one, such as 200 a week, or leave it out"
            )
        if self.capacity is not None:
            try:
                parse_capacity(self.capacity, self.rate)
            except ValueError as error:
                raise ValueError(f"has '{self.capacity}' as 'capacity', which {error}") from None
        return self
