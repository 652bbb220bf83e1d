"""The conformance suite that every algorithm passes: run it on your own with `check_algorithm`."""

from __future__ import annotations

import doctest
import math
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.adapters.forms import form_arrays, form_predict, load_form, save_form
from headrace.ml.contract import CLASSIFICATION, Algorithm, Choice, Features, Fitted, Predictions, Target, Task
from headrace.ml.errors import DataError, HyperparameterError

COLUMNS = 5
RELATIVE, ABSOLUTE = 1e-5, 1e-6

Check = Callable[[type[Algorithm], Task], None]


def classes_of(task: Task) -> int:
    """Return how many classes the suite gives a task: 0 for regression."""
    return {Task.BINARY: 2, Task.MULTICLASS: 3}.get(task, 0)


def rows_for(algorithm: type[Algorithm], task: Task, rows: int = 160, seed: int = 0) -> tuple[Features, Target]:
    """Return made-up rows of the task with a signal, a category code, and NaN where the algorithm takes it."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    features[:, 3] = random.integers(0, 4, rows)
    signal = features[:, 0] * 2 + features[:, 1] ** 2 + (features[:, 3] == 2) + random.normal(size=rows) * 0.3
    if algorithm.takes_missing:
        features[random.random((rows, COLUMNS)) < 0.1] = np.nan
    if task is Task.REGRESSION:
        return features, signal * 10 + 300
    return features, np.digitize(signal, [0.8] if task is Task.BINARY else [0.3, 2.0]).astype(np.int64)


def made(algorithm: type[Algorithm], task: Task, *, seed: int = 7, threads: int = 1, **values: Any) -> Algorithm:
    """Return the algorithm with its `quick` hyperparameters."""
    return algorithm(task, classes_of(task), seed=seed, threads=threads, **(dict(algorithm.quick) | values))


def require(holds: object, what: str) -> None:
    """Raise AssertionError with `what` unless it holds."""
    if not holds:
        raise AssertionError(what)


def require_predictions(predictions: Predictions, rows: int, task: Task) -> None:
    """Demand finite values [rows], or probabilities [rows, classes] that sum to 1."""
    classes = classes_of(task)
    require(predictions.shape == ((rows, classes) if classes else (rows,)), f"shape is {predictions.shape}")
    require(np.isfinite(predictions).all(), "predictions are not finite")
    if classes:
        require((predictions >= 0).all() and (predictions <= 1 + ABSOLUTE).all(), "probabilities leave [0, 1]")
        require(np.allclose(predictions.sum(axis=1), 1, rtol=0, atol=ABSOLUTE), "probabilities do not sum to 1")


def require_equal(fitted: Fitted, features: Features, task: Task) -> None:
    """Demand that ONNX Runtime predicts from the form what the library predicts, within 1e-5 relative."""
    native = fitted.predict(features)
    compiled = form_predict(fitted.form, features, classes_of(task))
    require_predictions(native, len(features), task)
    require_predictions(compiled, len(features), task)
    scale = 1.0 if task in CLASSIFICATION else max(float(np.std(native)), 1e-3)
    difference = np.abs(native - compiled) - RELATIVE * np.abs(native) - ABSOLUTE * scale
    require((difference <= 0).all(), f"ONNX differs from native by up to {np.abs(native - compiled).max():.2g}")


def check_declaration(algorithm: type[Algorithm], task: Task) -> None:
    """Names, meanings, portfolio, quick and search ranges are valid; a docstring explains and a doctest runs."""
    require(algorithm.name.isidentifier() and algorithm.title, "name and title")
    require(task in algorithm.tasks and algorithm.portfolio, "tasks and portfolio")
    require(doctest.DocTestFinder(recurse=False).find(algorithm)[0].examples, "the class has no doctest")
    for configuration in (*algorithm.portfolio, algorithm.quick):
        algorithm(task, classes_of(task), **configuration)
    for key, hyperparameter in algorithm.hyperparameters.items():
        require(hyperparameter.meaning, f"{key} has no meaning")
        require(hyperparameter.allowed.problem(hyperparameter.default) is None, f"default of {key}")
        search = hyperparameter.search
        if search is None:
            continue
        ends = search.options if isinstance(search, Choice) else (search.low, search.high)
        for end in ends:
            require(hyperparameter.allowed.problem(end) is None, f"search of {key} leaves what is allowed: {end!r}")
        require(isinstance(search, Choice) or not search.log or search.low > 0, f"log search of {key} starts at 0")


def check_fit_predict(algorithm: type[Algorithm], task: Task) -> None:
    """With and without validation rows, predictions have the right shape and beat a constant on the training rows."""
    features, target = rows_for(algorithm, task)
    for validation in (None, rows_for(algorithm, task, 60, seed=1)):
        fitted = made(algorithm, task).fit(features, target, validation)
        predictions = fitted.predict(features)
        require_predictions(predictions, len(features), task)
        require(set(fitted.hyperparameters) == set(algorithm.hyperparameters), "hyperparameters are not complete")
        for key, value in fitted.hyperparameters.items():
            require(
                algorithm.hyperparameters[key].allowed.problem(value) is None, f"found {key} is not allowed: {value}"
            )
        if algorithm.hyperparameters and not classes_of(task):
            require(np.mean((predictions - target) ** 2) < np.var(target), "it learnt nothing")
        elif algorithm.hyperparameters:
            hits = (predictions.argmax(axis=1) == target).mean()
            require(hits > np.bincount(target).max() / len(target), "it learnt nothing")


def check_determinism(algorithm: type[Algorithm], task: Task) -> None:
    """The same seed gives the same bytes; the target and features given are left as they were."""
    features, target = rows_for(algorithm, task)
    copies = features.copy(), target.copy()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, "one.npz"), Path(folder, "two.npz")]
        for path in paths:
            save_form(made(algorithm, task).fit(features, target).form, path)
        require(paths[0].read_bytes() == paths[1].read_bytes(), "two fits under one seed differ")
    require(np.array_equal(features, copies[0], equal_nan=True), "fit changed the features")
    require(np.array_equal(target, copies[1]), "fit changed the target")


def check_missing_values(algorithm: type[Algorithm], task: Task) -> None:
    """NaN is taken, in any column and unseen in training, where declared; else it is refused by name."""
    features, target = rows_for(algorithm, task)
    if not algorithm.takes_missing:
        features[3, 2] = np.nan
        with_error(DataError, partial(made(algorithm, task).fit, features, target), "row 4")
        return
    fitted = made(algorithm, task).fit(features, target)
    require_equal(fitted, np.full((3, COLUMNS), np.nan, np.float32), task)
    complete = np.nan_to_num(features, nan=0.5)
    fitted = made(algorithm, task).fit(complete, target)
    require_equal(fitted, features, task)
    features[:, 1] = np.nan
    require_equal(made(algorithm, task).fit(features, target), features, task)


def check_absent_classes(algorithm: type[Algorithm], task: Task) -> None:
    """A class without rows gets (nearly) no probability; a single class or value is predicted for every row."""
    features, target = rows_for(algorithm, task)
    alone = made(algorithm, task).fit(features, np.full_like(target, target[0]))
    require_equal(alone, features, task)
    expected = np.eye(classes_of(task))[target[0]] if classes_of(task) else target[0]
    require(np.allclose(alone.predict(features), expected), "a single class or value is not predicted")
    for absent in range(classes_of(task)):
        kept = target != absent
        fitted = made(algorithm, task).fit(features[kept], target[kept], (features, target))
        require_equal(fitted, features, task)
        require(fitted.predict(features)[:, absent].max() < 0.01, f"class {absent} has no rows and is predicted")


def check_tiny_tables(algorithm: type[Algorithm], task: Task) -> None:
    """One row, a few rows, rare classes, constant columns: fitted without complaint."""
    features, target = rows_for(algorithm, task)
    order = np.argsort(target, kind="stable")
    few = order[[0, 1, len(order) // 2, -1]]
    for kept in (order[:1], order[[0, -1]], few, np.append(order[:40], order[-1])):
        require_equal(made(algorithm, task).fit(features[kept], target[kept]), features, task)
    constant = features.copy()
    constant[:, 1:] = 1
    require_equal(made(algorithm, task).fit(constant, target), features, task)
    require_equal(made(algorithm, task).fit(np.ones_like(features), target), features, task)
    require_equal(made(algorithm, task).fit(features[:, :1], target), features[:, :1], task)


def check_save_load(algorithm: type[Algorithm], task: Task) -> None:
    """A saved form loads with the same arrays and predicts the same."""
    features, target = rows_for(algorithm, task)
    form = made(algorithm, task).fit(features, target).form
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        save_form(form, path)
        loaded = load_form(path)
        require([entry.name for entry in Path(folder).iterdir()] == ["model.npz"], "saving left files behind")
    before, after = form_arrays(form), form_arrays(loaded)
    require(before.keys() == after.keys(), "saving lost a part of the form")
    require(all(np.array_equal(before[name], after[name]) for name in before), "saving changed an array")
    classes = classes_of(task)
    same = np.array_equal(form_predict(form, features, classes), form_predict(loaded, features, classes))
    require(same, "the loaded form predicts otherwise")


def check_onnx(algorithm: type[Algorithm], task: Task) -> None:
    """ONNX equals native on new rows, one row and values right at the training rows', within 1e-5 relative."""
    features, target = rows_for(algorithm, task)
    fitted = made(algorithm, task).fit(features, target, rows_for(algorithm, task, 60, seed=1))
    unseen, _ = rows_for(algorithm, task, 400, seed=2)
    for rows in (unseen, unseen[:1], features, np.zeros((2, COLUMNS), np.float32)):
        require_equal(fitted, rows, task)


