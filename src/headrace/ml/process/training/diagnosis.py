"""How the best configuration learns: its learning curve, and its bias and variance by resampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import METRICS, bootstrap
from headrace.ml.process.training.fitting import Fit, find_result, read_predictions
from headrace.ml.process.training.limits import estimate_seconds
from headrace.ml.process.training.pool import FitFailedError
from headrace.ml.process.training.setting import Setting
from headrace.ml.process.training.trial import Trial

FRACTIONS = (0.125, 0.25, 0.5)
RESAMPLES = 6
MOST_RESAMPLED_ROWS = 5_000
REPLICATES = 100


def diagnose(setting: Setting, best: Trial) -> tuple[tuple[Mapping[str, Any], ...], dict[str, Any]]:
    """Return the learning curve and the bias and variance of the best single configuration.

    The curve: [{rows, train_score, validation_score, replicates}] on the first fold. What the time does not
    allow is left out.
    """
    curve = _curve_fits(setting, best)
    samples = _resample_fits(setting, best)
    _run(setting, [*curve, *samples])
    return _learning_curve(setting, best, curve), _bias_variance(setting, samples)


def _fold_rows(setting: Setting, best: Trial) -> int:
    first = setting.folds[0]
    return min(best.rows or len(first.fit), len(first.fit))


def _curve_fits(setting: Setting, best: Trial) -> list[Fit]:
    most = _fold_rows(setting, best)
    sizes = sorted({max(2, round(most * fraction)) for fraction in FRACTIONS} - {most})
    return [
        setting.fit_of(best.algorithm, best.hyperparameters, setting.folds[0], rows=size, keep=True) for size in sizes
    ]


def _resample_fits(setting: Setting, best: Trial) -> list[Fit]:
    first, most = setting.folds[0], min(_fold_rows(setting, best), MOST_RESAMPLED_ROWS)
    if estimate_seconds(best.algorithm.name, most, first.columns[best.algorithm.view], setting.classes) > 60:
        most = min(most, 500)
    final = best.refit_hyperparameters(1.0)
    return [
        setting.fit_of(best.algorithm, final, first, rows=most, resample=setting.seed + number, stop_early=False)
        for number in range(RESAMPLES)
    ]


def _run(setting: Setting, fits: Sequence[Fit]) -> None:
    """Run the fits while there is time; those that are not done are left out."""
    missing = [fit for fit in fits if find_result(setting.workspace, fit) is None]
    futures = [setting.workers.submit(fit.request(), (number,)) for number, fit in enumerate(missing)]
    left = setting.timetable.left_for_diagnosis()
    wait(futures, timeout=None if np.isinf(left) else max(0.0, left))
    setting.workers.stop([future for future in futures if not future.done()])
    for future in futures:
        try:
            if not future.cancelled():
                future.result()
        except FitFailedError:
            continue


def _learning_curve(setting: Setting, best: Trial, fits: Sequence[Fit]) -> tuple[Mapping[str, Any], ...]:
    """Return the points, each with its score on the same resamples of the fold's held-out rows."""
    done = [fit for fit in [*fits, best.fits[0]] if find_result(setting.workspace, fit) is not None]
    points = [result for fit in done if (result := find_result(setting.workspace, fit)) is not None]
    target = setting.preparation.target[setting.folds[0].held]
    predictions = [read_predictions(setting.workspace, fit) for fit in done]
    drawn = bootstrap(
        lambda rows: {str(i): setting.metric.estimator(target[rows], each[rows]) for i, each in enumerate(predictions)},
        len(target), seed=setting.seed, replicates=REPLICATES,
    )  # fmt: skip
    return tuple(
        {"rows": point["rows"], "train_score": point["train_score"], "validation_score": point["score"]}
        | {"replicates": drawn[str(number)].tolist()}
        for number, point in enumerate(points)
    )


def _bias_variance(setting: Setting, fits: Sequence[Fit]) -> dict[str, Any]:
    done = [fit for fit in fits if find_result(setting.workspace, fit) is not None]
    if len(done) < 3:
        return {}
    predictions = np.stack([read_predictions(setting.workspace, fit) for fit in done])
    target = setting.preparation.target[setting.folds[0].held]
    parts = decompose_classes(target, predictions) if setting.classes else decompose_values(target, predictions)
    return {**parts, "resamples": len(done), "rows": int(done[0].rows or 0)}


def decompose_values(target: Target, predictions: Predictions) -> dict[str, Any]:
    """Split the mean squared error of models [models, rows]: error = bias + variance exactly.

    What is noise in the target cannot be told from bias² and is part of it.
    Source: Geman et al., Neural networks and the bias/variance dilemma, 1992.
    """
    main = predictions.mean(axis=0)
    return {
        "loss": "squared",
        "bias": float(np.mean((main - target) ** 2)),
        "variance": float(np.mean((predictions - main) ** 2)),
        "error": float(np.mean((predictions - target) ** 2)),
        "noise": None,
    }


def decompose_classes(target: Target, predictions: Predictions) -> dict[str, Any]:
    """Split the zero-one loss of models' probabilities [models, rows, classes]; the mean log loss stands beside it.

    Bias is the loss of the majority's answer. Variance, how often a model answers otherwise, adds to the error
    where the majority is right and (for two classes wholly) takes from it where it is wrong: `net_variance` is
    error minus bias. Source: Domingos, A unified bias-variance decomposition, 2000.
    """
    answers = predictions.argmax(axis=2)
    votes = np.stack([(answers == code).sum(axis=0) for code in range(predictions.shape[2])])
    main = votes.argmax(axis=0)
    error, bias = float(np.mean(answers != target)), float(np.mean(main != target))
    log_loss = METRICS["log_loss"].score
    return {
        "loss": "zero-one",
        "bias": bias,
        "variance": float(np.mean(answers != main)),
        "net_variance": error - bias,
        "error": error,
        "noise": None,
        "log_loss": float(np.mean([log_loss(target, each, 0.5) for each in predictions])),
        "log_loss_of_mean": float(log_loss(target, predictions.mean(axis=0), 0.5)),
    }
