"""The whole step: parts, duplicates, dropped columns, the test table, and that all of it repeats."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.errors import DataError
from headrace.ml.tables.columns import Column, ColumnKind


def test_parts_are_70_10_20_and_share_no_row(dataset_of, prepare, numbers):
    prepared = prepare(dataset_of(numbers(1000), np.arange(1000) % 2, Task.BINARY))
    parts = (prepared.train, prepared.validation, prepared.test)
    assert [len(part) for part in parts] == [700, 100, 200]
    assert len(np.unique(np.concatenate(parts))) == 1000
    assert "stratified" in prepared.split


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(dataset_of, prepare, numbers):
    dataset = dataset_of(numbers(300), np.arange(300) % 2, Task.BINARY)
    first, again, other = prepare(dataset, seed=1), prepare(dataset, seed=1), prepare(dataset, seed=2)
    assert np.array_equal(first.train, again.train)
    assert all(
        np.array_equal(a, b) for f, g in zip(first.folds, again.folds, strict=True) for a, b in zip(f, g, strict=True)
    )
    assert not np.array_equal(first.train, other.train)


def test_copies_leave_training_and_stay_where_models_are_judged(dataset_of, prepare, numbers):
    frame = pl.concat([numbers(200), numbers(200).head(50)])
    target = np.concatenate([np.arange(200) % 2, np.arange(50) % 2])
    prepared = prepare(dataset_of(frame, target, Task.BINARY))
    found = next(entry for entry in prepared.cleaning if entry.action == "duplicate rows removed from training")
    assert found.count > 25
    used = np.concatenate([prepared.train, prepared.validation, prepared.test])
    assert len(used) == 250 - found.count
    train = set(frame[prepared.train].iter_rows())
    assert len(train) == len(prepared.train)
    assert not train & set(frame[prepared.test].iter_rows())


def test_rows_that_repeat_by_nature_are_only_counted(dataset_of, prepare):
    frame = pl.DataFrame({"a": (["x", "y"] * 200), "b": (["u"] * 200 + ["v"] * 200)})
    prepared = prepare(dataset_of(frame, np.arange(400) % 2, Task.BINARY))
    assert [entry.action for entry in prepared.cleaning] == ["duplicate rows found"]
    assert len(prepared.train) == 280


def test_the_same_features_with_another_label_are_no_copy(dataset_of, prepare, numbers):
    frame = pl.concat([numbers(100), numbers(100)])
    prepared = prepare(dataset_of(frame, np.repeat([0, 1], 100), Task.BINARY))
    assert len(prepared.train) == 140


def test_repeated_columns_and_columns_constant_in_training_are_dropped(dataset_of, prepare, numbers):
    frame = numbers(200).with_columns(again=pl.col("x"), text=pl.lit("same"), shuffled=pl.col("x").reverse())
    prepared = prepare(dataset_of(frame, np.arange(200) % 2, Task.BINARY))
    assert prepared.frame.columns == [column.name for column in prepared.columns] == ["x", "z", "shuffled"]
    assert "the same as column 'x'" in prepared.dropped["again"]
    assert "constant" in prepared.dropped["text"]


def test_columns_repeat_with_their_missing_values(dataset_of, prepare):
    x = pl.Series("x", [None, *np.random.default_rng(0).normal(size=99)])
    frame = pl.DataFrame({"x": x, "same": x, "filled": x.fill_null(0.0)})
    assert set(prepare(dataset_of(frame, np.arange(100) % 2, Task.BINARY)).dropped) == {"same"}


def test_a_table_for_testing_takes_the_test_part_only(dataset_of, prepare, numbers):
    test = dataset_of(numbers(30), np.arange(30) % 2, Task.BINARY)
    prepared = prepare(dataset_of(numbers(80), np.arange(80) % 2, Task.BINARY, test=test))
    assert prepared.test.tolist() == list(range(80, 110))
    assert len(prepared.validation) == 10
    assert set(prepared.train) | set(prepared.validation) == set(range(80))
    assert prepared.source_rows[prepared.test].tolist() == list(range(1, 31))


def test_columns_set_aside_go_with_the_rows(dataset_of, prepare, numbers):
    aside = pl.DataFrame({"who": [f"p{i % 20}" for i in range(100)]})
    dataset = dataset_of(numbers(100), np.arange(100) % 2, Task.BINARY, aside=aside)
    prepared = prepare(dataset, group="who")
    assert prepared.aside["who"].to_list() == aside["who"].to_list()
    assert "who" not in prepared.frame.columns


def test_too_few_rows_are_refused(dataset_of, prepare, numbers):
    with pytest.raises(DataError, match="9 labelled rows; at least 10"):
        prepare(dataset_of(numbers(9), np.arange(9) % 2, Task.BINARY))


def test_findings_are_listed_and_left_alone(dataset_of, prepare):
    generator = np.random.default_rng(0)
    age = generator.integers(20, 60, 400).astype(float)
    age[:3] = (-1.0, -4.0, 190.0)
    city = generator.choice(["Bern", "Basel", "bern ", "BASEL"], 400, p=[0.5, 0.4, 0.06, 0.04])
    frame = pl.DataFrame({"age": age, "city": city, "noise": generator.normal(size=400)})
    dataset = dataset_of(
        frame, np.arange(400) % 2, Task.BINARY, disguised={"city": {"?": 3}}, unreadable={"age": 2}, unlabelled=5
    )
    prepared = prepare(dataset)
    found = {(entry.action, entry.column): entry for entry in prepared.cleaning}
    assert found["rows without a label dropped", None].count == 5
    assert found["disguised missing values", "city"].count == 3
    assert found["unreadable values made missing", "age"].count == 2
    assert 1 <= found["impossible values found", "age"].count <= 3
    assert prepared.spellings["city"] == {"bern ": "Bern", "BASEL": "Basel"}
    assert prepared.frame["city"].to_list() == city.tolist()


def test_spellings_of_personal_columns_stay_hidden(dataset_of, prepare):
    names = ["Ada", "ada", "Bob", "bob"] * 50
    frame = pl.DataFrame({"name": names, "x": np.random.default_rng(0).normal(size=200)})
    dataset = dataset_of(frame, np.arange(200) % 2, Task.BINARY, personal={"name": "email"})
    assert not any("ada" in entry.evidence for entry in prepare(dataset).cleaning)


def test_numbers_and_dates_held_as_text_are_told(dataset_of, prepare, numbers):
    dataset = dataset_of(numbers(50), np.arange(50) % 2, Task.BINARY)
    columns = (
        Column("x", ColumnKind.NUMBER, decimal=",", thousands=".", affixes=("€",)),
        Column("z", ColumnKind.DATE, date_formats=("%d.%m.%Y",)),
    )
    prepared = prepare(type(dataset)(**{**dataset.__dict__, "columns": columns}))
    evidence = {entry.action: entry.evidence for entry in prepared.cleaning}
    assert evidence["numbers held as text"] == "read with '.', '€', a decimal comma"
    assert evidence["dates held as text"] == "read as %d.%m.%Y"
