"""How far a prediction may be off: conformal bands from held-out errors, wider where the model errs more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headrace.ml.adapters.piecewise import Piecewise, piecewise_values
from headrace.ml.compiler.parts import Band
from headrace.ml.contract import Features, Task, View
from headrace.ml.metrics.metric import Values
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.training import Training

FOLDS = 5
FEWEST_ROWS = 20
FEWEST_FOR_LEVELS = 200
FEWEST_FOR_FEATURES = 1_000
"""With fewer held-out rows, the band's width does not follow the prediction, or the features."""
MOST_ROWS = 10_000
MOST_CELLS = 1_000_000
"""The model of the errors learns from at most so many rows, and so many numbers."""
SECONDS, SECONDS_A_ROW = 0.6, 1e-4
"""What that model takes, on an idle core."""
WORTHWHILE = 0.02
"""An adaptive band must lower the interval score by so much of it."""
NONE, CONSTANT, BY_PREDICTION, BY_FEATURES = "none", "constant", "by_prediction", "by_features"
_BINS = 12
_ROUNDS = 60
_TINY = 0.05

Difficulty = Callable[[np.ndarray, np.ndarray], Values]
"""Rows to learn from and rows to answer for (positions) → the expected error of the latter."""


@dataclass(frozen=True)
class Intervals:
    """The band that is compiled into the model, with its evidence; `band` is None where the rows are too few.

    `coverage` is the share of rows that it is meant to hold. `methods`: [{name, width, score}], the mean width and the
    mean interval score on `rows` held-out rows. `half_width` is the median half width there.
    """

    method: str
    reason: str
    coverage: float
    rows: int
    band: Band | None = None
    half_width: float | None = None
    methods: tuple[Mapping[str, Any], ...] = ()


def fit_intervals(
    training: Training,
    preparation: Preparation,
    *,
    coverage: float,
    seed: int,
    spares: Callable[[float], bool] = lambda _: True,
) -> Training:
    """Return the record with a band for a regression; other tasks come back as they are.

    Errors of held-out rows are divided by the error expected of each (by a model that did not see the row), and the
    band is that quantile of the ratios, times what is expected of a new row. The error expected is the same for all
    rows, or follows the prediction, or the features: what lowers the interval score (width, plus 2 / (1 - coverage)
    times what a true value lies outside) enough is taken. Where `spares` says that there is no time for so many
    seconds, the features are not tried.
    Source: Lei et al., Distribution-free predictive inference for regression (JASA 2018), with cross-validated errors
    as in Barber et al., Predictive inference with the jackknife+ (2021); Winkler's interval score (JASA 1972).
    """
    if preparation.task is not Task.REGRESSION:
        return training
    errors = np.abs(preparation.target[training.held_out_rows] - training.held_out)
    if (short := too_few(len(errors), coverage, FEWEST_ROWS)) or not errors.any():
        reason = short or "no band: the model is exact on every held-out row"
        return replace(training, conformal=Intervals(NONE, reason, coverage, len(errors)))
    rows = np.sort(np.random.default_rng(seed).permutation(len(errors))[:MOST_ROWS])
    hurried = len(rows) >= FEWEST_FOR_FEATURES and not spares(SECONDS + SECONDS_A_ROW * len(rows))
    notes = ("whether intervals should follow the features was not tried: the machine was too busy",) if hurried else ()
    found = _compare(training, preparation, errors[rows], rows, coverage, seed, by_features=not hurried)
    return replace(training, conformal=found, notes=(*training.notes, *notes))


def too_few(rows: int, coverage: float, fewest: int) -> str:
    """Return a sentence where so many held-out rows cannot promise such a coverage, else nothing."""
    needed = max(fewest, math.ceil(coverage / (1 - coverage) - 1e-9))
    if rows >= needed:
        return ""
    return f"{rows:,} held-out rows are too few to promise a coverage of {coverage:g}: {needed:,} are needed"


def conformal_quantile(scores: Values, coverage: float) -> float:
    """Return the score that at least `coverage` of new rows stay below: the ⌈(rows + 1) · coverage⌉-th smallest."""
    rank = min(len(scores), math.ceil((len(scores) + 1) * coverage - 1e-9))
    return float(np.partition(scores, rank - 1)[rank - 1])