def check_refit(algorithm: type[Algorithm], task: Task) -> None:
    """Fitting again with the hyperparameters found, without validation rows, gives a model of the same kind."""
    features, target = rows_for(algorithm, task)
    found = made(algorithm, task).fit(features, target, rows_for(algorithm, task, 60, seed=1))
    again = algorithm(task, classes_of(task), seed=7, **found.hyperparameters).fit(features, target)
    require(dict(again.hyperparameters) == dict(found.hyperparameters), "the hyperparameters found do not stay")
    require(type(again.form) is type(found.form), "the form changed")
    require(np.allclose(again.predict(features), found.predict(features), rtol=1e-6), "the refitted model differs")


def check_extreme_values(algorithm: type[Algorithm], task: Task) -> None:
    """Values far outside of training and unseen categories (code -1) give finite predictions, alike in ONNX."""
    features, target = rows_for(algorithm, task)
    fitted = made(algorithm, task).fit(features, target)
    for value in (1e30, -1e30, 1e6, -1e6, 1e-30, -1.0):
        for column in range(COLUMNS):
            rows = features[:4].copy()
            rows[:, column] = value
            require_predictions(fitted.predict(rows), 4, task)
            require_predictions(form_predict(fitted.form, rows, classes_of(task)), 4, task)
            if abs(value) <= 1e6:
                require_equal(fitted, rows, task)


