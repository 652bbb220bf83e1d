"""Whether the label is spread unevenly over sensitive groups."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
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
_MOST_NUMBERS = 10
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
        "Ask whether the difference is real or made by how the data came about; "
        "compare the errors of the groups in the evaluation."
        if uneven
        else ""
    )
    return Check("lack of bias", "warn" if uneven else "pass", tuple(evidence), advice)


@dataclass(frozen=True)
class Groups:
    """The rows of a sensitive column in groups: a code a row, a name a code; those under 30 rows are not compared."""

    codes: npt.NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def compared(self) -> npt.NDArray[np.int64]:
        """Codes of the groups that are large enough."""
        return np.flatnonzero(np.bincount(self.codes, minlength=len(self.names)) >= _FEWEST_ROWS)

    def extremes(self, values: npt.NDArray[Any]) -> tuple[float, str, float, str]:
        """Return the lowest mean of `values` [rows] in a compared group, its name, and the same for the highest."""
        counts = np.maximum(np.bincount(self.codes, minlength=len(self.names)), 1)
        means = (np.bincount(self.codes, weights=values, minlength=len(self.names)) / counts)[self.compared]
        low, high = int(means.argmin()), int(means.argmax())
        return float(means[low]), self.names[self.compared[low]], float(means[high]), self.names[self.compared[high]]


def sensitive_groups(values: pl.Series, *, shown: bool) -> Groups:
    """Put rows into groups by a sensitive column: its values, or quarters where it holds many numbers.

    Where `shown` is False the names of the groups are no values.
    """
    if values.dtype == pl.Float64 and values.n_unique() > _MOST_NUMBERS:
        edges = np.unique(np.nanquantile(values.fill_null(float("nan")).to_numpy(), [0.25, 0.5, 0.75]))
        numbers = values.fill_null(float("nan")).to_numpy()
        codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
        bounds = [f"{edge:g}" for edge in edges]
        between = (f"{low} to {high}" for low, high in pairwise(bounds))
        names = (f"below {bounds[0]}", *between, f"{bounds[-1]} and above", "missing")
        return Groups(codes.astype(np.int64), names if shown else tuple(f"group {i + 1}" for i in range(len(names))))
    codes = category_codes(values)
    first = [values[int(row)] for row in np.unique(codes, return_index=True)[1]]
    if not shown:
        return Groups(codes, tuple(f"group {i + 1}" for i in range(len(first))))
    return Groups(
        codes, tuple("missing" if v in (None, "") else f"{v:g}" if isinstance(v, float) else v[:40] for v in first)
    )


def _compare(name: str, dataset: Dataset, classes: tuple[str, ...]) -> tuple[str, bool]:
    """Say how the label differs between the groups of a column, and whether it does so much."""
    values = dataset.frame[name] if name in dataset.frame.columns else dataset.aside[name]
    groups = sensitive_groups(values, shown=name not in dataset.personal)
    if len(groups.compared) < 2:
        return f"'{name}': fewer than two groups of {_FEWEST_ROWS} rows, not compared", False
    if dataset.task not in CLASSIFICATION:
        low, lowest, high, highest = groups.extremes(dataset.target)
        effect = (high - low) / (float(dataset.target.std()) or 1.0)
        line = f"'{name}': mean {low:.6g} in '{lowest}', {high:.6g} in '{highest}' ({effect:.2f} standard deviations)"
        return line, effect > _LARGE_EFFECT
    found = []
    for code in range(len(classes)) if len(classes) > 2 else (len(classes) - 1,):
        low, lowest, high, highest = groups.extremes(dataset.target == code)
        line = f"'{name}': '{classes[code]}' in {low:.1%} of '{lowest}', {high:.1%} of '{highest}'"
        found.append((low / high if high > 0 else 1.0, line))
    ratio, line = min(found)
    return f"{line} (ratio {ratio:.2f}; under {_FOUR_FIFTHS} is called uneven)", ratio < _FOUR_FIFTHS
