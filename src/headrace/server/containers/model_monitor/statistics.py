"""statistics.json: what each column held (AWS page: Schema for statistics)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.monitoring import SKETCH_SIZE, Measured, NumberMeasures, Sketch, ValueType
from headrace.server.containers.model_monitor.request import AnalysisFailed

VERSION = 0.0
SHRINKING = 0.64
NUMERIC = (ValueType.INTEGRAL, ValueType.FRACTIONAL)


def render_statistics(columns: Sequence[Measured], rows: int) -> dict[str, Any]:
    """Return the content of statistics.json."""
    return {
        "version": VERSION,
        "dataset": {"item_count": rows},
        "features": [_feature(column) for column in columns],
    }


def read_sketches(statistics: Mapping[str, Any]) -> dict[str, Sketch]:
    """Return the sketches of the columns that are numbers, by name; raises AnalysisFailed."""
    return {
        feature["name"]: Sketch(tuple(tuple(float(each) for each in level) for level in kll["sketch"]["data"]))
        for feature, kll in _distributions(statistics, "numerical_statistics", "kll")
        if "sketch" in kll
    }


def read_categories(statistics: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return how often each value occurred in the columns of which this was kept; raises AnalysisFailed."""
    return {
        feature["name"]: {str(bucket["value"]): int(bucket["count"]) for bucket in categorical["buckets"]}
        for feature, categorical in _distributions(statistics, "string_statistics", "categorical")
    }


def _distributions(statistics: Mapping[str, Any], kind: str, way: str) -> list[tuple[Mapping[str, Any], Any]]:
    try:
        return [
            (feature, feature[kind]["distribution"][way])
            for feature in statistics["features"]
            if way in feature.get(kind, {}).get("distribution", {})
        ]
    except (KeyError, TypeError, AttributeError):
        raise AnalysisFailed(
            "the baseline_statistics are not those of a baseline job; name its statistics.json"
        ) from None


def _feature(column: Measured) -> dict[str, Any]:
    common = {"common": {"num_present": column.present, "num_missing": column.missing}}
    shown: dict[str, Any] = {"name": column.name, "inferred_type": column.type.value}
    if column.type in NUMERIC and column.numbers is not None:
        return {**shown, "numerical_statistics": {**common, **_numbers(column.numbers)}}
    strings: dict[str, Any] = {**common, "distinct_count": float(column.distinct)}
    if column.categories:
        buckets = [{"value": value, "count": count} for value, count in column.categories.items()]
        strings["distribution"] = {"categorical": {"buckets": buckets}}
    return {**shown, "string_statistics": strings}


def _numbers(numbers: NumberMeasures) -> dict[str, Any]:
    return {
        **{name: _finite(getattr(numbers, name)) for name in ("mean", "sum", "std_dev", "min", "max")},
        "distribution": {
            "kll": {
                "buckets": [
                    {"lower_bound": low, "upper_bound": high, "count": count}
                    for low, high, count in numbers.sketch.buckets()
                ],
                "sketch": {
                    "parameters": {"c": SHRINKING, "k": float(SKETCH_SIZE)},
                    "data": [list(level) for level in numbers.sketch.levels],
                },
            }
        },
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
