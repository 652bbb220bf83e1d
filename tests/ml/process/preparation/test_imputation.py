"""The choice of an imputation."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.preparation.imputation import choose_imputation


def with_gaps(frame: pl.DataFrame, name: str, where: np.ndarray) -> pl.DataFrame:
    return frame.with_columns(frame[name].set(pl.Series(where), None))


@pytest.fixture(scope="module")
def table() -> tuple[pl.DataFrame, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(900, 3))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "k": generator.choice(["u", "v"], 900)})
    return frame, (x[:, 0] + x[:, 1] + generator.normal(size=900) > 0).astype(np.int64)


def test_nothing_is_tried_where_nothing_is_missing(table):
    choice = choose_imputation(*table, Task.BINARY, seed=0, budget=60)
    assert (choice.strategy, choice.indicators, choice.scores) == ("median", False, {})
    assert "no number is missing" in choice.reason


def test_nothing_is_tried_in_a_hurry(table):
    frame = with_gaps(table[0], "a", np.arange(900) % 5 == 0)
    choice = choose_imputation(frame, table[1], Task.BINARY, seed=0, budget=15)
    assert (choice.strategy, choice.indicators, choice.scores) == ("median", True, {})
    assert "30 s" in choice.reason


def test_all_strategies_are_scored_and_the_simplest_good_one_is_taken(table):
    frame = with_gaps(table[0], "c", np.arange(900) % 5 == 0)
    choice = choose_imputation(frame, table[1], Task.BINARY, seed=0, budget=60)
    assert len(choice.scores) == 8
    assert all(np.isfinite(list(choice.scores.values())))
    assert (choice.strategy, choice.indicators) == ("median", False)
    assert choice == choose_imputation(frame, table[1], Task.BINARY, seed=0, budget=60)


def test_indicators_are_chosen_where_absence_tells_the_target(table):
    frame, target = table
    gone = (target == 1) & (np.arange(900) % 10 < 8)
    choice = choose_imputation(with_gaps(frame, "c", gone), target, Task.BINARY, seed=0, budget=None)
    assert choice.indicators
    assert choice.scores["median + indicators"] > choice.scores["median"]


def test_a_relation_between_columns_speaks_for_more_than_a_constant():
    generator = np.random.default_rng(0)
    x = generator.normal(size=900)
    frame = pl.DataFrame({"x": x, "twin": x + 0.05 * generator.normal(size=900), "far": generator.normal(size=900)})
    frame = with_gaps(with_gaps(frame, "x", generator.random(900) < 0.4), "twin", generator.random(900) < 0.4)
    choice = choose_imputation(frame, 3 * x + 0.1 * generator.normal(size=900), Task.REGRESSION, seed=0, budget=60)
    assert choice.strategy in ("iterative", "knn")
    assert choice.measure.startswith("R²")


def test_a_column_missing_throughout_and_rare_classes_do_no_harm(table):
    frame = with_gaps(table[0], "a", np.arange(900) % 5 == 0).with_columns(gone=pl.lit(None, dtype=pl.Float64))
    target = table[1].copy()
    target[:2] = 2
    choice = choose_imputation(frame, target, Task.MULTICLASS, seed=0, budget=60)
    assert len(choice.scores) == 8
