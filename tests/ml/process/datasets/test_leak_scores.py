"""Columns that leak: set aside where it is certain, named with the score with and without them where it is not."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import ColumnError
from headrace.ml.process.datasets.leak_scores import LEARNT_FROM, SET_ASIDE, seconds_to_weigh

ROWS = 600


@pytest.fixture
def calls():
    """Rows of calls: age and plan tell a little of the answer."""
    rng = np.random.default_rng(3)
    age, plan = rng.integers(20, 70, ROWS), rng.choice(["a", "b", "c"], ROWS)
    answer = age + 12 * (plan == "a") + rng.normal(0, 18, ROWS) > 50
    return pl.DataFrame(
        {
            "age": age.astype(str),
            "plan": plan,
            "channel": rng.choice(["web", "shop"], ROWS),
            "size": rng.normal(size=ROWS).round(3).astype(str),
            "answer": np.where(answer, "yes", "no"),
        }
    )


def keys(answer, rng, wrong=0.0):
    """Numbers as keys are, drawn from a range a class."""
    yes = (answer == "yes").to_numpy() ^ (rng.random(len(answer)) < wrong)
    return pl.Series(np.where(yes, 7_000_000, 1_000_000) + rng.choice(900_000, len(answer), replace=False))


@pytest.mark.parametrize("wrong", [0.0, 0.03])
def test_a_key_that_tells_the_class_is_set_aside_with_both_scores(develop, calls, wrong):
    table = calls.with_columns(ref=keys(calls["answer"], np.random.default_rng(0), wrong))
    dataset = develop(table, "answer")
    leak = next(leak for leak in dataset.leaks if leak.column == "ref")
    assert leak.action == SET_ASIDE
    assert "ref" not in dataset.frame.columns
    assert leak.score > 0.95 > leak.score_without
    assert not leak.condition


def test_numbers_that_number_the_rows_are_set_aside_whatever_their_name(develop, calls):
    table = calls.with_columns(place=pl.Series(np.random.default_rng(0).permutation(2 * ROWS)[:ROWS]))
    assert "numbers the rows" in develop(table, "answer").excluded["place"]


def test_counts_that_happen_to_differ_stay(develop, calls):
    values = np.random.default_rng(0).choice(50_000_000, ROWS, replace=False)
    assert "cells" in develop(calls.with_columns(cells=pl.Series(values)), "answer").frame.columns


def test_what_is_filled_in_for_one_class_only_is_set_aside(develop, calls):
    rng = np.random.default_rng(1)
    reason = np.where(calls["answer"] == "yes", rng.choice(["price", "service", "other"], ROWS), "")
    dataset = develop(calls.with_columns(why=pl.Series(reason)), "answer")
    assert "filled in exactly where the target has one class" in dataset.excluded["why"]


def test_what_is_known_after_the_event_by_its_name_is_a_condition(develop, calls):
    rng = np.random.default_rng(2)
    seconds = rng.gamma(2, 100, ROWS) + 300 * (calls["answer"] == "yes").to_numpy()
    dataset = develop(calls.with_columns(duration=pl.Series(seconds.round(1))), "answer")
    assert "duration" in dataset.frame.columns
    leak = next(leak for leak in dataset.leaks if leak.column == "duration")
    assert leak.action == LEARNT_FROM
    assert leak.condition
    assert leak.score > leak.score_without + 0.05
    assert list(dataset.suspicious) == ["duration"]


def test_a_column_that_decides_most_is_shown_and_is_no_condition(develop, calls):
    leaks = develop(calls, "answer").leaks
    assert [leak.column for leak in leaks] == ["age"]
    assert not leaks[0].condition


def test_keep_overrules_and_is_no_condition(develop, calls):
    table = calls.with_columns(ref=keys(calls["answer"], np.random.default_rng(0)))
    dataset = develop(table, "answer", keep=("ref",))
    assert "ref" in dataset.frame.columns
    assert dataset.suspicious == {}


def test_a_column_both_kept_and_excluded_is_refused(develop, calls):
    with pytest.raises(ColumnError, match="'age' is named both to keep and to exclude"):
        develop(calls, "answer", keep=("age",), exclude=("age",))


def test_the_labels_of_the_test_part_make_no_leak(develop, calls):
    test = develop(calls, "answer").parts.test
    rng = np.random.default_rng(5)
    copied = rng.permutation(calls["answer"].to_numpy())
    copied[test] = calls["answer"].to_numpy()[test]
    assert "copy" in develop(calls.with_columns(copy=pl.Series(copied)), "answer").frame.columns


def test_where_there_is_no_time_to_measure_the_name_alone_makes_a_condition(develop, calls):
    answer = (calls["answer"] == "yes").to_numpy()
    duration = pl.Series(answer * 300 + np.random.default_rng(5).integers(0, 500, ROWS))
    table = calls.with_columns(duration=duration, ref=keys(calls["answer"], np.random.default_rng(0)))
    leaks = {leak.column: leak for leak in develop(table, "answer", weighed=False).leaks}
    assert set(leaks) == {"ref", "duration"}
    assert leaks["ref"].action == SET_ASIDE
    assert leaks["duration"].condition
    assert all(leak.score is None for leak in leaks.values())


def test_the_estimate_grows_with_columns_and_with_classes_no_further_than_need_be():
    assert seconds_to_weigh(10, 2) < seconds_to_weigh(90, 2) == seconds_to_weigh(90, 0) < 3
    assert seconds_to_weigh(90, 10) < 4
    assert seconds_to_weigh(100, 2) == seconds_to_weigh(1_000, 2)
