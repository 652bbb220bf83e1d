"""Why a model fails on some rows: few of them, gaps, change, contradictions, or something that no column tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Predictions, Target, Task

_FEW = 100
_MORE_MISSING = 0.1
_SURE = 3.0  # standard errors
_CONTRADICTED, _TWICE = 0.1, 2.0
_OPEN = 0.1

Mask = npt.NDArray[np.bool_]


def find_reason(
    inside: Mask,
    frame: pl.DataFrame,
    target: Target,
    predictions: Predictions,
    inside_test: Mask,
    test_target: Target,
    *,
    in_train: int,
    task: Task,
) -> str:
    """Return the likeliest reason in a clause, with its figures.

    `inside` are rows of the held-out `frame`, `inside_test` of the test part; `in_train` rows of the
    training part are of the segment.
    """
    if in_train < _FEW:
        return f"few rows: only {in_train:,} to learn from"
    return (
        _missing(inside, frame)
        or _drift(target[inside], test_target[inside_test], task)
        or _contradicted(inside, target, predictions, task)
        or _beside(inside, target, predictions, task)
        or _open(inside, target, task)
        or "no single reason stands out: look at these rows"
    )


def _missing(inside: Mask, frame: pl.DataFrame) -> str | None:
    gaps = np.zeros(frame.height)
    for values in frame:
        gaps += (values.fill_null("") == "" if values.dtype == pl.String else values.is_null()).to_numpy()
    share = gaps / max(frame.width, 1)
    here, there = float(share[inside].mean()), float(share[~inside].mean())
    if here - there < _MORE_MISSING:
        return None
    return f"missing values: {here:.0%} of the cells are empty there, {there:.0%} elsewhere"


def _drift(held: Target, tested: Target, task: Task) -> str | None:
    if len(held) < 2 or len(tested) < 2:
        return None
    values = (held, tested) if task not in CLASSIFICATION else (held == held.max(), tested == held.max())
    first, last = (np.asarray(each, dtype=np.float64) for each in values)
    error = float(np.sqrt(first.var() / len(first) + last.var() / len(last)))
    if error == 0 or abs(first.mean() - last.mean()) < _SURE * error:
        return None
    return f"drift: the target's mean there went from {first.mean():.3g} in the held-out rows to {last.mean():.3g}"


def _contradicted(inside: Mask, target: Target, predictions: Predictions, task: Task) -> str | None:
    if task not in CLASSIFICATION:
        return None
    wrong = predictions[np.arange(len(target)), target.astype(np.int64)] < _CONTRADICTED
    here, there = float(wrong[inside].mean()), float(wrong[~inside].mean())
    if here < 0.03 or here < _TWICE * there:
        return None
    return (
        f"label noise, or an event that no column tells: {here:.1%} of the labels contradict a sure prediction there, "
        f"{there:.1%} elsewhere"
    )


def _beside(inside: Mask, target: Target, predictions: Predictions, task: Task) -> str | None:
    """Whether predictions are off in one direction."""
    if task in CLASSIFICATION:
        code = predictions.shape[1] - 1
        true, said = (target == code).astype(np.float64)[inside], predictions[inside, code]
    else:
        true, said = target[inside], predictions[inside]
    error = float((true - said).std() / np.sqrt(max(len(true), 1)))
    if error == 0 or abs(true.mean() - said.mean()) < _SURE * error:
        return None
    return f"off in one direction: {said.mean():.3g} predicted on average, {true.mean():.3g} came true"


def _open(inside: Mask, target: Target, task: Task) -> str | None:
    here, there = _spread(target[inside], task), _spread(target[~inside], task)
    if here < there * (1 + _OPEN):
        return None
    if task in CLASSIFICATION:
        shares = f"{1 - here:.0%} of the rows, {1 - there:.0%} elsewhere"
        return f"the answer is more open there: the most frequent class has {shares}"
    return f"the target spreads wider there: standard deviation {here:.3g} against {there:.3g} elsewhere"


def _spread(target: Target, task: Task) -> float:
    """Return the standard deviation of values, or the share of rows outside the most frequent class."""
    values: npt.NDArray[Any] = target
    if task in CLASSIFICATION:
        return float(1 - np.bincount(values.astype(np.int64)).max() / len(values))
    return float(values.std())
