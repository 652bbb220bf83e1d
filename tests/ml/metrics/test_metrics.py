"""The metrics against scikit-learn, and where they have no value."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from headrace.ml.contract import Task
from headrace.ml.errors import OptionError
from headrace.ml.metrics import METRICS, better, default_metric, find_metric, metric_name

BINARY = {
    "roc_auc": lambda y, p, label: sklearn_metrics.roc_auc_score(y, p[:, 1]),
    "average_precision": lambda y, p, label: sklearn_metrics.average_precision_score(y, p[:, 1]),
    "log_loss": lambda y, p, label: sklearn_metrics.log_loss(y, p),
    "brier": lambda y, p, label: sklearn_metrics.brier_score_loss(y, p[:, 1]),
    "accuracy": lambda y, p, label: sklearn_metrics.accuracy_score(y, label),
    "balanced_accuracy": lambda y, p, label: sklearn_metrics.balanced_accuracy_score(y, label),
    "precision": lambda y, p, label: sklearn_metrics.precision_score(y, label, zero_division=0),
    "recall": lambda y, p, label: sklearn_metrics.recall_score(y, label),
    "f1": lambda y, p, label: sklearn_metrics.f1_score(y, label, zero_division=0),
    "mcc": lambda y, p, label: sklearn_metrics.matthews_corrcoef(y, label),
}
MULTICLASS = {
    "accuracy": lambda y, p, label: sklearn_metrics.accuracy_score(y, label),
    "balanced_accuracy": lambda y, p, label: sklearn_metrics.balanced_accuracy_score(y, label),
    "log_loss": lambda y, p, label: sklearn_metrics.log_loss(y, p, labels=range(p.shape[1])),
    "f1_macro": lambda y, p, label: sklearn_metrics.f1_score(y, label, average="macro", zero_division=0),
    "roc_auc_ovr": lambda y, p, label: sklearn_metrics.roc_auc_score(y, p, multi_class="ovr"),
}
REGRESSION = {
    "rmse": sklearn_metrics.root_mean_squared_error,
    "mae": sklearn_metrics.mean_absolute_error,
    "mape": sklearn_metrics.mean_absolute_percentage_error,
    "r2": sklearn_metrics.r2_score,
    "median_absolute_error": sklearn_metrics.median_absolute_error,
}


def two(scores):
    return np.column_stack([1 - scores, scores])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 19)), min_size=2, max_size=50), st.integers(1, 19))
def test_binary_metrics_are_scikit_learns_ties_and_all(rows, cut):
    target = np.array([int(label) for label, _ in rows])
    predictions, threshold = two(np.array([score / 20 for _, score in rows])), cut / 20
    if 0 < target.sum() < len(target):
        for name, expected in BINARY.items():
            label = (predictions[:, 1] >= threshold).astype(int)
            found = METRICS[name].score(target, predictions, threshold)
            assert found == pytest.approx(expected(target, predictions, label), abs=1e-9), name


@pytest.mark.parametrize("seed", range(5))
def test_multiclass_metrics_are_scikit_learns(seed):
    generator = np.random.default_rng(seed)
    target = np.r_[np.arange(4), generator.integers(0, 4, 60)]
    predictions = generator.dirichlet(np.ones(4), 64)
    for name, expected in MULTICLASS.items():
        found = METRICS[name].score(target, predictions)
        assert found == pytest.approx(expected(target, predictions, predictions.argmax(axis=1))), name


@pytest.mark.parametrize("seed", range(5))
def test_regression_metrics_are_scikit_learns(seed):
    generator = np.random.default_rng(seed)
    target = generator.normal(size=50 + seed)
    predictions = target + generator.normal(size=50 + seed)
    for name, expected in REGRESSION.items():
        assert METRICS[name].score(target, predictions) == pytest.approx(expected(target, predictions)), name
        assert METRICS[name].score(target, predictions[:, None]) == METRICS[name].score(target, predictions)


def test_every_metric_is_tested_and_every_task_has_its_own():
    assert set(METRICS) == {*BINARY, *MULTICLASS, *REGRESSION}
    for task, names in ((Task.BINARY, BINARY), (Task.MULTICLASS, MULTICLASS), (Task.REGRESSION, REGRESSION)):
        assert {name for name, metric in METRICS.items() if task in metric.tasks} == set(names)
        assert default_metric(task).name in names


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "recall"])
def test_without_positives_there_is_no_value(name):
    assert np.isnan(METRICS[name].score(np.zeros(5, dtype=int), two(np.linspace(0, 1, 5))))


def test_a_constant_target_has_no_r2_and_zeros_no_percentage():
    assert np.isnan(METRICS["r2"].score(np.ones(3), np.arange(3.0)))
    assert np.isnan(METRICS["mape"].score(np.zeros(3), np.arange(3.0)))
    assert METRICS["mape"].score(np.array([0.0, 2.0]), np.array([5.0, 1.0])) == 0.5


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_have_no_value(name):
    assert np.isnan(METRICS[name].score(np.zeros(0, dtype=int), np.zeros((0, 2))))


def test_a_class_absent_from_the_rows_does_not_count():
    target, predictions = np.array([0, 0, 2, 2]), np.eye(3)[[0, 0, 2, 2]]
    for name in ("balanced_accuracy", "f1_macro", "roc_auc_ovr"):
        assert METRICS[name].score(target, predictions) == 1.0


def test_probabilities_of_the_positive_class_alone_are_enough():
    target, scores = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.5])
    for name in BINARY:
        assert METRICS[name].score(target, scores) == METRICS[name].score(target, two(scores))


@pytest.mark.parametrize(
    ("name", "task", "message"),
    [
        ("roc_acu", Task.BINARY, "there is no metric 'roc_acu' for a binary task; did you mean 'roc_auc'?"),
        ("rmse", Task.BINARY, "metric 'rmse' does not judge a binary task; use one of roc_auc, "),
        ("xyzzy", Task.REGRESSION, "there is no metric 'xyzzy' for a regression task; use one of rmse, "),
    ],
)
def test_a_wrong_metric_is_refused_with_what_to_use(name, task, message):
    with pytest.raises(OptionError) as caught:
        find_metric(name, task)
    assert str(caught.value).startswith(message)


def test_other_spellings_are_understood():
    assert find_metric("PR-AUC", Task.BINARY).name == "average_precision"
    assert metric_name("Log Loss") == "log_loss"


def test_tasks_not_built_have_no_default():
    with pytest.raises(OptionError, match="forecasting"):
        default_metric(Task.FORECASTING)


def test_better_goes_by_direction_and_puts_nan_last():
    auc, rmse, nan = METRICS["roc_auc"], METRICS["rmse"], float("nan")
    assert better(auc, 0.9, 0.8) and not better(auc, 0.8, 0.9) and not better(auc, 0.8, 0.8)
    assert better(rmse, 0.8, 0.9)
    assert better(rmse, 0.8, nan) and not better(rmse, nan, 0.8) and not better(rmse, nan, nan)


def test_importing_the_metrics_imports_nothing_heavy():
    heavy = "{'sklearn', 'scipy', 'pandas', 'polars', 'onnx', 'pydantic'}"
    code = f"import sys, headrace.ml.metrics; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
