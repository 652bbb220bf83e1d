"""Whether the rows stand for what the model will meet: class balance, coverage, drift inside the file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION
from headrace.ml.process.datasets import Check, Dataset
from headrace.ml.process.datasets.association import BINS, category_codes, lump_rare, quantile_bins

_DRIFTED = 0.25
_MOST_COLUMNS = 300
_ROWS_A_PART = 5_000
_MOST_CATEGORIES = 30
_RARE = 10


def check_representativeness(dataset: Dataset, classes: tuple[str, ...], time: str | None) -> Check:
    """Judge class balance, rare categories, and drift from the first third of the rows (or the time) to the last."""
    statuses, evidence, advice = ["pass"], [], []
    if dataset.task in CLASSIFICATION:
        status, line, what = _balance(dataset.target.astype(np.int64), classes)
        statuses.append(status)
        evidence.append(line)
        advice += [what] if what else []
    else:
        low, middle, high = np.quantile(dataset.target, [0.05, 0.5, 0.95])
        evidence.append(f"target: 90 % between {low:.6g} and {high:.6g}, median {middle:.6g}")
    evidence.append(_coverage(dataset.frame))
    drift = drift_inside(dataset, time)
    drifted = {name: value for name, value in drift.items() if value > _DRIFTED}
    order = f"by '{time}'" if time else "in the order of the file"
    evidence.append(
        f"{len(drifted)} of {len(drift)} columns drift from the first third to the last {order} "
        f"(population stability index > {_DRIFTED})"
    )
    evidence += [
        f"drift of '{name}': {value:.2f}" for name, value in sorted(drifted.items(), key=lambda item: -item[1])[:5]
    ]
    if drifted:
        statuses.append("warn")
        unnamed = "" if time else "; if the rows stand in the order of time, name the time column with --time"
        advice.append(f"Find out what changed inside the file{unnamed}.")
    status = next(s for s in ("fail", "warn", "pass") if s in statuses)
    return Check("representativeness", status, tuple(evidence), " ".join(advice))


def _balance(codes: npt.NDArray[np.int64], classes: tuple[str, ...]) -> tuple[str, str, str]:
    counts = np.bincount(codes, minlength=len(classes))
    shares = ", ".join(
        f"'{name}' {count:,} ({count / len(codes):.1%})" for name, count in zip(classes[:10], counts, strict=False)
    )
    line = f"classes: {shares}" + (f" … {len(classes)} in all" if len(classes) > 10 else "")
    rarest = classes[int(counts.argmin())]
    if counts.min() < 10:
        return (
            "fail",
            line,
            f"Collect more rows of class '{rarest}': {counts.min()} are too few to learn and measure it.",
        )
    if counts.min() / len(codes) < 0.5 / len(classes) * 0.2:
        return "warn", line, f"Collect more rows of class '{rarest}'; judge by metrics that don't reward ignoring it."
    return "pass", line, ""


def _coverage(frame: pl.DataFrame) -> str:
    texts = [name for name, kind in frame.schema.items() if kind == pl.String][:_MOST_COLUMNS]
    if not texts:
        return "no category columns whose coverage could be thin"
    rare = sum(int((frame[name].value_counts()["count"] < _RARE).sum()) for name in texts)
    return f"{rare:,} values of {len(texts)} text columns occur in fewer than {_RARE} rows each"


def drift_inside(dataset: Dataset, time: str | None) -> dict[str, float]:
    """Population stability index of each column between the first and the last third of the rows.

    The sum over bins of (p - q) log(p / q), shares smoothed by half a row; over 0.25 is called a large change. Up
    to 300 columns and 5,000 evenly spread rows a third; date columns, which drift by nature, are left out.
    """
    order = _order(dataset, time)
    third = len(order) // 3
    if third < 50:
        return {}
    spread = np.linspace(0, third - 1, min(third, _ROWS_A_PART)).astype(np.int64)
    rows = np.concatenate([order[:third][spread], order[-third:][spread]])
    dates = {column.name for column in dataset.columns if column.kind == "date"}
    names = [name for name in dataset.frame.columns if name not in dates][:_MOST_COLUMNS]
    frame = dataset.frame.select(names)[rows]
    numbers = [name for name in names if frame.schema[name] == pl.Float64]
    drift: dict[str, float] = {}
    if numbers:
        codes, _ = quantile_bins(frame.select(numbers))
        drift = {name: _stability(codes[:, i], BINS + 1) for i, name in enumerate(numbers)}
    for name in names:
        if name not in drift:
            drift[name] = _stability(lump_rare(category_codes(frame[name]), _MOST_CATEGORIES), _MOST_CATEGORIES + 1)
    return drift


def _order(dataset: Dataset, time: str | None) -> npt.NDArray[np.int64]:
    for frame in (dataset.frame, dataset.aside):
        if time in frame.columns and frame.schema[time] == pl.Float64:
            return frame[time].fill_null(-np.inf).to_numpy().argsort(kind="stable").astype(np.int64)
    return np.arange(dataset.frame.height)


def _stability(codes: npt.NDArray[np.int64], size: int) -> float:
    half = len(codes) // 2
    first = np.bincount(codes[:half], minlength=size) + 0.5
    last = np.bincount(codes[half:], minlength=size) + 0.5
    p, q = first / first.sum(), last / last.sum()
    return float(((p - q) * np.log(p / q)).sum())