def _compare(
    training: Training,
    preparation: Preparation,
    errors: Values,
    rows: np.ndarray,
    coverage: float,
    seed: int,
    *,
    by_features: bool,
) -> Intervals:
    predictions = np.asarray(training.held_out, np.float64)[rows]
    least = _TINY * max(float(np.median(errors)), float(errors.mean()) / 10)
    ways: dict[str, Difficulty] = {}
    if len(errors) >= FEWEST_FOR_LEVELS and np.ptp(predictions) > 0:
        ways[BY_PREDICTION] = lambda fit, ask: piecewise_values(
            predictions[ask], *_levels(predictions[fit], errors[fit], least), 0.0
        )
    matrix, view, places = None, None, np.empty(0, np.int64)
    if by_features and len(errors) >= FEWEST_FOR_FEATURES:
        matrix, view, places = _features(training, preparation, rows)
    if matrix is not None:
        cells = matrix
        ways[BY_FEATURES] = lambda fit, ask: _boost(cells[fit], errors[fit] + least, seed).predict(
            cells[ask], num_threads=1
        )
    folds = np.random.default_rng(seed + 1).permutation(len(errors)) % FOLDS
    expected = {CONSTANT: np.ones(len(errors))}
    for name, way in ways.items():
        expected[name] = np.empty(len(errors))
        for fold in range(FOLDS):
            expected[name][folds == fold] = way(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
    halves = {name: each * conformal_quantile(errors / each, coverage) for name, each in expected.items()}
    methods = tuple(_figures(name, half, errors, coverage) for name, half in halves.items())
    chosen = CONSTANT
    for figures in methods:
        score = next(each["score"] for each in methods if each["name"] == chosen)
        if figures["score"] < (1 - WORTHWHILE) * score:
            chosen = figures["name"]
    factor = conformal_quantile(errors / expected[chosen], coverage)
    if chosen == BY_FEATURES and matrix is not None:
        band = Band(factor, _boosted_form(matrix, errors + least, places, seed), view)
    elif chosen == BY_PREDICTION:
        band = Band(factor, Piecewise(*_levels(predictions, errors, least)))
    else:
        # One width for all needs no model of the errors, so it is taken from every row.
        every = np.abs(preparation.target[training.held_out_rows] - training.held_out)
        band = Band(conformal_quantile(every, coverage))
    half = band.factor if chosen == CONSTANT else float(np.median(halves[chosen]))
    return Intervals(chosen, _reason(chosen, methods), coverage, len(errors), band, half, methods)


def _levels(predictions: Values, errors: Values, least: float) -> tuple[Values, Values]:
    """Return the mean error at the mean prediction of bins of equally many rows."""
    order = np.argsort(predictions, kind="stable")
    bins = np.array_split(order, min(_BINS, len(order) // 40))
    knots = np.array([predictions[part].mean() for part in bins])
    means = np.array([errors[part].mean() for part in bins])
    apart = np.r_[True, np.diff(knots.astype(np.float32)) > 0]
    return knots[apart], np.maximum(means[apart], least)


def _features(
    training: Training, preparation: Preparation, rows: np.ndarray
) -> tuple[Features | None, View | None, np.ndarray]:
    """Return the plan's matrix of the rows, of a view that a member reads, less what was learnt from the target."""
    views = {member.view for member in training.members}
    view = View.TREES if View.TREES in views else next(iter(views))
    free = np.array([i for i, name in enumerate(training.plan.names(view)) if not _from_target(name)], np.int64)
    if not len(free) or len(rows) * len(free) > MOST_CELLS:
        return None, None, free
    frame = preparation.frame[training.held_out_rows[rows].tolist()]
    return np.ascontiguousarray(training.plan.transform(frame, view)[:, free]), view, free


def _from_target(name: str) -> bool:
    """Whether a feature is a target encoding: of a held-out row, it would hold a little of the row's own target."""
    from headrace.ml.process.feature_engineering.target_encoding import Outcomes

    words = Outcomes.of(np.zeros(2), 0, 0).names
    return any(word in name for word in words)


def _boost(features: Features, errors: Values, seed: int) -> Any:
    """Fit a small LightGBM of the errors: gamma regression, whose scores are logarithms."""
    from headrace.ml.adapters.threads import import_library

    lightgbm = import_library("lightgbm")
    parameters = {
        "objective": "gamma", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": max(20, len(errors) // 100),
        "num_threads": 1, "verbosity": -1, "seed": seed % 2**31, "deterministic": True, "force_row_wise": True,
    }  # fmt: skip
    return lightgbm.train(parameters, lightgbm.Dataset(features, errors, params=parameters), _ROUNDS)


def _boosted_form(features: Features, errors: Values, places: np.ndarray, seed: int) -> Any:
    """Return the trees of a fit on all rows, reading the columns `places` of the whole matrix."""
    from headrace.ml.adapters.lightgbm_trees import lightgbm_form
    from headrace.ml.adapters.links import EXPONENTIAL
    from headrace.ml.adapters.trees import LEAF

    form = lightgbm_form(_boost(features, errors, seed), EXPONENTIAL)
    return replace(form, feature=np.where(form.feature == LEAF, LEAF, places[form.feature]).astype(np.int32))


def _figures(name: str, half: Values, errors: Values, coverage: float) -> dict[str, Any]:
    outside = np.maximum(errors - half, 0.0)
    score = 2 * half.mean() + 2 / (1 - coverage) * outside.mean()
    return {"name": name, "width": float(2 * half.mean()), "score": float(score)}


def _reason(chosen: str, methods: tuple[dict[str, Any], ...]) -> str:
    by_name = {each["name"]: each for each in methods}
    constant, found = by_name[CONSTANT], by_name[chosen]
    if len(methods) == 1:
        return "one width for all rows: the held-out rows are too few to learn where the model errs more"
    if chosen == CONSTANT:
        return "one width for all rows: no width that follows the prediction or the features scores better"
    what = "the prediction" if chosen == BY_PREDICTION else "the features"
    return (
        f"the width follows {what}: on held-out rows the interval score falls from {constant['score']:.4g} to "
        f"{found['score']:.4g}, and the mean width is {found['width']:.4g} instead of {constant['width']:.4g}"
    )
