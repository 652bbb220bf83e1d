"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import (
    METRICS,
    MOST_ROWS,
    bootstrap,
    bootstrap_interval,
    bootstrap_intervals,
    interval,
    weighted_mean,
)


def sample(task, rows, seed=0):
    generator = np.random.default_rng(seed)
    if task is Task.REGRESSION:
        target = generator.normal(10, 2, rows)
        return target, target + generator.normal(size=rows)
    classes = 2 if task is Task.BINARY else 4
    predictions = generator.dirichlet(np.ones(classes), rows)
    return (predictions.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1), predictions


CASES = [(name, task) for name, metric in METRICS.items() for task in sorted(metric.tasks)]


@pytest.mark.parametrize(("name", "task"), CASES)
def test_weights_are_worth_repeated_rows(name, task):
    target, predictions = sample(task, 40)
    weights = np.random.default_rng(1).integers(0, 4, (3, 40)).astype(float)
    found = METRICS[name].estimator(target, predictions, 0.4)(weights)
    for row, value in zip(weights, found, strict=True):
        repeated = np.repeat(np.arange(40), row.astype(int))
        assert value == pytest.approx(METRICS[name].score(target[repeated], predictions[repeated], 0.4))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_the_interval_holds_the_value_and_narrows_with_rows(name, task):
    widths = []
    for rows in (200, 5000):
        target, predictions = sample(task, rows)
        low, high = bootstrap_interval(METRICS[name], target, predictions, seed=3)
        assert low <= METRICS[name].score(target, predictions) <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_interval_of_a_mean_is_that_of_its_formula():
    values = np.random.default_rng(0).normal(size=2000)
    low, high = interval(bootstrap(lambda rows: {"mean": weighted_mean(values[rows])}, 2000, seed=0)["mean"])
    error = values.std() / np.sqrt(2000)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=error / 5)


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    target, predictions = sample(Task.BINARY, 100)
    first, again, other = (bootstrap_interval(METRICS["roc_auc"], target, predictions, seed=s) for s in (1, 1, 2))
    assert first == again != other


def test_metrics_share_their_resamples():
    target, predictions = sample(Task.BINARY, 300)
    both = bootstrap_intervals([METRICS["f1"], METRICS["roc_auc"]], target, predictions, seed=1)
    assert both["f1"] == bootstrap_interval(METRICS["f1"], target, predictions, seed=1)


def test_resamples_are_of_the_same_size():
    sizes = bootstrap(lambda rows: {"rows": lambda weights: weights.sum(axis=1)}, 50, seed=0)["rows"]
    assert sizes.tolist() == [50.0] * 1000


def test_of_many_rows_a_sample_stands_for_all():
    values = np.random.default_rng(0).normal(3, 2, 5 * MOST_ROWS)
    resampled = []

    def prepare(rows):
        resampled.append(len(rows))
        return {"mean": weighted_mean(values[rows])}

    found = bootstrap(prepare, len(values), seed=0)["mean"]
    assert min(resampled) == MOST_ROWS
    assert found.mean() == pytest.approx(values.mean(), abs=1e-3)
    assert found.std() == pytest.approx(2 / np.sqrt(len(values)), rel=0.1)


def test_one_class_and_no_rows_have_no_interval():
    predictions = np.full((10, 2), 0.5)
    assert np.isnan(bootstrap_interval(METRICS["roc_auc"], np.zeros(10, dtype=int), predictions)).all()
    assert np.isnan(bootstrap_interval(METRICS["rmse"], np.zeros(0), np.zeros(0))).all()


def test_an_interval_of_mostly_missing_values_is_missing():
    assert np.isnan(interval(np.array([1.0, np.nan, np.nan]))).all()
    assert interval(np.array([1.0, 1.0, np.nan])) == (1.0, 1.0)
