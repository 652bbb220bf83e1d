"""How the groups of sensitive columns are treated, with intervals: rates, errors, calibration, the four-fifths rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import labels, positive_probability
from headrace.ml.process.evaluation.groups import FEWEST_ROWS, Mask, Measured, split
from headrace.ml.tables.columns import Column

FOUR_FIFTHS = 0.8
UNEQUAL, UNCERTAIN, EVEN, FEW = "unequal beyond chance", "may be unequal", "equal enough", "too few rows to tell"
_NORMAL = 1.959964

Row = dict[str, Any]
Interval = tuple[float, float]


def sensitive_groups(frame: pl.DataFrame, columns: Sequence[Column], measured: Measured) -> list[Row]:
    """Return how each group of the sensitive columns is treated; each figure has its 95 % interval beside it.

    Two classes: `base_rate` (in truth positive), `selection_rate` (predicted positive), true and false positive rates,
    `calibration_gap` (mean probability less `base_rate`), and against the group of 20 rows or more that is selected
    most often `disparate_impact`, the ratio of selection rates, and `true_positive_gap`. `judgement` holds the ratio's
    interval against 0.8. More classes: accuracy. Numbers: the mean error. Intervals end in `_low` and `_high`.
    Sources: Wilson 1927 (rates); Newcombe 1998 (differences); Donner & Zou 2012 (ratios); the four-fifths rule of the
    US Uniform Guidelines, 1978.
    """
    found: list[Row] = []
    for column in columns:
        groups = [
            {"column": column.name, "group": name} | measured.score(mask) | _figures(measured, mask)
            for name, mask in split(frame[column.name], column.kind)
        ]
        found += _against_the_most_selected(groups) if measured.task is Task.BINARY else groups
    return found


def _figures(measured: Measured, mask: Mask) -> Row:
    target, predictions = measured.target[mask], measured.predictions[mask]
    if measured.task is Task.REGRESSION:
        return _mean("mean_error", predictions - target)
    predicted = labels(predictions, measured.threshold)
    if measured.task is Task.MULTICLASS:
        return rate("accuracy", int((predicted == target).sum()), len(target))
    return rates(target, predicted) | _calibration(target, predictions)


def rates(target: Target, predicted: npt.NDArray[np.int64]) -> Row:
    """Return base rate, selection rate, true and false positive rate, each with its interval."""
    positive = target == 1
    chosen = predicted == 1
    return (
        {"base_rate": float(positive.mean())}
        | rate("selection_rate", int(chosen.sum()), len(target))
        | rate("true_positive_rate", int(chosen[positive].sum()), int(positive.sum()))
        | rate("false_positive_rate", int(chosen[~positive].sum()), int((~positive).sum()))
    )


def _calibration(target: Target, predictions: Predictions) -> Row:
    return _mean("calibration_gap", positive_probability(predictions) - (target == 1))


def _mean(name: str, values: npt.NDArray[np.float64]) -> Row:
    mean = float(values.mean())
    if len(values) < 2:
        return {name: mean, f"{name}_low": None, f"{name}_high": None}
    reach = _NORMAL * float(values.std(ddof=1)) / len(values) ** 0.5
    return {name: mean, f"{name}_low": mean - reach, f"{name}_high": mean + reach}


def rate(name: str, count: int, rows: int) -> Row:
    """Return a share with its interval; all None of no rows."""
    if rows == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = wilson(count, rows)
    return {name: count / rows, f"{name}_low": low, f"{name}_high": high}


def wilson(count: int, rows: int) -> Interval:
    """Return the 95 % score interval of a share.

    >>> [round(end, 3) for end in wilson(0, 20)]
    [0.0, 0.161]
    """
    share, square = count / rows, _NORMAL**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    reach = _NORMAL / (1 + square / rows) * np.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))


def ratio_interval(share: float, own: Interval, other: float, others: Interval) -> Interval:
    """Return the 95 % interval of share / other from the intervals of both (Donner & Zou's MOVER)."""
    (low, high), (least, most) = own, others
    product = share * other

    def end(near: float, far: float, sign: float) -> float:
        divisor = far * (2 * other - far)
        if divisor <= 0:
            return 0.0 if sign < 0 else float("inf")
        root = max(0.0, product**2 - near * (2 * share - near) * divisor)
        return float(max(0.0, (product + sign * np.sqrt(root)) / divisor))

    return end(low, most, -1.0), end(high, least, 1.0)


def _against_the_most_selected(groups: list[Row]) -> list[Row]:
    """Add what compares each group with the large one that is selected most often."""
    large = [group for group in groups if group["rows"] >= FEWEST_ROWS] or groups
    most = max(large, key=lambda group: float(group["selection_rate"] or 0.0))
    if not most["selection_rate"]:
        return groups
    return [group | _compared(group, most) for group in groups]


def _compared(group: Row, most: Row) -> Row:
    name = "selection_rate"
    own, best = (float(each[name]) for each in (group, most))
    intervals = [(float(each[f"{name}_low"]), float(each[f"{name}_high"])) for each in (group, most)]
    found: Row = {"disparate_impact": own / best}
    if group is most:
        return found | {"judgement": EVEN}
    low, high = ratio_interval(own, intervals[0], best, intervals[1])
    found |= {"disparate_impact_low": low, "disparate_impact_high": high if np.isfinite(high) else None}
    found["judgement"] = FEW if group["rows"] < FEWEST_ROWS else judge(own / best, high)
    return found | _gap("true_positive_rate", group, most)


def judge(impact: float, high: float) -> str:
    """Hold a ratio of selection rates and the upper end of its interval against the four-fifths rule."""
    if impact >= FOUR_FIFTHS:
        return EVEN
    return UNEQUAL if high < FOUR_FIFTHS else UNCERTAIN


def _gap(name: str, group: Row, most: Row) -> Row:
    """Return by how much the group's true positive rate lies above the other's, with Newcombe's interval."""
    own, best = group[name], most[name]
    if own is None or best is None:
        return {}
    below = np.hypot(own - group[f"{name}_low"], most[f"{name}_high"] - best)
    above = np.hypot(group[f"{name}_high"] - own, best - most[f"{name}_low"])
    gap = own - best
    return {
        "true_positive_gap": gap,
        "true_positive_gap_low": float(gap - below),
        "true_positive_gap_high": float(gap + above),
    }
