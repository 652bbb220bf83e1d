"""The columns of new rows against the baseline: absent, of another type, broken, or drifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.monitoring.distances import (
    REST,
    Distance,
    Points,
    category_distance,
    number_distance,
    outside_p_value,
    share_p_value,
)
from headrace.ml.monitoring.findings import ColumnChange, Finding, Level
from headrace.ml.prediction.baseline import ColumnBaseline, PredictionBaseline
from headrace.ml.tables.columns import Column, ColumnKind, parse_column

if TYPE_CHECKING:
    import polars as pl

FAR, PSI, WAY, LABELS = 0.1, 0.1, 0.25, 0.05
"""How far a column must have moved to matter: a tenth of its rows, a stability index of 0.1, a quarter of a standard
deviation, or for labels a twentieth of its rows; with many rows chance explains far less than that."""
SHARE = 0.01
"""The share of rows with unseen labels, or numbers out of range, from which it matters."""
MISSING = 0.05
"""How much the share of missing values must have changed to matter (or tripled, by more than `SHARE`)."""
UNREADABLE = 0.05
_WORD = {ColumnKind.NUMBER: "numbers", ColumnKind.DATE: "dates", ColumnKind.PICTURE: "pictures"}
_MOST_NAMED = 3

Compared = tuple[ColumnChange, list[Finding]]


def compare_column(
    raw: pl.Series, column: Column, before: ColumnBaseline | None, rows: Sequence[int]
) -> tuple[pl.Series, ColumnChange, list[Finding]]:
    """Parse a raw column and compare it with what it was; `rows` are the positions in the source, for messages.

    Returns the typed values too. Without a baseline, or with one that keeps no values (personal data), only what can
    be compared is.
    """
    values, unreadable = parse_column(raw, column)
    bad, given = int(unreadable.sum()), _given(values, column)
    findings = []
    if bad and bad >= UNREADABLE * (given.len() + bad):
        first = int(unreadable.arg_max() or 0)
        what = f"{bad:,} of {values.len():,} values that are not" if given.len() else "only values that are not"
        shown = f"first: {str(raw[first])[:40]!r} in row {rows[first]}"
        said = f"column '{column.name}' has {what} {_WORD[column.kind]}, which it held in training ({shown})"
        findings.append(Finding("type", column.name, Level.BROKEN, said))
    if before is None:
        return values, ColumnChange(column.name, str(column.kind), None), findings
    missing = 1.0 - given.len() / values.len()
    change = ColumnChange(column.name, str(column.kind), None, before.missing, missing)
    findings += _missing(change, before, values.len(), bad > 0)
    if given.len() and column.kind is not ColumnKind.PICTURE:
        compare = _compare_labels if before.kind is ColumnKind.CATEGORY else _compare_numbers
        change, more = compare(change, before, given)
        findings += more
    return values, change, findings


def compare_predictions(name: str, before: PredictionBaseline, now: PredictionBaseline, values: object) -> Compared:
    """Compare predictions, or a target: by values [rows] (of two classes: the positive one's), else by shares."""
    change = ColumnChange(name, "number", None)
    if before.points and isinstance(values, np.ndarray):
        distance = number_distance(before.points, before.std or 0.0, values)
    elif before.labels:
        change = replace(change, kind="category")
        counts = [{label: share * each.count for label, share in each.labels} for each in (before, now)]
        distance = category_distance(counts[0], counts[1])
    else:
        return change, []
    return replace(change, distance=distance), [_drift(change, distance, f"{name} moved")]


def points_of_baseline(before: ColumnBaseline) -> Points:
    """Return the counted values; of a baseline of format 1 those that its quantiles tell."""
    if before.points or not before.quantiles:
        return before.points
    given = max(1, round(before.count * (1 - before.missing)))
    last = {value: place for place, value in enumerate(before.quantiles)}
    return tuple((value, round(place / (len(before.quantiles) - 1) * given)) for value, place in last.items())


def _given(values: pl.Series, column: Column) -> pl.Series:
    if column.kind is ColumnKind.PICTURE:
        return values.filter([value != bytes(len(value or b"")) for value in values])
    textual = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
    return values.filter(values != "") if textual else values.drop_nulls().drop_nans()


def _missing(change: ColumnChange, before: ColumnBaseline, rows: int, unreadable: bool) -> list[Finding]:
    moved = abs(change.missing - before.missing)
    tripled = max(change.missing, before.missing) >= 3 * min(change.missing, before.missing)
    if unreadable or not (moved >= MISSING or (moved >= SHARE and tripled)):
        return []
    p_value = share_p_value(round(before.missing * before.count), before.count, round(change.missing * rows), rows)
    said = (
        f"column '{change.name}' misses {change.missing:.1%} of its values, and missed {before.missing:.1%} when the "
        "model was trained"
    )
    level = Level.BROKEN if change.missing > before.missing else Level.DRIFT
    return [Finding("missing values", change.name, level, said, p_value)]


def _compare_numbers(change: ColumnChange, before: ColumnBaseline, given: pl.Series) -> Compared:
    points = points_of_baseline(before)
    if len(points) == 0:
        return change, []
    textual = before.kind is ColumnKind.TEXT
    values = (given.str.len_chars() if textual else given).to_numpy().astype(np.float64)
    std = _std_of(points) if before.std is None else before.std
    distance = number_distance(points, std, values)
    change = replace(change, distance=distance)
    if before.kind is ColumnKind.DATE:
        return change, _dates(change, points, values)
    findings = [] if textual else _range(change, points, values)
    change = replace(change, beyond=int(((values < points[0][0]) | (values > points[-1][0])).sum()))
    unit = None if textual else _unit(points, values)
    what = f"the length of the texts in '{change.name}' changed" if textual else f"column '{change.name}' moved"
    if unit is not None:
        said = (
            f"column '{change.name}' holds values about {unit} what they were (middle value {np.median(values):,.6g}, "
            f"was {_middle(points):,.6g}): look for a change of unit"
        )
        return change, [Finding("unit", change.name, Level.BROKEN, said, distance.p_value)]
    return change, [*findings, _drift(change, distance, what, points, values)]


def _dates(change: ColumnChange, points: Points, values: np.ndarray) -> list[Finding]:
    later = float((values > points[-1][0]).mean())
    if later < SHARE:
        return []
    said = f"{later:.0%} of the dates in '{change.name}' lie after all that the model was trained on, as time goes on"
    return [Finding("dates", change.name, Level.NOTE, said)]


def _range(change: ColumnChange, points: Points, values: np.ndarray) -> list[Finding]:
    low, high = points[0][0], points[-1][0]
    outside = (values < low) | (values > high)
    count = int(outside.sum())
    if not count:
        return []
    worst = float(values[outside][np.argmax(np.abs(values[outside] - (low + high) / 2))])
    said = (
        f"column '{change.name}' has {count:,} values ({count / len(values):.1%}) outside of the {low:.6g} to "
        f"{high:.6g} that the training rows had (farthest: {worst:.6g})"
    )
    p_value = outside_p_value(points[-1][1], count, len(values), 1)
    if count < SHARE * len(values):
        return [Finding("range", change.name, Level.NOTE, said, p_value)]
    return [Finding("range", change.name, Level.DRIFT, said, p_value, Level.NOTE)]


def _compare_labels(change: ColumnChange, before: ColumnBaseline, given: pl.Series) -> Compared:
    if not before.categories:
        return change, []
    counts = {str(label): int(count) for label, count in given.value_counts(name="rows").iter_rows()}
    known = {label: share * before.count for label, share in before.categories}
    present = before.count * (1 - before.missing)
    rest = max(0.0, present - sum(known.values()))
    foreign = {label: count for label, count in counts.items() if label not in known}
    findings = []
    if foreign and before.categories_complete:
        findings.append(_unseen(change, known, foreign, present, given.len()))
        change = replace(change, unseen=sum(foreign.values()))
    expected = known | ({REST: rest} if rest > 0.5 else {})
    observed = {label: float(count) for label, count in counts.items() if label in known}
    if foreign:
        observed[REST] = float(sum(foreign.values()))
    distance = category_distance(expected, observed)
    change = replace(change, distance=distance)
    if findings and sum(foreign.values()) >= distance.distance * given.len() / 2:
        return change, findings  # the new labels are what moved
    return change, [*findings, _drift(change, distance, f"column '{change.name}' moved")]


def _unseen(change: ColumnChange, known: dict[str, float], foreign: dict[str, int], before: float, now: int) -> Finding:
    total = sum(foreign.values())
    named = sorted(foreign, key=lambda label: (-foreign[label], label))[:_MOST_NAMED]
    listed = ", ".join(f"'{label[:40]}'" for label in named) + (", …" if len(foreign) > _MOST_NAMED else "")
    said = (
        f"column '{change.name}' has {total:,} rows ({total / now:.1%}) with labels that no training row had "
        f"({listed}); the model takes them as unknown"
    )
    if total < SHARE * now:
        return Finding("new label", change.name, Level.NOTE, said)
    single = sum(round(count) <= 1 for count in known.values())
    p_value = outside_p_value(round(before), total, now, single)
    return Finding("new label", change.name, Level.DRIFT, said, p_value, Level.NOTE)


def _drift(
    change: ColumnChange, distance: Distance, what: str, points: Points = (), values: np.ndarray | None = None
) -> Finding:
    """Say what moved how far; nothing to act on where it is too little to matter."""
    far = LABELS if distance.wasserstein is None else FAR
    matters = distance.distance >= far or distance.psi >= PSI or (distance.wasserstein or 0.0) >= WAY
    if points and values is not None:
        how = f"the middle value is {np.median(values):,.6g} and was {_middle(points):,.6g}"
    else:
        name, before, now = max(distance.bins, key=lambda entry: abs(entry[1] - entry[2]))
        how = f"'{name[:40]}' makes {now:.1%} and made {before:.1%}"
    measure = "share of rows in other labels" if distance.wasserstein is None else "Kolmogorov-Smirnov distance"
    said = f"{what}: {how} ({measure} {distance.distance:.2f}, stability index {distance.psi:.2f})"
    return Finding("distribution", change.name, Level.DRIFT if matters else Level.NOTE, said, distance.p_value)


def _middle(points: Points) -> float:
    return next(value for value, count in points if 2 * count >= points[-1][1])


def _std_of(points: Points) -> float:
    counts = np.diff([count for _, count in points], prepend=0)
    values = np.array([value for value, _ in points])
    mean = np.average(values, weights=counts)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=counts)))


def _unit(points: Points, values: np.ndarray) -> str | None:
    """Return by what the values were multiplied, where all quarters of them say the same factor of five or more."""
    counted = np.array([count for _, count in points]) / points[-1][1]
    at = np.array([value for value, _ in points])
    levels = [0.25, 0.5, 0.75]
    before = at[np.searchsorted(counted, levels)]
    now = np.quantile(values, levels, method="nearest")
    usable = before != 0
    ratios = now[usable] / before[usable]
    if usable.sum() < 2 or (ratios <= 0).any() or len(set(before[usable])) < 2:
        return None
    factor = float(np.median(ratios))
    if 0.2 < factor < 5 or ratios.max() > 1.5 * ratios.min():
        return None
    return f"{_rounded(factor)} times" if factor > 1 else f"one part in {_rounded(1 / factor)} of"


def _rounded(factor: float) -> str:
    """Write a factor with two significant digits, and as the power of ten where it is within a tenth of one."""
    power = 10.0 ** round(float(np.log10(factor)))
    near = power if abs(factor / power - 1) < 0.1 else float(f"{factor:.2g}")
    return f"{near:,.15g}"