def check_threads(algorithm: type[Algorithm], task: Task) -> None:
    """Two threads work, and predict nearly what one does."""
    features, target = rows_for(algorithm, task)
    one, two = (made(algorithm, task, threads=threads).fit(features, target) for threads in (1, 2))
    require(np.allclose(one.predict(features), two.predict(features), rtol=1e-3, atol=1e-3), "threads change the model")


def check_bad_hyperparameters(algorithm: type[Algorithm], task: Task) -> None:
    """Unknown names, wrong kinds, values out of range and foreign tasks are refused in one sentence."""
    classes = classes_of(task)
    with_error(HyperparameterError, partial(algorithm, task, classes, no_such_thing=1), "no_such_thing")
    for foreign in set(Task) - algorithm.tasks:
        with_error(HyperparameterError, partial(algorithm, foreign, classes), str(foreign))
    for key, hyperparameter in algorithm.hyperparameters.items():
        bad: list[Any] = [object(), None, math.nan]
        if not isinstance(hyperparameter.allowed, Choice):
            bad += ["text", hyperparameter.allowed.low - 1, hyperparameter.allowed.high + 1, math.inf]
        for value in bad:
            with_error(HyperparameterError, partial(algorithm, task, classes, **{key: value}), key)


def check_bad_rows(algorithm: type[Algorithm], task: Task) -> None:
    """No rows, lengths that differ, infinities and codes out of range are refused in one sentence."""
    features, target = rows_for(algorithm, task)
    infinite = np.where(np.arange(len(features))[:, None] == 5, np.float32(np.inf), features)
    wrong = np.where(np.arange(len(target)) == 5, np.nan if task is Task.REGRESSION else -1, target)
    attempts: list[tuple[Features, Target]] = [
        (features[:0], target[:0]),
        (features, target[:-1]),
        (features[:, 0], target),
        (infinite, target),
        (features, wrong),
    ]
    for rows, values in attempts:
        with_error(DataError, partial(made(algorithm, task).fit, rows, values), algorithm.name)
    validation = features[:, 1:], target
    with_error(DataError, partial(made(algorithm, task).fit, features, target, validation), "columns")


def with_error(kind: type[Exception], attempt: Callable[[], object], word: str) -> None:
    """Demand that the attempt raises `kind` with `word` in its sentence."""
    try:
        attempt()
    except kind as error:
        require(word in str(error), f"the error does not say {word!r}: {error}")
    else:
        raise AssertionError(f"{kind.__name__} about {word!r} was not raised")


CHECKS: tuple[Check, ...] = (
    check_declaration,
    check_fit_predict,
    check_determinism,
    check_missing_values,
    check_absent_classes,
    check_tiny_tables,
    check_save_load,
    check_onnx,
    check_refit,
    check_extreme_values,
    check_threads,
    check_bad_hyperparameters,
    check_bad_rows,
)
"""Each takes an algorithm class and one of its tasks and raises AssertionError with what is wrong."""


def check_algorithm(algorithm: type[Algorithm]) -> None:
    """Run every check on every task of the algorithm; raises AssertionError that names the check and the task.

    >>> from headrace.ml.algorithms.baseline import Baseline
    >>> check_algorithm(Baseline)
    """
    for task in sorted(algorithm.tasks):
        for check in CHECKS:
            try:
                check(algorithm, task)
            except AssertionError as error:
                raise AssertionError(f"{algorithm.name}, {task}, {check.__name__}: {error}") from error
