"""Families earn their place: planted ones are kept, useless ones are not, and the work fits the budget."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task, View
from headrace.ml.process.feature_engineering import FeatureEngineering, engineer_features
from headrace.ml.process.feature_engineering.parity import compare_executions
from headrace.ml.process.feature_engineering.workload import WIDEST, plan_work
from headrace.ml.process.progress import Progress
from headrace.ml.tables.columns import Column, ColumnKind

ROWS = 1500


def preparation(frame, target, task=Task.REGRESSION, folds=3):
    """What the step reads of a preparation, with the last fifth of the rows for validation."""
    train, validation = np.arange(len(target) * 4 // 5), np.arange(len(target) * 4 // 5, len(target))
    plan = (
        tuple((train[train % folds != k], train[train % folds == k]) for k in range(folds))
        if folds > 1
        else ((train, validation),)
    )
    kinds = {pl.String: ColumnKind.CATEGORY, pl.Float64: ColumnKind.NUMBER}
    columns = tuple(Column(name, kinds[type(frame[name].dtype)]) for name in frame.columns)
    return SimpleNamespace(
        task=task,
        columns=columns,
        frame=frame,
        target=target,
        train=train,
        validation=validation,
        folds=plan,
        imputation="median",
        indicators=True,
    )


def engineer(prepared, classes=(), budget: float | None = 60.0) -> FeatureEngineering:
    return engineer_features(
        cast(Any, prepared),
        cast(Any, SimpleNamespace(classes=classes)),
        cast(Any, None),
        seed=0,
        progress=Progress(budget=budget),
    )


def table(seed=0):
    random = np.random.default_rng(seed)
    return random, pl.DataFrame(
        {
            "length": random.uniform(4, 10, ROWS),
            "width": random.uniform(4, 10, ROWS),
            "noise": random.normal(size=ROWS),
            "colour": random.choice(["red", "green", "blue"], ROWS),
            "shape": random.choice(["round", "square", "flat"], ROWS),
        }
    )


def kept(engineering, view):
    return {family.name: family for family in engineering.specification if family.view == view}


def test_a_planted_ratio_is_found_and_kept():
    random, frame = table()
    target = (frame["length"] / frame["width"]).to_numpy() + random.normal(size=ROWS) * 0.05
    engineering = engineer(preparation(frame, target))
    pairs = kept(engineering, View.TREES)["number pairs"].pairs
    assert pairs[0][0] == "ratio"
    assert {"length", "width"} == set(pairs[0][1:])
    feature = next(f for f in engineering.features if f.name.startswith("number pairs for tree"))
    assert feature.kept
    assert feature.gain is not None
    assert feature.gain > 0.02
    assert "loss falls by" in feature.reason


def test_planted_squares_and_steps_are_kept_for_linear_models():
    random, frame = table()
    target = frame["noise"].to_numpy() ** 2 + random.normal(size=ROWS) * 0.1
    assert {"bins", "products"} & set(kept(engineer(preparation(frame, target)), View.SCALED))


def test_a_planted_interaction_of_categories_is_kept():
    random, frame = table()
    same = ((frame["colour"] == "red") ^ (frame["shape"] == "round")).to_numpy()
    target = np.where(random.random(ROWS) < 0.05, ~same, same).astype(np.int64)
    engineering = engineer(preparation(frame, target, Task.BINARY), ("no", "yes"))
    assert {"colour", "shape"} == set(kept(engineering, View.SCALED)["category pairs"].pairs[0][1:])


def test_noise_keeps_next_to_nothing_and_decisions_repeat():
    random, frame = table()
    target = random.integers(0, 3, ROWS)
    prepared = preparation(frame, target, Task.MULTICLASS)
    first, second = (engineer(prepared, ("a", "b", "c")) for _ in range(2))
    assert first == second
    assert len(first.specification) <= 2
    assert any(not feature.kept and feature.gain is not None for feature in first.features)


@pytest.mark.parametrize("folds", [1, 3])
def test_what_was_decided_fits_and_agrees(folds):
    random, frame = table()
    frame = frame.with_columns(noise=pl.when(frame["noise"] > 1).then(None).otherwise(frame["noise"]))
    target = (frame["length"].to_numpy() + random.normal(size=ROWS) > 6).astype(np.int64)
    engineering = engineer(preparation(frame, target, Task.BINARY, folds), ("no", "yes"))
    plan, matrices = engineering.fit_transform(frame, target, views=list(View), seed=0)
    assert set(matrices) == set(View)
    assert compare_executions(plan, frame, list(View)) <= 1e-6


def test_a_short_budget_tries_nothing_and_says_so():
    _, frame = table()
    engineering = engineer(preparation(frame, frame["length"].to_numpy()), budget=15.0)
    untried = [feature for feature in engineering.features if "no time to try it" in feature.reason]
    assert {feature.kind for feature in untried} >= {"ratio and product features", "numeric binning"}
    assert all(feature.gain is None for feature in engineering.features)
    assert {family.name for family in engineering.specification} == {"target encodings", "powers", "one-hot"}


def test_of_very_many_columns_the_related_ones_are_read():
    random = np.random.default_rng(0)
    frame = pl.DataFrame({f"number {i}": random.normal(size=200) for i in range(WIDEST)}).with_columns(
        *(pl.Series(f"category {i}", random.choice(["a", "b", "c"], 200)) for i in range(50))
    )
    target = (frame["number 7"] + 2.0 * (frame["category 9"] == "a").cast(pl.Float64)).to_numpy()
    engineering = engineer(preparation(frame, target))
    names = {column.name for column in engineering.columns}
    assert len(names) == WIDEST
    assert {"number 7", "category 9"} <= names
    left_out = next(feature for feature in engineering.features if feature.name == "columns left out")
    assert len(left_out.sources) == 50
    assert not left_out.kept


def test_few_rows_decide_nothing():
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "", "y"]})
    engineering = engineer(preparation(frame, np.array([0, 1, 0]), Task.BINARY), ("no", "yes"))
    plan, _ = engineering.fit_transform(frame, np.array([0, 1, 0]), views=list(View), seed=0)
    assert compare_executions(plan, frame, list(View)) <= 1e-6


def test_work_grows_with_the_budget_and_shrinks_with_the_table():
    assert plan_work(5000, 20, 1, 6, 29).views == ()
    assert plan_work(5000, 20, 1, 6, 300).rows == 5000
    small, wide = plan_work(5000, 20, 1, 6, 60), plan_work(5000, 80, 1, 6, 60)
    assert small.rows >= wide.rows > 0
    assert plan_work(5000, 400, 8, 6, 60).views == ()
    assert plan_work(40, 5, 1, 6, None).views == ()
