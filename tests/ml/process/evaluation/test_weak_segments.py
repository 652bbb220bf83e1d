"""Where the model fails worst: planted weaknesses are found with their reason, and noise has none."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.slices import conditions, described, rows_of_slice
from headrace.ml.process.evaluation.weak_segments import Judged, find_weak_segments
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = (
    Column("city", ColumnKind.CATEGORY),
    Column("age", ColumnKind.NUMBER),
    Column("size", ColumnKind.NUMBER),
)


def table(rows, seed):
    rng = np.random.default_rng(seed)
    age = [
        None if gap else float(a) for gap, a in zip(rng.random(rows) < 0.05, rng.integers(20, 70, rows), strict=True)
    ]
    return pl.DataFrame(
        {"city": rng.choice(["north", "south", "west"], rows), "age": age, "size": rng.normal(size=rows)}
    )


def judged(rows, seed, weak=lambda frame: np.zeros(frame.height, bool)):
    """Predictions that are calibrated, but for the weak rows, whose labels are drawn by the toss of a coin."""
    rng = np.random.default_rng(seed + 100)
    frame = table(rows, seed)
    chance = 1 / (1 + np.exp(-3 * rng.normal(size=rows)))
    target = (rng.random(rows) < np.where(weak(frame), 0.5, chance)).astype(np.int64)
    return Judged(frame, target, np.column_stack([1 - chance, chance]))


def south(frame):
    return (frame["city"] == "south").to_numpy()


def find(held_out, test, task=Task.BINARY, metric="roc_auc"):
    return find_weak_segments(held_out, test, held_out.frame, COLUMNS, task, METRICS[metric], 0.5, seed=0)


def test_a_weak_category_is_found_confirmed_and_explained():
    found = find(judged(2000, 0, south), judged(600, 1, south))
    worst = found[0]
    assert worst["segment"] == "'city' is 'south'"
    assert worst["confirmed"]
    assert worst["roc_auc"] < worst["overall"]
    assert worst["low"] < worst["roc_auc"] < worst["high"]
    assert "label noise" in worst["reason"]


def test_a_weakness_of_two_columns_is_found():
    def both(frame):
        return south(frame) & (frame["size"].to_numpy() > 0.7)

    worst = find(judged(4000, 2, both), judged(1500, 3, both))[0]
    assert set(worst["columns"]) == {"city", "size"}
    assert worst["confirmed"]


@pytest.mark.parametrize("seed", range(5))
def test_an_even_model_has_no_confirmed_weakness(seed):
    assert not any(row["confirmed"] for row in find(judged(1500, seed), judged(500, seed + 50)))


def test_what_the_test_part_does_not_show_is_not_confirmed():
    found = find(judged(2000, 0, south), judged(600, 1))
    assert found and not found[0]["confirmed"]


def test_values_are_judged_by_their_errors():
    rng = np.random.default_rng(0)

    def values(rows, seed):
        frame = table(rows, seed)
        target = rng.normal(size=rows)
        return Judged(frame, target, target + rng.normal(size=rows) * np.where(south(frame), 2.0, 0.5))

    worst = find(values(1500, 1), values(500, 2), Task.REGRESSION, "rmse")[0]
    assert worst["segment"] == "'city' is 'south'"
    assert worst["rmse"] > worst["overall"]


def test_few_rows_to_learn_from_are_a_reason():
    held_out = judged(2000, 0, south)
    train = held_out.frame.filter(pl.col("city") != "south")
    found = find_weak_segments(
        held_out, judged(600, 1, south), train, COLUMNS, Task.BINARY, METRICS["log_loss"], 0.5, seed=0
    )
    assert found[0]["reason"] == "few rows: only 0 to learn from"


def test_too_few_held_out_rows_find_nothing():
    assert find(judged(60, 0, south), judged(60, 1, south)) == []


def test_conditions_cut_the_rows_up_and_read_well():
    frame = table(400, 0)
    for column in COLUMNS:
        cut = conditions(frame, [column])
        assert np.sum([rows_of_slice((each,), frame) for each in cut], axis=0).tolist() == [1] * 400
    assert described((conditions(frame, COLUMNS[:1])[0],)).startswith("'city' is '")
    assert described((conditions(frame, COLUMNS[1:2])[-1],)) == "'age' is missing"
