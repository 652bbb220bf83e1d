"""Whether the label is spread unevenly over sensitive groups."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.process.datasets import Check, Dataset
from headrace.ml.process.datasets.association import category_codes

_FEWEST_ROWS = 30
_FOUR_FIFTHS = 0.8
_LARGE_EFFECT = 0.5
_QUARTERS = 4
_USUAL = re.compile(
    r"gender|sex|race|ethnic|religio|national|disab|marital|senior|(^|[^a-z])age([^a-z]|$)", re.IGNORECASE
)


def check_bias(dataset: Dataset, classes: tuple[str, ...], sensitive: tuple[str, ...]) -> Check:
    """Compare the label's rate (or mean) across the groups of each sensitive column.

    Binary: the lowest rate of the positive class over the highest, by the four-fifths rule (US EEOC Uniform
    Guidelines, 1978). Multiclass: the same for the class where it is lowest. Values: the largest difference of
    means in standard deviations.
    """
    if not sensitive:
        usual = [column.name for column in dataset.columns if _USUAL.search(column.name)]
        hint = f" ({', '.join(usual[:5])} may be)" if usual else ""
        return Check(
            "lack of bias",
            "unknown",
            ("no sensitive column is named",),
            f"Name sensitive columns with --sensitive or in the charter{hint}.",
        )
    evidence, uneven = [], False
    for name in sensitive:
        line, bad = _compare(name, dataset, classes)
        evidence.append(line)
        uneven |= bad
    advice = (
        "Ask whether the difference is real or made by how the data came about; compare the errors of the groups in the evaluation."
        if uneven
        else ""
    )
    return Check("lack of bias", "warn" if uneven else "pass", tuple(evidence), advice)


def sensitive_groups(values: pl.Series, *, shown: bool) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Put rows into groups by a sensitive column: its values, or quarters where it holds many numbers; `shown` False hides values."""
    if values.dtype == pl.Float64 and values.n_unique() > 10:
        edges = np.unique(np.nanquantile(values.to_numpy(), [0.25, 0.5, 0.75]))
        numbers = values.fill_null(float("nan")).to_numpy()
        codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
        bounds = [f"{edge:g}" for edge in edges]
        names = [
            f"below {bounds[0]}",
            *(f"{a} to {b}" for a, b in zip(bounds, bounds[1:], strict=False)),
            f"{bounds[-1]} and above",
            "missing",
        ]
        return codes.astype(np.int64), names
    codes = category_codes(values)
    text = values.cast(pl.String).fill_null("")
    first = np.unique(codes, return_index=True)[1]
    names = [(text[int(i)] or "missing")[:40] if shown else f"group {n + 1}" for n, i in enumerate(first)]
    return codes, names


def _compare(name: str, dataset: Dataset, classes: tuple[str, ...]) -> tuple[str, bool]:
    values = dataset.frame[name] if name in dataset.frame.columns else dataset.aside[name]
    codes, names = sensitive_groups(values, shown=name not in dataset.personal)
    counts = np.bincount(codes, minlength=len(names))
    large = np.flatnonzero(counts >= _FEWEST_ROWS)
    if len(large) < 2:
        return f"'{name}': fewer than two groups of {_FEWEST_ROWS} rows, not compared", False
    means = lambda of: np.bincount(codes, weights=of, minlength=len(names))[large] / counts[large]  # noqa: E731
    if dataset.task in CLASSIFICATION:
        return _rates(name, means, dataset.target, [names[i] for i in large], classes)
    average, spread = means(dataset.target), float(dataset.target.std()) or 1.0
    low, high = int(average.argmin()), int(average.argmax())
    effect = float(average[high] - average[low]) / spread
    return (
        f"'{name}': mean {average[low]:.6g} in '{names[large[low]]}', {average[high]:.6g} in '{names[large[high]]}' ({effect:.2f} standard deviations)",
        effect > _LARGE_EFFECT,
    )


def _rates(
    name: str, means: Any, target: npt.NDArray[Any], groups: list[str], classes: tuple[str, ...]
) -> tuple[str, bool]:
    looked_at = range(len(classes)) if len(classes) > 2 else (len(classes) - 1,)
    ratios = []
    for code in looked_at:
        rates = means(target == code)
        ratios.append((float(rates.min() / rates.max()) if rates.max() > 0 else 1.0, code, rates))
    ratio, code, rates = min(ratios, key=lambda entry: (entry[0], entry[1]))
    low, high = int(rates.argmin()), int(rates.argmax())
    return (
        f"'{name}': '{classes[code]}' in {rates[low]:.1%} of '{groups[low]}', {rates[high]:.1%} of '{groups[high]}' "
        f"(ratio {ratio:.2f}; under {_FOUR_FIFTHS} is called uneven)",
        ratio < _FOUR_FIFTHS,
    )
