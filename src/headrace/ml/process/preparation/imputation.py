"""Which imputation serves models that need complete data, chosen by cross-validation with a linear model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets.association import category_codes, lump_rare

STRATEGIES = ("median", "most_frequent", "iterative", "knn")
"""Simplest to serve first: a constant, a constant, a linear form, a search among the training rows."""

_SHORT = 30.0
_MOST_ROWS = 1_500
_MOST_NUMBERS = 20
_MOST_CATEGORY_COLUMNS = 15
_MOST_CATEGORIES = 8
_FOLDS = 3
_FEWEST_ROWS = 60

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Imputation:
    """The strategy chosen, with or without missing-value indicators, why, and the score of every one tried."""

    strategy: str
    indicators: bool
    reason: str
    measure: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


def choose_imputation(
    frame: pl.DataFrame, target: npt.NDArray[Any], task: Task, *, seed: int, budget: float | None
) -> Imputation:
    """Choose the strategy by 3-fold cross-validation of a linear model on up to 1,500 training rows and 20 numbers.

    The simplest strategy within one standard error of the best is taken (the one-standard-error rule of Breiman et
    al. 1984). Median with indicators without trial where the budget is under 30 s or there are too few rows.
    """
    missing = dict(zip(frame.columns, frame.null_count().row(0), strict=True))
    gaps = [name for name, kind in frame.schema.items() if kind == pl.Float64 and 0 < missing[name] < frame.height]
    if not gaps:
        return Imputation(
            "median", False, "no number is missing in the training part; the median stands in at prediction"
        )
    cells = f"{sum(missing[name] for name in gaps):,} numbers in {len(gaps)} columns are missing"
    if budget is not None and budget < _SHORT:
        return Imputation(
            "median", True, f"{cells}; strategies are compared only with a budget of {_SHORT:g} s or more"
        )
    if frame.height < _FEWEST_ROWS:
        return Imputation("median", True, f"{cells}; {frame.height} training rows are too few to compare strategies")
    rows = _sampled_rows(target, task, seed)
    numbers, others = _matrices(frame[rows], gaps)
    if not np.isnan(numbers).any():
        return Imputation("median", True, f"{cells}; too few to show among {len(rows):,} sampled rows")
    tried = _cross_validate(numbers, others, target[rows], task, seed)
    measure = "negative log loss of a logistic regression" if task in CLASSIFICATION else "R² of a ridge regression"
    if not tried:
        return Imputation("median", True, f"{cells}; the sampled rows do not suffice to compare strategies")
    best = max(tried, key=lambda key: float(tried[key].mean()))
    enough = float(tried[best].mean() - tried[best].std(ddof=1) / np.sqrt(len(tried[best])))
    chosen = next(key for key in tried if float(tried[key].mean()) >= enough)
    name = _label(chosen)
    why = "the best" if chosen == best else f"the simplest within one standard error of the best, {_label(best)}"
    reason = f"{cells}; {name} is {why}, in {_FOLDS}-fold cross-validation on {len(rows):,} training rows"
    scores = {_label(key): round(float(values.mean()), 6) for key, values in tried.items()}
    return Imputation(chosen[0], chosen[1], reason, measure, scores)


def _label(key: tuple[str, bool]) -> str:
    return key[0] + (" + indicators" if key[1] else "")


def _sampled_rows(target: npt.NDArray[Any], task: Task, seed: int) -> npt.NDArray[np.int64]:
    generator = np.random.default_rng(seed + 2)
    rows = np.sort(generator.permutation(len(target))[:_MOST_ROWS])
    if task not in CLASSIFICATION:
        return rows
    counts = np.bincount(target[rows].astype(np.int64))
    return rows[counts[target[rows].astype(np.int64)] >= _FOLDS]


def _matrices(frame: pl.DataFrame, gaps: list[str]) -> tuple[Matrix, Matrix]:
    """Numbers (those with gaps first) with NaN for missing, and categories one-hot without the rare."""
    complete = [name for name, kind in frame.schema.items() if kind == pl.Float64 and name not in set(gaps)]
    gaps = sorted(gaps, key=lambda name: -frame[name].null_count())[: _MOST_NUMBERS * 3 // 4]
    names = (gaps + complete)[:_MOST_NUMBERS]
    numbers = frame.select(pl.col(names).fill_null(float("nan"))).to_numpy()
    numbers = numbers[:, ~np.isnan(numbers).all(axis=0)]
    texts = [name for name, kind in frame.schema.items() if kind == pl.String][:_MOST_CATEGORY_COLUMNS]
    coded = [lump_rare(category_codes(frame[name]), _MOST_CATEGORIES) for name in texts]
    hot = [np.eye(int(codes.max()) + 1)[codes] for codes in coded if codes.max() < frame.height // 2]
    return numbers, np.hstack(hot) if hot else np.empty((frame.height, 0))


def _cross_validate(
    numbers: Matrix, others: Matrix, target: npt.NDArray[Any], task: Task, seed: int
) -> dict[tuple[str, bool], npt.NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    classes = task in CLASSIFICATION
    if classes and len(np.unique(target)) < 2:
        return {}
    folds = (StratifiedKFold if classes else KFold)(_FOLDS, shuffle=True, random_state=seed)
    scores: dict[tuple[str, bool], list[float]] = {(name, flags): [] for name in STRATEGIES for flags in (False, True)}
    for fitted, scored in folds.split(numbers, target):
        scaler = StandardScaler().fit(numbers[fitted])
        scaled = np.clip(scaler.transform(numbers), -10, 10)
        flags = np.isnan(numbers).astype(np.float64)
        for strategy in STRATEGIES:
            imputed = _impute(strategy, scaled, fitted, seed)
            for indicators in (False, True):
                matrix = np.hstack([imputed, others, flags] if indicators else [imputed, others])
                model = LogisticRegression(max_iter=200, tol=1e-3) if classes else Ridge()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.fit(matrix[fitted], target[fitted])
                scores[strategy, indicators].append(_score(model, matrix[scored], target[scored], classes))
    return {key: np.array(values) for key, values in scores.items()}


def _impute(strategy: str, numbers: Matrix, fitted: npt.NDArray[np.int64], seed: int) -> Matrix:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

    imputer = {
        "median": lambda: SimpleImputer(strategy="median", keep_empty_features=True),
        "most_frequent": lambda: SimpleImputer(strategy="most_frequent", keep_empty_features=True),
        "iterative": lambda: IterativeImputer(max_iter=3, random_state=seed, keep_empty_features=True),
        "knn": lambda: KNNImputer(keep_empty_features=True),
    }[strategy]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imputer.fit(numbers[fitted])
        imputed: Matrix = imputer.transform(numbers)
    return imputed


def _score(model: Any, matrix: Matrix, target: npt.NDArray[Any], classes: bool) -> float:
    if not classes:
        return float(model.score(matrix, target))
    place = np.searchsorted(model.classes_, target)
    chances = model.predict_proba(matrix)[np.arange(len(target)), place]
    return float(np.log(np.clip(chances, 1e-15, 1.0)).mean())
