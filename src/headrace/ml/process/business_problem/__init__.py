"""Step 1, the business problem: the charter, and whether machine learning is the right tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headrace.ml.process.business_problem.charter import Charter, Decisions, ErrorCost, Kpi, Outcome
from headrace.ml.process.business_problem.reading import read_charter
from headrace.ml.process.business_problem.template import write_charter_template
from headrace.ml.process.business_problem.timeline import estimate_timeline
from headrace.ml.process.business_problem.verdict import DO_NOT_USE_ML, USE_INTERPRETABLE_ML, USE_ML, judge

__all__ = [
    "DO_NOT_USE_ML",
    "USE_INTERPRETABLE_ML",
    "USE_ML",
    "BusinessProblem",
    "Charter",
    "Decisions",
    "ErrorCost",
    "Kpi",
    "Outcome",
    "define_business_problem",
    "estimate_timeline",
    "read_charter",
    "write_charter_template",
]

_ASSUMPTIONS = {
    "kpis": "Success was not defined: beating the baseline counts as success.",
    "decisions": "No money was given for right and wrong decisions: quality is judged by metrics alone.",
    "sensitive_columns": "No sensitive columns were named: groups are not compared.",
    "excluded_columns": "No columns were forbidden: every column but the target may be used.",
    "interpretability": "Interpretability was not asked for: any kind of model may be chosen.",
    "latency_limit_ms": "No latency limit was given: any speed of prediction is accepted.",
    "compute_price_per_hour": "Computing was assumed to cost {compute_price_per_hour:g} {currency} an hour.",
}


@dataclass(frozen=True)
class BusinessProblem:
    """The charter, what of it was assumed, and the verdict with its reasons.

    `verdict` is `use ml`, `use interpretable ml` or `do not use ml`; `timeline` is weeks a phase, empty until the data
    has been seen (see `estimate_timeline`).
    """

    charter: Charter
    assumed: tuple[str, ...]
    verdict: str
    reasons: tuple[str, ...]
    timeline: tuple[tuple[str, float], ...] = ()


def define_business_problem(charter: Path | str | Charter | None) -> BusinessProblem:
    """Read and check the charter, and judge whether machine learning fits; raise `CharterError` if it is not valid.

    >>> define_business_problem(Charter(fixed_rule_is_enough=True)).verdict
    'do not use ml'
    """
    found = charter if isinstance(charter, Charter) else Charter() if charter is None else read_charter(Path(charter))
    assumed = ("No charter was given: every answer is the default one.",) if charter is None else ()
    verdict, reasons = judge(found)
    return BusinessProblem(charter=found, assumed=(*assumed, *_assumed(found)), verdict=verdict, reasons=reasons)


def _assumed(charter: Charter) -> tuple[str, ...]:
    given = charter.model_fields_set | ({"decisions"} if charter.error_cost is not None or charter.costs else set())
    values = charter.model_dump(include={"compute_price_per_hour", "currency"})
    return tuple(sentence.format(**values) for key, sentence in _ASSUMPTIONS.items() if key not in given)
