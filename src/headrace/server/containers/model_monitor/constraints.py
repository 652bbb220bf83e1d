"""constraints.json: what a baseline suggests that later data satisfies (AWS page: Schema for constraints)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.ml.monitoring.sketches import Measured, ValueType, is_domain
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

THRESHOLDS = (
    ("", "datatype_check_threshold"),
    ("", "domain_content_threshold"),
    ("distribution_constraints", "comparison_threshold"),
    ("distribution_constraints", "categorical_comparison_threshold"),
)


def suggest_constraints(columns: Sequence[Measured], categorical_drift_method: str) -> dict[str, Any]:
    """Return the content of constraints.json that a dataset suggests."""
    chosen = {"distribution_constraints": {"categorical_drift_method": categorical_drift_method}}
    return {
        "version": VERSION,
        "features": [_suggested(column) for column in columns],
        "monitoring_config": _merged(MONITORING, chosen),
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
        return [_read_constraint(feature, options) for feature in document["features"]], options
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnalysisFailed(
            f"the baseline_constraints are no constraints.json ({error!r}); name the one of a baseline job"
        ) from None


def _read_constraint(feature: Mapping[str, Any], options: Mapping[str, Any]) -> Constraint:
    own = _merged(options, feature.get("monitoringConfigOverrides") or {})
    for place, name in THRESHOLDS:
        where = own[place] if place else own
        where[name] = float(where[name])
    completeness = feature.get("completeness")
    return Constraint(
        str(feature["name"]),
        ValueType(feature["inferred_type"]),
        None if completeness is None else float(completeness),
        tuple(map(str, (feature.get("string_constraints") or {}).get("domains") or ())),
        own,
    )


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
    """Return options with others over them, at every depth; nothing in it is shared."""
    merged = {name: _merged(value, {}) if isinstance(value, dict) else value for name, value in below.items()}
    for name, value in above.items():
        merged[name] = _merged(merged.get(name) or {}, value) if isinstance(value, dict) else value
    return merged
