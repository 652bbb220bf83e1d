"""Rows and columns that say the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.datasets.splitting import Parts
from headrace.ml.process.preparation import Cleaning

Rows = npt.NDArray[np.int64]

_DISTINCT_ENOUGH = 0.1
_WEIGHT = np.uint64(0x9E3779B97F4A7C15)


def duplicate_columns(frame: pl.DataFrame) -> dict[str, str]:
    """Find columns that repeat an earlier one in every row; returns column → reason."""
    weights = pl.Series("weight", (np.arange(frame.height, dtype=np.uint64) + np.uint64(1)) * _WEIGHT)
    prints = frame.select((pl.all().hash(0) ^ pl.lit(weights)).hash(1).sum()).row(0)
    first: dict[Any, list[str]] = {}
    repeated: dict[str, str] = {}
    for name, fingerprint in zip(frame.columns, prints, strict=True):
        twin = next((other for other in first.get(fingerprint, ()) if _same(frame[name], frame[other])), None)
        if twin is None:
            first.setdefault(fingerprint, []).append(name)
        else:
            repeated[name] = f"the same as column '{twin}' in all {frame.height:,} rows"
    return repeated


def _same(left: pl.Series, right: pl.Series) -> bool:
    return left.dtype == right.dtype and left.equals(right, check_names=False, null_equal=True)


def remove_duplicate_rows(
    frame: pl.DataFrame, target: npt.NDArray[Any], parts: Parts
) -> tuple[Rows, tuple[Cleaning, ...]]:
    """Take rows out of training that repeat another in features and target; returns training rows and findings.

    A row is a copy where rows are otherwise recognisable: some column's values are mostly rare (distinct values in
    at least 10 % of the rows). Where all columns have few values, rows repeat by nature and are only counted.
    Validation and test stay as they are.
    """
    prints = frame.hash_rows(seed=0).to_numpy() ^ pl.Series(target).hash(1).to_numpy()
    held_out = np.concatenate([parts.validation, parts.test])
    ordered = np.concatenate([held_out, np.sort(parts.train)])
    _, first = np.unique(prints[ordered], return_index=True)
    repeats = np.ones(len(ordered), dtype=bool)
    repeats[first] = False
    copies = ordered[repeats & (np.arange(len(ordered)) >= len(held_out))]
    everything = int(repeats.sum())
    if not everything:
        return parts.train, ()
    distinct = max(frame.select(pl.all().n_unique()).row(0)) / frame.height
    if distinct < _DISTINCT_ENOUGH:
        evidence = "all columns have few values, so that rows repeat by nature"
        return parts.train, (Cleaning("duplicate rows found", None, everything, evidence),)
    train = parts.train[~np.isin(parts.train, copies)]
    if len(train) < max(len(parts.train) // 10, 5) or _loses_class(target, parts.train, train):
        return parts.train, (
            Cleaning("duplicate rows found", None, everything, "too few other rows to do without them"),
        )
    evidence = f"{everything:,} rows repeat another in every column; "
    evidence += f"{len(copies):,} of them were in training; validation and test keep theirs"
    return train, (Cleaning("duplicate rows removed from training", None, len(copies), evidence),)


def _loses_class(target: npt.NDArray[Any], before: Rows, after: Rows) -> bool:
    return target.dtype == np.int64 and len(np.unique(target[before])) > len(np.unique(target[after]))
