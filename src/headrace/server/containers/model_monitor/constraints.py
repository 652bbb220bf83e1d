"""constraints.json: what a baseline suggests that later data satisfies (AWS page: Schema for constraints)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.ml.monitoring import Measured, ValueType, is_domain
from headrace.server.containers.model_monitor.request import AnalysisFailed
from headrace.server.containers.model_monitor.statistics import NUMERIC, VERSION

DISTRIBUTION = {
    "perform_comparison": "Enabled",
    "comparison_threshold": 0.1,
    "comparison_method": "Robust",
    "categorical_comparison_threshold": 0.1,
    "categorical_drift_method": "LInfinity",
}
MONITORING = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": DISTRIBUTION,
}


def suggest_constraints(columns: Sequence[Measured]) -> dict[str, Any]:
    """Return the content of constraints.json that a dataset suggests."""
    return {
        "version": VERSION,
        "features": [_suggested(column) for column in columns],
        "monitoring_config": MONITORING,
    }


@dataclass(frozen=True)
class Constraint:
    """What one feature has to satisfy; `options` are the monitoring_config with the feature's own overrides."""

    name: str
    type: ValueType
    completeness: float | None
    domain: tuple[str, ...]
    options: Mapping[str, Any]


def read_constraints(document: Any) -> tuple[list[Constraint], Mapping[str, Any]]:
    """Return the constraints of a document, with the monitoring_config completed; raises AnalysisFailed."""
    try:
        options = _merged(MONITORING, document.get("monitoring_config") or {})
        return [
            Constraint(
                feature["name"],
                ValueType(feature["inferred_type"]),
                feature.get("completeness"),
                tuple((feature.get("string_constraints") or {}).get("domains") or ()),
                _merged(options, feature.get("monitoringConfigOverrides") or {}),
            )
            for feature in document["features"]
        ], options
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnalysisFailed(
            f"the baseline_constraints are no constraints.json ({error!r}); name the one of a baseline job"
        ) from None


def _suggested(column: Measured) -> dict[str, Any]:
    feature: dict[str, Any] = {
        "name": column.name,
        "inferred_type": column.type.value,
        "completeness": column.completeness,
    }
    if column.type in NUMERIC and column.numbers is not None:
        feature["num_constraints"] = {"is_non_negative": column.numbers.min >= 0}
    elif column.type is ValueType.STRING and is_domain(column.categories):
        feature["string_constraints"] = {"domains": list(column.categories)}
    return feature


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **below,
        **{
            name: _merged(below[name], value)
            if isinstance(value, dict) and isinstance(below.get(name), dict)
            else value
            for name, value in above.items()
        },
    }
