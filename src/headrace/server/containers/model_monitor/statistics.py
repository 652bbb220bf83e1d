"""statistics.json: what each column held (AWS page: Schema for statistics)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from headrace.ml.monitoring.sketches import SKETCH_SIZE, Measured, NumberMeasures, Sketch, ValueType
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


def read_statistics(document: Any) -> tuple[dict[str, Sketch], dict[str, dict[str, int]]]:
    """Return the sketches of a baseline's columns of numbers, and the counted values of its others, by name.

    Raises AnalysisFailed.
    """
    sketches, categories = {}, {}
    try:
        for feature in document["features"]:
            kll = feature.get("numerical_statistics", {}).get("distribution", {}).get("kll", {})
            if "sketch" in kll:
                levels = kll["sketch"]["data"]
                sketches[feature["name"]] = Sketch(tuple(tuple(float(each) for each in level) for level in levels))
            counted = feature.get("string_statistics", {}).get("distribution", {}).get("categorical", {})
            if counted.get("buckets"):
                buckets = counted["buckets"]
                categories[feature["name"]] = {str(bucket["value"]): int(bucket["count"]) for bucket in buckets}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnalysisFailed(
            f"the baseline_statistics are no statistics.json ({error!r}); name the one of a baseline job"
        ) from None
    return sketches, categories


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
