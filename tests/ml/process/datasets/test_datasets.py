"""Typing, exclusions, the target, the test table."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.errors import ColumnError, TargetError
from headrace.ml.process.business_problem import Charter
from headrace.ml.tables.columns import ColumnKind


def test_columns_are_typed_and_what_must_not_be_learnt_from_is_set_aside(develop, people):
    dataset = develop(people, "answer")
    assert [column.name for column in dataset.columns] == ["age", "gender", "city"]
    assert dataset.frame.columns == ["age", "gender", "city"]
    assert dataset.frame.dtypes == [pl.Float64, pl.String, pl.String]
    reasons = {name: reason.split(":")[0] for name, reason in dataset.excluded.items()}
    assert reasons["row"] == reasons["customer"] == "identifier"
    assert reasons["email"] == "personal data"
    assert reasons["same"] == "constant"
    assert reasons["answer_code"] == "leak"
    assert "no value in any of 200 rows" in dataset.excluded["empty"]
    assert dataset.personal == {"email": "email"}


def test_the_target_becomes_codes_with_the_positive_class_last(develop, people):
    dataset = develop(people, "answer", charter=Charter(positive_class="no"))
    assert dataset.target.dtype == np.int64
    assert np.array_equal(dataset.target, (people["answer"] == "no").to_numpy())


def test_disguised_missing_values_are_counted(develop, people):
    dataset = develop(people, "answer")
    questions = int((people["city"] == "?").sum())
    assert dataset.disguised["city"] == {"?": questions}
    assert int((dataset.frame["city"] == "").sum()) == questions


def test_rows_without_a_label_are_dropped_and_counted(develop, people):
    blank = people.with_columns(
        pl.when(pl.int_range(pl.len()) < 7).then(pl.lit("")).otherwise("answer").alias("answer")
    )
    dataset = develop(blank, "answer")
    assert dataset.unlabelled == 7
    assert dataset.rows[0] == 8
    assert dataset.frame.height == len(dataset.target) == 193


def test_rows_of_a_class_with_one_row_are_dropped_and_counted(develop, people):
    rare = people.with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("maybe")).otherwise("answer").alias("answer")
    )
    dataset = develop(rare, "answer")
    assert dataset.rare == {"maybe": 1}
    assert 4 not in dataset.rows
    assert dataset.unlabelled == 0


def test_excluded_columns_come_from_the_option_and_the_charter(develop, people):
    dataset = develop(people, "answer", exclude=("city",), charter=Charter(excluded_columns=("gender",)))
    assert [column.name for column in dataset.columns] == ["age"]
    assert "--exclude" in dataset.excluded["city"]


@pytest.mark.parametrize("option", ["exclude", "sensitive"])
def test_an_absent_column_is_refused_with_a_suggestion(develop, people, option):
    with pytest.raises(ColumnError, match="'citty', is not in the table; did you mean 'city'"):
        develop(people, "answer", **{option: ("citty",)})


def test_the_target_can_play_no_other_part(develop, people):
    with pytest.raises(ColumnError, match="is the target"):
        develop(people, "answer", group="answer")


def test_a_time_column_of_words_is_refused(develop, people):
    with pytest.raises(ColumnError, match="'city' holds neither dates nor numbers"):
        develop(people, "answer", time="city")


def test_a_table_with_nothing_to_learn_from_is_refused(develop, people):
    with pytest.raises(ColumnError, match="no column is left to learn from"):
        develop(people.select("row", "same", "answer"), "answer")


def test_sensitive_group_and_time_columns_are_kept_aside(develop, people):
    table = people.with_columns(pl.Series("day", [f"2026-01-{1 + i % 28:02d}" for i in range(200)]))
    dataset = develop(table, "answer", exclude=("gender",), sensitive=("gender",), group="city", time="day")
    assert dataset.aside.columns == ["gender", "city"]
    assert [column.name for column in dataset.aside_columns] == ["gender", "city"]
    assert "group" in dataset.excluded["city"]
    day = next(column for column in dataset.columns if column.name == "day")
    assert day.kind is ColumnKind.DATE


def test_a_regression_target_becomes_numbers(develop):
    generator = np.random.default_rng(1)
    x = generator.normal(size=100)
    frame = pl.DataFrame({"x": x, "y": 3 * x + generator.normal(size=100), "twice": np.zeros(100)})
    frame = frame.with_columns(twice=2 * pl.col("y") + 1)
    dataset = develop(frame, "y")
    assert dataset.task is Task.REGRESSION
    assert dataset.target.dtype == np.float64
    assert "on another scale" in dataset.excluded["twice"]


def test_the_same_order_as_the_target_is_a_leak(develop):
    y = np.random.default_rng(1).normal(size=100)
    frame = pl.DataFrame({"x": np.abs(y), "curve": np.exp(y), "y": y})
    assert "order of the target" in develop(frame, "y").excluded["curve"]


def test_the_test_table_is_typed_by_the_same_columns(develop, people):
    test = people.head(20).with_columns(pl.lit("1").alias("more"), city=pl.lit("Genf"))
    dataset = develop(people, "answer", test=test)
    assert dataset.test is not None
    assert dataset.test.columns == dataset.columns
    assert dataset.test.frame.height == len(dataset.test.target) == 20
    assert dataset.test.frame["city"].unique().to_list() == ["Genf"]
    assert any("'more'" in note for note in dataset.test.notes)


@pytest.mark.parametrize(
    ("spoil", "error", "sentence"),
    [
        (lambda test: test.drop("age"), ColumnError, "lacks 1 of the 3 columns to learn from .'age'."),
        (lambda test: test.drop("answer"), TargetError, "the test table has no target column 'answer'"),
        (lambda test: test.with_columns(answer=pl.lit("perhaps")), TargetError, "label 'perhaps' in row 1"),
        (lambda test: test.with_columns(answer=pl.lit("")), TargetError, "no usable label in its 200 rows"),
        (lambda test: test.with_columns(age=pl.lit("old")), ColumnError, "'age' of the test table has 200 values"),
    ],
)
def test_a_test_table_that_does_not_fit_is_refused(develop, people, spoil, error, sentence):
    with pytest.raises(error, match=sentence):
        develop(people, "answer", test=spoil(people))


def test_the_example_table(develop):
    frame = pl.read_csv("examples/telco_churn.csv", infer_schema=False)
    dataset = develop(frame, "Churn", source="examples/telco_churn.csv", sensitive=("gender",))
    assert set(dataset.excluded) == {"customerID"}
    assert dataset.frame.shape == (7043, 19)
    kinds = {column.name: column.kind for column in dataset.columns}
    assert kinds["TotalCharges"] is ColumnKind.NUMBER
    assert dataset.frame["TotalCharges"].null_count() == 11
    assert [check.status for check in dataset.readiness if check.name in ("availability", "privacy")] == [
        "pass",
        "pass",
    ]


def test_the_record_is_frozen(develop, people):
    with pytest.raises(dataclasses.FrozenInstanceError):
        develop(people, "answer").unlabelled = 3


def test_a_row_number_that_tells_the_target_is_called_a_leak(develop, people):
    dataset = develop(people.sort("answer").with_columns(row=pl.int_range(pl.len())), "answer")
    assert dataset.excluded["row"].startswith("leak: whole numbers, all 160 distinct, as identifiers are")
    assert next(check for check in dataset.readiness if check.name == "relevance").status == "warn"


def test_native_values_of_every_type_are_typed(develop):
    rows = 40
    frame = pl.DataFrame(
        {
            "list": [[1, 2], [3]] * (rows // 2),
            "struct": [{"p": 1.0, "q": "z"}, {"p": 2.0, "q": None}] * (rows // 2),
            "bytes": [b"a", b"\xff"] * (rows // 2),
            "nothing": [None] * rows,
            "x": [float(i % 7) for i in range(rows)],
            "y": ["no", "no", "yes", "yes"] * (rows // 4),
        }
    )
    dataset = develop(frame, "y")
    assert "x" in dataset.frame.columns
    assert set(dataset.frame.schema.dtypes()) <= {pl.Float64(), pl.String()}
