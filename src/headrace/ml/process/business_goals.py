"""Step 9, business goals: the threshold that earns the most, KPIs met or missed, go or no-go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation import Evaluation
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training


@dataclass(frozen=True)
class Threshold:
    """The decision threshold on the positive class's probability, chosen on held-out rows."""

    value: float
    chosen_by: str
    expected_value: float | None
    curve: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class BusinessGoals:
    """Step 9's record: `decision` is go, go-with-conditions or no-go.

    `kpis`: [{name, metric, bound, value, low, high, status: met | uncertain | missed}]. `expected_value` is money a decision on the test part, with its interval.
    """

    threshold: Threshold | None
    currency: str
    expected_value: Mapping[str, Any]
    kpis: tuple[Mapping[str, Any], ...]
    decision: str
    reasons: tuple[str, ...]
    conditions: tuple[str, ...]
    more_data: Mapping[str, Any]
    advice: tuple[str, ...]


def choose_threshold(
    business: BusinessProblem, framing: ProblemFraming, training: Training, preparation: Preparation
) -> Threshold | None:
    """Choose the threshold that earns the most by the charter's money, or the best F1 without; None unless binary."""
    raise NotImplementedError


def evaluate_business_goals(
    business: BusinessProblem,
    framing: ProblemFraming,
    preparation: Preparation,
    training: Training,
    evaluation: Evaluation,
    threshold: Threshold | None,
    *,
    predict_microseconds: float,
    seed: int,
) -> BusinessGoals:
    """Confirm the threshold on the test part, hold the KPIs' intervals against their bounds, and decide."""
    raise NotImplementedError


_ = (np, npt)
