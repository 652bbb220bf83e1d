"""Statistics of every column, and its outliers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.datasets.association import Relevance
from headrace.ml.tables.columns import Column

_TOP = 10
_FENCE = 1.5
_ROBUST_Z = 3.5
_TO_STANDARD = 0.6745
_LONGEST = 60
_FEWEST_ROWS = 20
_EMPTY = ("mean", "std", "minimum", "quartiles", "maximum", "skew", "outliers", "top")


def finite(value: Any) -> float | None:
    """Return a float that JSON can hold, or None."""
    number = float("nan") if value is None else float(value)
    return number if math.isfinite(number) else None


def describe_columns(
    frame: pl.DataFrame, columns: Sequence[Column], relevance: Mapping[str, Relevance], private: frozenset[str]
) -> tuple[dict[str, Any], ...]:
    """Describe every column as `Exploration.columns` documents; values of `private` columns stay out."""
    distinct = dict(zip(frame.columns, frame.select(pl.all().drop_nulls().n_unique()).row(0), strict=True))
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    described = _describe_numbers(frame.select(numbers))
    for name in frame.columns:
        if name not in described:
            described[name] = _describe_text(frame[name], private=name in private)
            distinct[name] -= int(described[name]["missing"] > 0)
    result = []
    for column in columns:
        facts = described[column.name]
        if column.name in private:
            facts |= dict.fromkeys(("mean", "std", "minimum", "quartiles", "maximum", "top"))
        result.append(
            {"name": column.name, "kind": str(column.kind), "distinct": distinct[column.name], **facts}
            | {"relevance": round(relevance[column.name].value, 6), "measure": relevance[column.name].measure}
            | {"private": column.name in private}
        )
    return tuple(result)


def _describe_numbers(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Describe all numbers at once.

    Outliers by Tukey's fences (1977) and by the modified z-score of Iglewicz and Hoaglin (1993).
    """
    if not frame.width:
        return {}
    every = pl.all()
    means, stds, skews = (frame.select(e).row(0) for e in (every.mean(), every.std(), every.skew()))
    lows, highs, counts = (frame.select(e).row(0) for e in (every.min(), every.max(), every.count()))
    quartiles = [frame.select(every.quantile(q, "linear")).row(0) for q in (0.25, 0.5, 0.75)]
    q1, median, q3 = (np.array([math.nan if v is None else v for v in row]) for row in quartiles)
    fences, robust = _count_outliers(frame, q1, median, q3)
    return {
        name: {
            "count": counts[i],
            "missing": frame.height - counts[i],
            "mean": finite(means[i]),
            "std": finite(stds[i]),
            "minimum": finite(lows[i]),
            "quartiles": None if not counts[i] else [finite(q1[i]), finite(median[i]), finite(q3[i])],
            "maximum": finite(highs[i]),
            "skew": finite(skews[i]),
            "outliers": {"interquartile": int(fences[i]), "robust_z": int(robust[i])},
            "top": None,
        }
        for i, name in enumerate(frame.columns)
    }


def _count_outliers(
    frame: pl.DataFrame, q1: npt.NDArray[np.float64], median: npt.NDArray[np.float64], q3: npt.NDArray[np.float64]
) -> tuple[list[int], list[int]]:
    reach = _FENCE * (q3 - q1)
    names = [name for name, value in zip(frame.columns, q1, strict=True) if not math.isnan(value)]
    place = {name: i for i, name in enumerate(frame.columns)}
    away = frame.select((pl.col(name) - median[place[name]]).abs() for name in names)
    deviation = dict(zip(names, away.median().row(0), strict=True)) if names else {}
    fences, robust = [0] * frame.width, [0] * frame.width
    if not names:
        return fences, robust
    beyond = frame.select(
        ((pl.col(n) < q1[place[n]] - reach[place[n]]) | (pl.col(n) > q3[place[n]] + reach[place[n]])).sum()
        for n in names
    ).row(0)
    far = away.select((pl.col(n) * _TO_STANDARD > _ROBUST_Z * deviation[n]).sum() for n in names).row(0)
    for name, many, distant in zip(names, beyond, far, strict=True):
        fences[place[name]] = many if reach[place[name]] > 0 else 0
        robust[place[name]] = distant if deviation[name] > 0 else 0
    return fences, robust


def _describe_text(values: pl.Series, *, private: bool) -> dict[str, Any]:
    given = values.filter(values != "")
    counts = None if private or is_nearly_distinct(values) else given.value_counts(sort=True).head(200)
    top = None
    if counts is not None:
        pairs = sorted(
            zip(counts[values.name].to_list(), counts["count"].to_list(), strict=True), key=lambda p: (-p[1], p[0])
        )
        top = [[str(value)[:_LONGEST], count] for value, count in pairs[:_TOP]]
    return dict.fromkeys(_EMPTY) | {"count": given.len(), "missing": values.len() - given.len(), "top": top}


def is_nearly_distinct(values: pl.Series) -> bool:
    """Whether more than half of a text column's values are different: single ones then tell nothing of the whole."""
    return values.dtype == pl.String and values.len() >= _FEWEST_ROWS and values.n_unique() > values.len() / 2


def find_outliers(described: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """List the columns that have outliers, most first."""
    found = [
        {"column": c["name"], **c["outliers"], "share": round(c["outliers"]["interquartile"] / max(c["count"], 1), 6)}
        for c in described
        if c["outliers"] and (c["outliers"]["interquartile"] or c["outliers"]["robust_z"])
    ]
    return tuple(sorted(found, key=lambda entry: (-entry["share"], entry["column"])))
