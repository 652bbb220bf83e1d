"""The metrics that models are chosen and judged by, and their bootstrap intervals."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import OptionError
from headrace.ml.metrics import classification, ranking, regression
from headrace.ml.metrics.bootstrap import MOST_ROWS, bootstrap, bootstrap_interval, bootstrap_intervals, interval
from headrace.ml.metrics.metric import Estimator, Metric, Values, labels, positive_probability, weighted_mean

__all__ = [
    "METRICS",
    "MOST_ROWS",
    "Estimator",
    "Metric",
    "Values",
    "better",
    "bootstrap",
    "bootstrap_interval",
    "bootstrap_intervals",
    "default_metric",
    "find_metric",
    "interval",
    "labels",
    "metric_name",
    "positive_probability",
    "weighted_mean",
]

_BINARY, _MULTICLASS, _REGRESSION = frozenset({Task.BINARY}), frozenset({Task.MULTICLASS}), frozenset({Task.REGRESSION})

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "roc_auc",
            "ROC AUC",
            _BINARY,
            True,
            False,
            ranking.roc_auc,
            "how often a random positive is ranked above a random negative; 0.5 is chance, 1 is perfect",
        ),
        Metric(
            "average_precision",
            "Average precision",
            _BINARY,
            True,
            False,
            ranking.average_precision,
            "area under the precision-recall curve; the share of positives is chance, 1 is perfect",
        ),
        Metric(
            "log_loss",
            "Log loss",
            CLASSIFICATION,
            False,
            False,
            classification.log_loss,
            "how surprised the probabilities are by the true class; 0 is perfect",
        ),
        Metric(
            "brier",
            "Brier score",
            _BINARY,
            False,
            False,
            classification.brier,
            "mean squared distance between probability and outcome; 0 is perfect",
        ),
        Metric(
            "accuracy",
            "Accuracy",
            CLASSIFICATION,
            True,
            True,
            classification.accuracy,
            "share of rows whose class is predicted correctly",
        ),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            CLASSIFICATION,
            True,
            True,
            classification.balanced_accuracy,
            "share predicted correctly in each class, averaged over the classes",
        ),
        Metric(
            "precision",
            "Precision",
            _BINARY,
            True,
            True,
            classification.precision,
            "share of rows predicted positive that are positive",
        ),
        Metric("recall", "Recall", _BINARY, True, True, classification.recall, "share of positive rows that are found"),
        Metric("f1", "F1", _BINARY, True, True, classification.f1, "harmonic mean of precision and recall"),
        Metric(
            "mcc",
            "Matthews correlation",
            _BINARY,
            True,
            True,
            classification.mcc,
            "correlation of predicted and true class; 0 is chance, 1 is perfect",
        ),
        Metric(
            "f1_macro",
            "F1, macro",
            _MULTICLASS,
            True,
            True,
            classification.f1_macro,
            "F1 of each class, averaged over the classes",
        ),
        Metric(
            "roc_auc_ovr",
            "ROC AUC, one against the rest",
            _MULTICLASS,
            True,
            False,
            ranking.roc_auc_ovr,
            "ROC AUC of each class against all others, averaged over the classes",
        ),
        Metric(
            "rmse",
            "Root mean squared error",
            _REGRESSION,
            False,
            False,
            regression.rmse,
            "typical size of an error in the target's unit; large errors weigh more",
        ),
        Metric(
            "mae",
            "Mean absolute error",
            _REGRESSION,
            False,
            False,
            regression.mae,
            "average size of an error in the target's unit",
        ),
        Metric(
            "mape",
            "Mean absolute percentage error",
            _REGRESSION,
            False,
            False,
            regression.mape,
            "average error as a share of the true value (0.1 is 10 %); rows whose true value is 0 are left out",
        ),
        Metric(
            "r2",
            "R²",
            _REGRESSION,
            True,
            False,
            regression.r2,
            "share of the target's variance that is explained; 0 is predicting the mean, 1 is perfect",
        ),
        Metric(
            "median_absolute_error",
            "Median absolute error",
            _REGRESSION,
            False,
            False,
            regression.median_absolute_error,
            "half of the errors are smaller than this, in the target's unit",
        ),
    )
}
_OTHER_NAMES = {
    "pr_auc": "average_precision",
    "auc": "roc_auc",
    "logloss": "log_loss",
    "brier_score": "brier",
    "f1_score": "f1",
}


def metric_name(name: str) -> str:
    """Return the usual spelling of a metric's name: `PR-AUC` is average_precision; unknown names come back as they are.

    >>> metric_name("PR-AUC")
    'average_precision'
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    return _OTHER_NAMES.get(key, key)


def find_metric(name: str, task: Task) -> Metric:
    """Return the metric `name` for `task`; raise `OptionError` with the nearest name where there is none.

    >>> find_metric("roc_acu", Task.BINARY)
    Traceback (most recent call last):
    headrace.ml.errors.OptionError: there is no metric 'roc_acu' for a binary task; did you mean 'roc_auc'?
    """
    known = [metric.name for metric in METRICS.values() if task in metric.tasks]
    key = metric_name(name)
    if key in known:
        return METRICS[key]
    if key in METRICS:
        raise OptionError(f"metric '{key}' does not judge a {task} task; use one of {', '.join(known)}")
    from headrace.ml.tables.names import suggest  # imports polars, which fitting does without

    hint = suggest(key, known) or f"; use one of {', '.join(known)}"
    raise OptionError(f"there is no metric '{name}' for a {task} task{hint}")


def default_metric(task: Task) -> Metric:
    """Return the metric that choices are made by when none is asked for."""
    names = {Task.BINARY: "roc_auc", Task.MULTICLASS: "log_loss", Task.REGRESSION: "rmse"}
    if task not in names:
        raise OptionError(f"a {task} task has no metric yet; use one of {', '.join(names)}")
    return METRICS[names[task]]


def better(metric: Metric, a: float, b: float) -> bool:
    """Whether score `a` is better than score `b`; NaN is worse than any number."""
    if np.isnan(a) or np.isnan(b):
        return bool(np.isnan(b) and not np.isnan(a))
    return a > b if metric.greater_is_better else a < b
