"""How each column, and the target along it, is distributed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets.association import category_codes
from headrace.ml.process.exploration.statistics import finite
from headrace.ml.process.problem_framing import ProblemFraming

_BINS = 30
_TARGET_BINS = 10
_VALUES = 20
_LONGEST = 60
OTHER = "(other)"


def describe_target(target: npt.NDArray[Any], framing: ProblemFraming) -> dict[str, Any]:
    """Describe the target of the training part: its classes, or its statistics and histogram."""
    if framing.task in CLASSIFICATION:
        counts = np.bincount(target, minlength=len(framing.classes))
        classes = [
            {"value": name, "count": int(count), "share": float(count / max(len(target), 1))}
            for name, count in zip(framing.classes, counts, strict=True)
        ]
        return {"name": framing.target, "kind": "classes", "classes": classes}
    values = pl.Series(target)
    quartiles = [float(q) for q in np.quantile(target, [0.25, 0.5, 0.75])]
    facts: dict[str, Any] = {
        "count": len(target),
        "mean": finite(values.mean()),
        "std": finite(values.std()),
        "minimum": finite(values.min()),
    }
    facts |= {"maximum": finite(values.max()), "quartiles": quartiles, "skew": finite(values.skew())}
    return {"name": framing.target, "kind": "values", "statistics": facts, "histogram": _number_bins(target)}


def histograms(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Count the values of every column: up to 30 equal bins for numbers, the 20 most frequent values for text."""
    result: dict[str, list[dict[str, Any]]] = {}
    for name, kind in frame.schema.items():
        if kind == pl.Float64:
            result[name] = _number_bins(frame[name].drop_nulls().to_numpy())
        else:
            codes, values = _text_codes(frame[name])
            counts = np.bincount(codes, minlength=len(values))
            result[name] = [{"value": value, "count": int(count)} for value, count in zip(values, counts, strict=True)]
    return result


def _number_bins(values: npt.NDArray[Any]) -> list[dict[str, Any]]:
    if not len(values):
        return []
    distinct = np.unique(values[:1000])
    bins = min(_BINS, max(1, len(distinct)))
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = float(values.min()), float(values.max())
        if not np.isfinite(high - low) or (low + (high - low) / bins in (low, high) and low < high and bins > 1):
            return [{"start": finite(low), "end": finite(high), "count": len(values)}]
        counts, edges = np.histogram(values, bins=bins)
    return [
        {"start": float(a), "end": float(b), "count": int(n)} for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]


def _text_codes(values: pl.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number the values by falling frequency, all but the 20 most frequent together; returns codes and names."""
    codes = category_codes(values)
    first = np.unique(codes, return_index=True)[1]
    names = [values[int(i)] or "" for i in first]
    counts = np.bincount(codes)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(counts), dtype=np.int64)
    place[order] = np.arange(len(counts))
    ranked = [str(names[i])[:_LONGEST] for i in order[:_VALUES]]
    coded = np.minimum(place[codes], _VALUES)
    return coded, ranked + ([OTHER] if len(counts) > _VALUES else [])


def target_by_feature(
    frame: pl.DataFrame, target: npt.NDArray[Any], framing: ProblemFraming
) -> dict[str, list[dict[str, Any]]]:
    """Follow the target along every column: 10 quantile bins of numbers, the 20 most frequent values of text."""
    return {
        name: _along_numbers(frame[name], target, framing)
        if kind == pl.Float64
        else _along_text(frame[name], target, framing)
        for name, kind in frame.schema.items()
    }


def _along_numbers(values: pl.Series, target: npt.NDArray[Any], framing: ProblemFraming) -> list[dict[str, Any]]:
    numbers = values.fill_null(float("nan")).to_numpy()
    given = ~np.isnan(numbers)
    entries: list[dict[str, Any]] = []
    if given.any():
        edges = np.unique(np.quantile(numbers[given], np.linspace(0, 1, _TARGET_BINS + 1)))
        codes = np.clip(np.searchsorted(edges, numbers[given], side="right") - 1, 0, max(len(edges) - 2, 0))
        for code in np.unique(codes):
            inside = numbers[given][codes == code]
            summary = _summary(target[given][codes == code], framing)
            entries.append({"start": float(inside.min()), "end": float(inside.max()), **summary})
    if not given.all():
        entries.append({"value": "", **_summary(target[~given], framing)})
    return entries


def _along_text(values: pl.Series, target: npt.NDArray[Any], framing: ProblemFraming) -> list[dict[str, Any]]:
    codes, names = _text_codes(values)
    return [{"value": name, **_summary(target[codes == code], framing)} for code, name in enumerate(names)]


def _summary(target: npt.NDArray[Any], framing: ProblemFraming) -> dict[str, Any]:
    if framing.task is Task.MULTICLASS:
        counts = np.bincount(target, minlength=len(framing.classes))
        most = int(counts.argmax())
        return {
            "count": len(target),
            "target": float(counts[most] / max(len(target), 1)),
            "class": framing.classes[most],
        }
    return {"count": len(target), "target": finite(target.mean()) if len(target) else None}
