"""Explanations: they add up, know the truth where it is known, and repeat."""

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.prediction.baseline import ColumnBaseline
from headrace.ml.prediction.explanation import draw_background, explain_rows
from headrace.ml.tables.columns import Column, ColumnKind


def contributions(explanation):
    return {item["column"]: item["contribution"] for item in explanation["contributions"]}


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_contributions_sum_to_prediction_minus_base(models, training_rows, task):
    for explanation in explain_rows(models[task], training_rows, [0, 17, 299], seed=1, samples=20):
        total = sum(item["contribution"] for item in explanation["contributions"])
        assert total == pytest.approx(explanation["prediction"] - explanation["base"], abs=1e-9)
        sizes = [abs(item["contribution"]) for item in explanation["contributions"]]
        assert sizes == sorted(sizes, reverse=True)


def test_of_a_sum_each_part_contributes_its_distance_from_the_mean(models, training_rows):
    """The exact Shapley value of an additive model is the part's value minus its mean over the background."""
    (explained,) = explain_rows(models[Task.REGRESSION], training_rows, [5], seed=0, samples=4000)
    row = training_rows.row(5, named=True)
    got = contributions(explained)
    ages = training_rows["age"].fill_null(40.0)
    levels = training_rows["plan"].replace_strict({"basic": 0.0, "plus": 1.0, "pro": 2.0, "": -1.0})
    assert got["age"] == pytest.approx((row["age"] - ages.mean()) / 10, abs=0.1)
    assert got["plan"] == pytest.approx(levels[5] - levels.mean(), abs=0.1)
    assert got["note"] == pytest.approx((row["note"] == "good") - (training_rows["note"] == "good").mean(), abs=0.05)


def test_what_is_explained_is_the_positive_or_the_likeliest_class(models, training_rows):
    (binary,) = explain_rows(models[Task.BINARY], training_rows, [3], samples=4)
    assert binary["prediction"] == models[Task.BINARY].predict_frame(training_rows)[3, 1]
    assert binary["class"] == "yes"
    (several,) = explain_rows(models[Task.MULTICLASS], training_rows, [3], samples=4)
    probabilities = models[Task.MULTICLASS].predict_frame(training_rows)[3]
    assert several["prediction"] == probabilities.max()
    assert several["class"] == ("low", "middle", "high")[int(probabilities.argmax())]


def test_values_are_shown_and_missing_ones_are_none(models, training_rows):
    (explained,) = explain_rows(models[Task.BINARY], training_rows, [0], samples=4)
    values = {item["column"]: item["value"] for item in explained["contributions"]}
    row = training_rows.row(0, named=True)
    assert values == row | {"age": None}


def test_the_seed_decides_and_rows_do_not_depend_on_each_other(models, training_rows):
    model = models[Task.BINARY]
    both = explain_rows(model, training_rows, [4, 9], seed=3, samples=8)
    assert explain_rows(model, training_rows, [9], seed=3, samples=8) == both[1:]
    assert explain_rows(model, training_rows, [4, 9], seed=4, samples=8) != both


def test_backgrounds_follow_the_baseline():
    generator = np.random.default_rng(0)
    number = ColumnBaseline("n", ColumnKind.NUMBER, 100, 0.2, 3, quantiles=(0.0, 1.0, 2.0), mean=1.0, std=1.0)
    drawn = draw_background(number, Column("n", ColumnKind.NUMBER), 20_000, generator)
    given = drawn[~np.isnan(drawn)]
    assert np.isnan(drawn).mean() == pytest.approx(0.2, abs=0.02)
    assert (given == 1).mean() == pytest.approx(0.5, abs=0.02)
    labels = ColumnBaseline("c", ColumnKind.CATEGORY, 100, 0.1, 2, categories=(("a", 0.6), ("b", 0.3)))
    drawn = draw_background(labels, Column("c", ColumnKind.CATEGORY), 20_000, generator)
    assert (drawn == "a").mean() == pytest.approx(0.6, abs=0.02)
    assert (drawn == "").mean() == pytest.approx(0.1, abs=0.02)
    assert set(draw_background(None, Column("t", ColumnKind.TEXT), 3, generator)) == {""}
    assert np.isnan(draw_background(None, Column("n", ColumnKind.NUMBER), 3, generator)).all()


def test_no_rows_give_no_explanations(models, training_rows):
    assert explain_rows(models[Task.BINARY], training_rows, []) == []


def test_many_stages_are_predicted_in_several_runs(models, training_rows):
    whole = explain_rows(models[Task.REGRESSION], training_rows, [1], samples=7)
    assert explain_rows(models[Task.REGRESSION], training_rows, [1], samples=7, cells=50) == whole
    assert explain_rows(models[Task.REGRESSION], training_rows, [1], samples=7, cells=1) == whole
