"""Finding out how often series have values, and whether all of them have so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.frequencies import DAY, SECONDS, Frequency, Numbers, Times
from headrace.ml.errors import DataError

_MOSTLY, _NEARLY = 0.9, 0.05
_SPARSE = 0.1
_FEWEST = 5


def infer_frequency(times: Times, items: Numbers | None = None) -> Frequency:
    """Return the frequency of time stamps in the order of items and time, aligned as they are.

    Raises `DataError` where there are fewer than two. Time stamps without a regular step become days.
    """
    seconds = np.asarray(times).astype("datetime64[s]").astype(np.int64)
    steps = _steps(seconds, items)
    if not len(steps):
        raise DataError("no item has two time stamps, so how often there are values is not known; give the frequency")
    days = seconds // DAY
    hour = int(np.bincount(seconds % DAY // 3600, minlength=24).argmax())
    months = _calendar_months(days, steps, items)
    if months is not None:
        return _of_months(months, days, hour)
    step = _common_step(steps)
    if step < DAY and (step < 60 or len(steps) / (steps / step).sum() < _SPARSE):
        return Frequency("D").with_phase(times)
    if step % SECONDS["W"] == 0:
        weekday = int(np.bincount((days + 3) % 7, minlength=7).argmax())
        found = Frequency("W", step // SECONDS["W"], hour, weekday)
    elif step % DAY == 0:
        found = Frequency("D", step // DAY, hour)
    else:
        found = Frequency.parse(f"{round(step / 60)}min")
    return found.with_phase(times)


def aligned(frequency: Frequency, times: Times, items: Numbers) -> Frequency:
    """Return an asked frequency with the boundaries of the data, where these have the same one."""
    found = infer_frequency(times, items)
    same = (found.unit, found.count) == (frequency.unit, frequency.count)
    return found if same else frequency.with_phase(times) if frequency.count > 1 else frequency


def regularity(times: Times, items: Numbers) -> float:
    """Return the share of steps that are the most common one; calendar months count as equal steps."""
    seconds = np.asarray(times).astype("datetime64[s]").astype(np.int64)
    order = np.lexsort((seconds, items))
    seconds, items = seconds[order], items[order]
    steps = _steps(seconds, items)
    if not len(steps):
        return 0.0
    months = _calendar_months(seconds // DAY, steps, items)
    return _mode_share(steps if months is None else months)


def differing_steps(times: Times, items: Numbers) -> tuple[tuple[int, float], tuple[int, float], float] | None:
    """Return two items (code, step in days) whose values come regularly but at different steps; None if all agree.

    The third is the share of regular items with longer steps than the first of the two.
    """
    seconds = np.asarray(times).astype("datetime64[s]").astype(np.int64)
    same = np.diff(items) == 0
    steps = pl.DataFrame({"item": items[1:][same], "step": np.diff(seconds)[same]}).filter(pl.col("step") > 0)
    near = (pl.col("step") - pl.col("step").median()).abs() <= 0.1 * pl.col("step").median()
    found = (
        steps.group_by("item")
        .agg(pl.col("step").median().alias("typical"), near.mean().alias("share"), pl.len().alias("count"))
        .filter((pl.col("share") >= _MOSTLY) & (pl.col("count") >= _FEWEST))
        .sort("typical", "item")
    )
    if found.height < 2 or found["typical"][-1] < 1.5 * found["typical"][0]:
        return None
    (first, short), (last, long) = (found.select("item", "typical").row(at) for at in (0, -1))
    return (first, short / DAY), (last, long / DAY), float((found["typical"] >= 1.5 * short).mean() or 0.0)


def _steps(seconds: Numbers, items: Numbers | None) -> Numbers:
    steps = np.diff(seconds)
    if items is not None:
        steps = steps[np.diff(items) == 0]
    found: Numbers = steps[steps > 0]
    return found


def _calendar_months(days: Numbers, steps: Numbers, items: Numbers | None) -> Numbers | None:
    """Return the steps in months, where nearly all time stamps lie on one day of their month, or on the last."""
    typical = float(np.median(steps)) / DAY
    if typical < 27.5:
        return None
    dates = days.astype("datetime64[D]")
    of_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    next_month = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
    usual = int(np.bincount(of_month).argmax())
    if max(np.mean(of_month == usual), np.mean(next_month | (of_month == usual))) < _MOSTLY:
        return None
    months = dates.astype("datetime64[M]").astype(np.int64)
    found = np.diff(months)
    if items is not None:
        found = found[np.diff(items) == 0]
    return found[found > 0]


def _of_months(steps: Numbers, days: Numbers, hour: int) -> Frequency:
    step = _common_step(steps)
    dates = days.astype("datetime64[D]")
    of_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    usual = int(np.bincount(of_month).argmax())
    found = Frequency("M", step, hour, day_of_month=usual if usual <= 28 else 1)
    if step % 12:
        return found.with_phase(dates)
    month = int(np.bincount(dates.astype("datetime64[M]").astype(np.int64) % 12).argmax()) + 1
    return replace(found, unit="Y", count=step // 12, month=month).with_phase(dates)


def _common_step(steps: Numbers) -> int:
    """Return the most common step if nearly all are multiples of it, else the greatest that divides nearly all."""
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    ratios = values / usual
    near = np.abs(ratios - np.round(ratios)) <= _NEARLY
    if counts[near & (ratios > 0.5)].sum() >= _MOSTLY * counts.sum():
        return usual
    order = np.argsort(-counts, kind="stable")
    enough = int(np.searchsorted(np.cumsum(counts[order]), 0.95 * counts.sum())) + 1
    return int(np.gcd.reduce(values[order[:enough]]))


def _mode_share(steps: Numbers) -> float:
    return float(np.unique(steps, return_counts=True)[1].max() / len(steps))


def typical_step(seconds: Numbers, items: Numbers) -> float:
    """Return the median step in seconds of moments in the order of items and time; 0 where there is none."""
    steps = _steps(seconds, items)
    return float(np.median(steps)) if len(steps) else 0.0
