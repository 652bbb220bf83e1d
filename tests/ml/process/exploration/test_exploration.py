"""Exploration: plain JSON, sampled and capped, and nothing personal in it."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.exploration import Exploration, explore_data
from headrace.ml.process.preparation import prepare_data
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column, ColumnKind


def explore(frame: pl.DataFrame, target: Any, task: Task, *, seed: int = 0, **fields: Any) -> Exploration:
    columns = tuple(
        Column(name, ColumnKind.NUMBER if kind == pl.Float64 else ColumnKind.CATEGORY)
        for name, kind in frame.schema.items()
    )
    values = np.asarray(target, dtype=np.int64 if task in CLASSIFICATION else np.float64)
    classes = tuple(f"class{i}" for i in range(int(values.max()) + 1)) if task in CLASSIFICATION else ()
    framing = ProblemFraming(task, (), "y", len(values), 0, (), classes, None, "", "", ())
    plain = {"personal": {}, "excluded": {}, "readiness": ()}
    dataset = Dataset(task, columns, frame, values, np.arange(1, len(values) + 1), **{**plain, **fields})
    return explore_data(dataset, prepare_data(dataset, framing, seed=seed, budget=5), framing, seed=seed)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=1000)
    return pl.DataFrame(
        {
            "x": x,
            "near": x + 0.1 * generator.normal(size=1000),
            "gaps": pl.Series(generator.normal(size=1000)).set(pl.Series(generator.random(1000) < 0.3), None),
            "wild": np.where(generator.random(1000) < 0.02, 1e6, generator.normal(size=1000)),
            "k": generator.choice(["a", "b", "c", ""], 1000),
            "pair": np.where(x > 0, "hi", "lo"),
        }
    )


@pytest.fixture(scope="module")
def target(table) -> np.ndarray:
    return (table["x"].to_numpy() + np.random.default_rng(1).normal(size=1000) > 0).astype(np.int64)


def plain(record: Exploration) -> str:
    return json.dumps(
        {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}, allow_nan=False
    )


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_all_is_plain_json_and_repeats(table, target, task):
    values = (
        table["x"].to_numpy()
        if task is Task.REGRESSION
        else target + (task is Task.MULTICLASS) * (table["k"] == "a").to_numpy()
    )
    assert plain(explore(table, values, task)) == plain(explore(table, values, task))


def test_statistics_are_those_of_the_training_part(table, target):
    found = {column["name"]: column for column in explore(table, target, Task.BINARY).columns}
    assert list(found) == table.columns
    assert found["x"]["count"] == 700
    assert abs(found["x"]["mean"]) < 0.2
    assert found["x"]["quartiles"] == sorted(found["x"]["quartiles"])
    assert 150 < found["gaps"]["missing"] < 270
    assert found["gaps"]["count"] + found["gaps"]["missing"] == 700
    assert found["k"]["distinct"] == 3
    assert {value for value, _ in found["k"]["top"]} == {"a", "b", "c"}
    assert found["wild"]["outliers"]["robust_z"] >= 5
    assert found["x"]["relevance"] > found["gaps"]["relevance"]


def test_charts_count_every_row(table, target):
    found = explore(table, target, Task.BINARY)
    assert sum(entry["count"] for entry in found.histograms["x"]) == 700
    assert sum(entry["count"] for entry in found.histograms["k"]) == 700
    along = found.target_by_feature["x"]
    assert sum(entry["count"] for entry in along) == 700
    assert along[0]["target"] < 0.3 < 0.7 < along[-1]["target"]
    assert found.target_by_feature["gaps"][-1]["value"] == ""


def test_relations_between_numbers_and_texts(table, target):
    found = explore(table, target, Task.BINARY).correlations
    place = {name: i for i, name in enumerate(found["columns"])}
    assert found["pearson"][place["x"]][place["near"]] > 0.95
    assert found["spearman"][place["x"]][place["near"]] > 0.95
    assert found["pearson"][place["x"]][place["k"]] is None
    assert found["association"][place["x"]][place["pair"]] > 0.7
    assert found["association"][place["k"]][place["pair"]] < 0.2
    assert np.array_equal(np.array(found["association"]), np.array(found["association"]).T)


def test_missing_values_are_mapped(table, target):
    found = explore(table, target, Task.BINARY)
    assert found.missing_map["columns"] == ["gaps", "k"]
    assert len(found.missing_map["rows"]) == 150
    assert sum(pattern["count"] for pattern in found.missing_map["patterns"]) == 700


def test_scatter_points_are_few_and_coloured(table, target):
    pairs = explore(table, target, Task.BINARY).scatter
    assert 1 <= len(pairs) <= 6
    assert all(0 < len(pair["points"]) <= 400 for pair in pairs)
    assert pairs[0]["points"][0]["target"] in ("class0", "class1")


def test_a_column_that_knows_too_much_is_called_a_leak(table, target):
    leaky = table.with_columns(told=pl.Series(target + np.random.default_rng(2).random(1000) * 0.5))
    assert [leak["column"] for leak in explore(leaky, target, Task.BINARY).leaks] == ["told"]


def test_personal_values_never_appear(table, target):
    secret = table.with_columns(
        who=pl.Series([f"10.77.{i % 250}.{i % 9}" for i in range(1000)]),
        number=pl.Series(770_000_001.0 + np.arange(1000) % 300),
    )
    found = explore(secret, target, Task.BINARY, personal={"who": "ip address", "number": "phone"})
    text = plain(found)
    assert "10.77." not in text
    assert "77000" not in text
    private = [column for column in found.columns if column["private"]]
    assert [column["name"] for column in private] == ["who", "number"]
    assert "who" not in found.histograms and "who" not in found.target_by_feature


def test_long_tables_are_sampled_and_it_is_said():
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"x": generator.normal(size=40_000)})
    assert explore(frame, np.arange(40_000) % 2, Task.BINARY).sampled == 20_000


def test_wide_tables_keep_statistics_of_all_and_detail_of_the_best():
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": generator.normal(size=100) for i in range(300)})
    found = explore(frame, np.arange(100) % 2, Task.BINARY)
    assert len(found.columns) == 300
    assert len(found.histograms) == len(found.target_by_feature) == 60
    assert len(found.correlations["columns"]) == 40


@pytest.mark.parametrize(
    "values",
    [[5.0] * 100, [0.0, 1e-300] * 50, [1e300, -1e300] * 50, [1.0, 1.0 + 2**-52] * 50, [None] * 50 + [1.0, 2.0] * 25],
)
def test_extreme_numbers_stay_finite(values):
    frame = pl.DataFrame({"odd": pl.Series(values, dtype=pl.Float64), "x": np.random.default_rng(0).normal(size=100)})
    text = plain(explore(frame, np.arange(100) % 2, Task.BINARY))
    assert math.isfinite(len(text)) and "Infinity" not in text


def test_tables_without_numbers_or_without_texts():
    words = pl.DataFrame({"k": ["a", "b"] * 50})
    found = explore(words, np.arange(100) % 3 % 2, Task.BINARY)
    assert found.scatter == () and found.outliers == ()
    assert found.missing_map["columns"] == []


def test_values_are_described_for_regression(table):
    found = explore(table, table["near"].to_numpy() * 3, Task.REGRESSION)
    assert found.target["kind"] == "values"
    assert sum(entry["count"] for entry in found.target["histogram"]) == 700
    assert isinstance(found.scatter[0]["points"][0]["target"], float)


def test_single_values_of_nearly_distinct_texts_are_not_listed(table, target):
    named = table.with_columns(name=pl.Series([f"Passenger {i}" for i in range(1000)]))
    found = explore(named, target, Task.BINARY)
    assert "Passenger" not in plain(found)
    assert next(column for column in found.columns if column["name"] == "name")["distinct"] == 700
