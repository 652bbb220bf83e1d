"""Recognising the task, its classes, metric and shortlist; refusing what cannot be learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.errors import CharterError, ColumnError, NotBuiltError, OptionError, TargetError
from headrace.ml.process.business_problem import Charter, define_business_problem
from headrace.ml.process.problem_framing import frame_problem
from headrace.ml.process.problem_framing.recognition import usual_target
from headrace.ml.tables.table import Table

ROWS = 100
FREE_TEXT = "the {i}th letter says at some length that everything was fine, but for the food, which was rather cold"
DAYS = [f"2020-{i // 28 + 1:02d}-{i % 28 + 1:02d}" for i in range(ROWS)]


def table(**columns):
    frame = pl.DataFrame(columns, strict=False)
    return Table(frame, np.arange(1, frame.height + 1), "rows.csv", "csv")


def features(rows=ROWS):
    generator = np.random.default_rng(0)
    return {
        "a": generator.normal(size=rows),
        "b": generator.normal(size=rows),
        "c": generator.integers(0, 7, rows).astype(str),
        "d": generator.choice(["x", "y"], rows),
    }


def frame(target, charter=None, **options):
    return frame_problem(
        table(**features(len(target)), y=target),
        "y",
        define_business_problem(Charter.model_validate(charter or {})),
        **options,
    )


def refusal(error, target, charter=None, **options):
    with pytest.raises(error) as caught:
        frame(target, charter, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "classes", "positive"),
    [
        (["No", "Yes"], ("No", "Yes"), "Yes"),
        (["yes", "NO"], ("NO", "yes"), "yes"),
        ([0, 1], ("0", "1"), "1"),
        ([0.0, 1.0], ("0", "1"), "1"),
        ([1, 2, 1], ("1", "2"), "2"),
        ([True, False], ("false", "true"), "true"),
        (["<=50K", ">50K"], ("<=50K", ">50K"), ">50K"),
        (["stayed", "churned"], ("stayed", "churned"), "churned"),
        (["cat", "dog", "dog"], ("dog", "cat"), "cat"),
        (["cat", "cat", "dog"], ("cat", "dog"), "dog"),
    ],
)
def test_two_values_are_binary_with_the_positive_class_last(values, classes, positive):
    found = frame([values[i % len(values)] for i in range(ROWS)])
    assert (found.task, found.classes, found.positive_class) == (Task.BINARY, classes, positive)
    assert found.metric == "roc_auc"
    assert any(f"'{positive}' is the positive class" in sentence for sentence in found.evidence)


def test_a_target_named_like_one_of_its_labels_has_it_positive():
    rows = table(**features(), Tumour=["tumour", "none of it"] * 50)
    assert frame_problem(rows, "Tumour", define_business_problem(None)).positive_class == "tumour"


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (["a", "b", "c", "d"] * 25, Task.MULTICLASS),
        ([i % 5 + 3 for i in range(ROWS)], Task.MULTICLASS),
        ([str(i % 5 + 3) for i in range(ROWS)], Task.MULTICLASS),
        ([i % 5 / 2 for i in range(ROWS)], Task.REGRESSION),
        (list(range(ROWS)), Task.REGRESSION),
        ([f"{i / 7:.2f}".replace(".", ",") for i in range(ROWS)], Task.REGRESSION),
        ([f"${i * 13:,}" for i in range(ROWS)], Task.REGRESSION),
    ],
)
def test_the_task_is_recognised_with_evidence(target, task):
    found = frame(target)
    assert found.task is task
    assert "'y'" in found.evidence[0]
    assert (found.positive_class, bool(found.classes)) == (None, task is Task.MULTICLASS)


def test_numbers_as_classes_are_sorted_as_numbers_and_can_be_overruled():
    target = [(i % 4 + 1) * 5 for i in range(ROWS)]
    assert frame(target).classes == ("5", "10", "15", "20")
    assert frame(target, task=Task.REGRESSION).task is Task.REGRESSION


def test_a_partly_missing_target_is_counted():
    found = frame([["no", "yes", None, "", "?"][i % 5] for i in range(ROWS)])
    assert (found.observations, found.unlabelled) == (40, 60)
    assert any("60 of 100 rows have no label" in sentence for sentence in found.evidence)


def test_missing_numbers_are_counted():
    found = frame([None if i % 4 == 0 else i / 7 for i in range(ROWS)])
    assert (found.task, found.observations, found.unlabelled) == (Task.REGRESSION, 75, 25)


def test_a_class_with_one_row_is_left_out_and_said():
    found = frame(["a", "b", "c"] * 33 + ["d"])
    assert found.classes == ("a", "b", "c")
    assert dict(found.rare) == {"d": 1}
    assert found.observations == 99
    assert any("left out" in sentence and "d (1)" in sentence for sentence in found.evidence)


def test_three_classes_of_which_one_is_rare_are_binary():
    found = frame(["a"] * 60 + ["b"] * 39 + ["c"])
    assert (found.task, found.classes) == (Task.BINARY, ("a", "b"))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([None] * ROWS, "is missing in all 100 rows"),
        ([""] * ROWS, "is missing in all 100 rows"),
        (["a"] * ROWS, "has the single value 'a' in all 100 rows"),
        ([3] * ROWS, "has the single value '3' in all 100 rows"),
        (["a"] * (ROWS - 1) + ["b"], "has 1 row of class 'b'; at least two classes"),
        ([f"id{i}" for i in range(ROWS)], "it looks like an identifier"),
        ([f"{FREE_TEXT}".format(i=i) for i in range(ROWS)], "it looks like an identifier"),
        ([f"id{i // 4}" for i in range(4 * 300)], "has 300 different labels in 1,200 rows, and at most 200"),
        (["a"], "only 1 row has a label"),
        (["a", "b", "a"], "only 3 rows have a label"),
        (DAYS, "holds dates"),
        (
            [str(i / 7) for i in range(ROWS - 2)] + ["n.b.", "7"],
            "1 value that is not a number (first: 'n.b.' in row 99)",
        ),
        ([str(i / 7) for i in range(ROWS - 2)] + ["oh", "eh"], "2 values that are not numbers (first: 'oh' in row 99)"),
        (
            [str(i / 7) for i in range(ROWS - 2)] + ["inf", "-inf"],
            "2 values that are infinite (first: 'inf' in row 99)",
        ),
        ([i / 7 for i in range(ROWS - 1)] + [float("-inf")], "1 value that is infinite (first: '-inf' in row 100)"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(target, message):
    assert message in refusal(TargetError, target)


def test_a_million_labels_are_refused_with_a_hint():
    rows = table(a=np.arange(1_000_000), b=np.arange(1_000_000) % 7, y=[f"u{i}" for i in range(1_000_000)])
    with pytest.raises(TargetError, match=r"1,000,000 different labels .*group its labels"):
        frame_problem(rows, "y", define_business_problem(None))


def test_an_empty_table_is_refused():
    with pytest.raises(TargetError, match="has no rows"):
        frame_problem(table(a=[], b=[], y=[]), "y", define_business_problem(None))


@pytest.mark.parametrize(
    ("target", "task", "message"),
    [
        (["a", "b"] * 50, Task.REGRESSION, "100 values that are not numbers (first: 'a' in row 1)"),
        (["a", "b", "c", "d"] * 25, Task.BINARY, "has 4 classes, and a binary task has two; pass --task multiclass"),
        (
            [i / 7 for i in range(1000)],
            Task.MULTICLASS,
            "1,000 different labels in 1,000 rows, and at most 200 can be told apart; pass --task regression",
        ),
    ],
)
def test_a_task_that_does_not_fit_the_target_is_refused(target, task, message):
    assert message in refusal(TargetError, target, task=task)


def test_multiclass_of_two_classes_is_binary_and_said():
    found = frame(["a", "b"] * 50, task=Task.MULTICLASS)
    assert found.task is Task.BINARY
    assert any("the task is binary" in sentence for sentence in found.evidence)


def test_an_absent_target_suggests_the_nearest_column():
    rows = table(**features(), Churn=["a", "b"] * 50)
    with pytest.raises(ColumnError, match="no column 'chrun' to predict; did you mean 'Churn'"):
        frame_problem(rows, "chrun", define_business_problem(None))
    with pytest.raises(ColumnError, match="the table has a, b, c, d, Churn"):
        frame_problem(rows, "zzzzzz", define_business_problem(None))


def test_a_table_of_the_target_alone_is_refused():
    with pytest.raises(ColumnError, match="no column beside the target"):
        frame_problem(table(y=["a", "b"] * 50), "y", define_business_problem(None))


def test_columns_that_the_charter_excludes_are_no_features():
    assert frame(["a", "b"] * 50, {"excluded_columns": ["b"]}).features == ("a", "c", "d")


@pytest.mark.parametrize(
    ("columns", "target", "task"),
    [
        ({"day": DAYS, "sales": np.arange(ROWS) / 7}, "sales", "forecasting"),
        ({"day": DAYS[:50] * 2, "shop": ["n"] * 50 + ["s"] * 50, "sales": np.arange(ROWS) / 7}, "sales", "forecasting"),
        ({"day": DAYS, "sales": np.arange(ROWS) / 7}, None, "forecasting"),
        (
            {"user_id": np.arange(ROWS) % 9, "itemId": np.arange(ROWS), "rating": np.arange(ROWS) % 5},
            "rating",
            "recommendation",
        ),
        ({"user_id": np.arange(ROWS) % 9, "movie": np.arange(ROWS)}, None, "recommendation"),
        ({"InvoiceNo": np.arange(ROWS) // 3, "product": ["tea", "milk"] * 50}, None, "association rules"),
    ],
)
def test_tasks_not_built_yet_are_recognised_and_said(columns, target, task):
    with pytest.raises(NotBuiltError, match=f"^{task} is recognised .* and not built yet"):
        frame_problem(table(**columns), target, define_business_problem(None))


LETTERS = [FREE_TEXT.format(i=i) for i in range(ROWS)]


def test_text_alone_is_classified_by_its_words():
    rows = table(letter=LETTERS, mood=["good", "bad"] * 50)
    for task in (None, Task.TEXT_CLASSIFICATION):
        framing = frame_problem(rows, "mood", define_business_problem(None), task=task)
        assert framing.task is Task.BINARY
        assert framing.evidence[0].startswith("The rows are to be told apart by what they hold (text_classification)")


def test_text_with_numbers_to_predict_is_regression():
    rows = table(letter=LETTERS, price=np.arange(ROWS) / 7)
    assert frame_problem(rows, "price", define_business_problem(None)).task is Task.REGRESSION


def test_pictures_are_classified_and_their_names_are_not():
    picture = b"\x89PNG\r\n\x1a\n"
    rows = table(image=[picture + bytes([i]) for i in range(ROWS)], animal=["cat", "dog"] * 50)
    framing = frame_problem(rows, "animal", define_business_problem(None))
    assert framing.task is Task.BINARY
    assert "'image', holds pictures" in framing.evidence[0]
    rows = table(file=[f"a/{i}.PNG" for i in range(ROWS)], animal=["cat", "dog"] * 50)
    with pytest.raises(ColumnError, match="names files of pictures and does not hold them; give the folder"):
        frame_problem(rows, "animal", define_business_problem(None))


def test_contents_that_are_asked_for_must_be_there():
    rows = table(**features(), mood=["good", "bad"] * 50)
    with pytest.raises(
        OptionError, match="--task image_classification needs a column that holds pictures, and none of"
    ):
        frame_problem(rows, "mood", define_business_problem(None), task=Task.IMAGE_CLASSIFICATION)


def test_the_target_of_a_folder_is_the_name_of_the_subfolder():
    listing = table(path=["a/1.txt"] * ROWS, text=LETTERS, label=["a"] * ROWS)
    assert usual_target(replace(listing, format="text folder"), None) == "label"
    assert usual_target(replace(listing, format="text folder"), "text") == "text"
    assert usual_target(listing, None) is None


def test_a_table_without_target_whose_shape_says_nothing_is_refused():
    rows = table(a=np.arange(ROWS), b=np.arange(ROWS))
    with pytest.raises(ColumnError, match=r"^no target is named; pass --target with one of a, b .* --task clustering"):
        frame_problem(rows, None, define_business_problem(None))


def test_a_task_not_built_is_refused_when_asked_for():
    assert "anomaly detection is recognised (it was asked for" in refusal(
        NotBuiltError, [0, 1] * 50, task=Task.ANOMALY_DETECTION
    )


def test_text_beside_other_columns_is_still_a_table():
    rows = table(letter=[FREE_TEXT.format(i=i) for i in range(ROWS)], age=np.arange(ROWS), mood=["good", "bad"] * 50)
    assert frame_problem(rows, "mood", define_business_problem(None)).task is Task.BINARY


def test_a_time_column_beside_many_others_is_no_forecast():
    rows = table(day=DAYS, **features(), y=np.arange(ROWS) / 7)
    assert frame_problem(rows, "y", define_business_problem(None), time="day").task is Task.REGRESSION


def test_an_explicit_task_overrules_forecasting():
    rows = table(day=DAYS, sales=np.arange(ROWS) / 7)
    assert frame_problem(rows, "sales", define_business_problem(None), task=Task.REGRESSION).task is Task.REGRESSION


def test_an_absent_time_column_suggests_the_nearest():
    with pytest.raises(ColumnError, match="no time column 'dya'; did you mean 'day'"):
        frame_problem(table(day=DAYS, **features(), y=[0, 1] * 50), "y", define_business_problem(None), time="dya")


@pytest.mark.parametrize(
    ("charter", "asked", "metric"),
    [
        ({}, None, "roc_auc"),
        ({}, "f1", "f1"),
        ({"kpis": [{"metric": "average_precision", "minimum": 0.1}]}, None, "average_precision"),
        ({"kpis": [{"metric": "recall", "minimum": 0.1}]}, None, "roc_auc"),
        ({"kpis": [{"metric": "brier", "maximum": 0.1}]}, "mcc", "mcc"),
    ],
)
def test_the_metric_is_the_option_or_the_kpi_or_the_usual_one(charter, asked, metric):
    assert frame([0, 1] * 50, charter, metric=asked).metric == metric


def test_metrics_and_kpis_of_another_task_are_refused():
    assert "does not judge a binary task" in refusal(OptionError, [0, 1] * 50, metric="rmse")
    kpi = {"kpis": [{"metric": "rmse", "maximum": 1}]}
    assert "KPI 'rmse' does not judge a binary task" in refusal(CharterError, [0, 1] * 50, kpi)
    money = {"kpis": [{"metric": "expected_value", "minimum": 1}], "error_cost": {"under": 1}}
    assert "needs the key 'decisions' for a binary task" in refusal(CharterError, [0, 1] * 50, money)
    assert "needs the key 'costs' for a multiclass task" in refusal(CharterError, ["a", "b", "c", "d"] * 25, money)


def test_costs_of_mistakes_fit_the_classes_or_are_refused():
    costs = {"costs": {"a": {"*": 5}}}
    assert frame(["a", "b", "c"] * 33, costs).task == Task.MULTICLASS
    assert "'costs' name 'a', which is no class" in refusal(CharterError, ["x", "y", "z"] * 33, costs)
    assert "use 'decisions'" in refusal(CharterError, ["a", "b"] * 50, costs)


def test_the_positive_class_of_the_charter_is_taken_whatever_its_case():
    assert frame(["a", "b"] * 50, {"positive_class": "A"}).classes == ("b", "a")
    message = refusal(CharterError, ["north", "south"] * 50, {"positive_class": "nroth"})
    assert message == (
        "the charter's positive_class 'nroth' is no label of 'y'; did you mean 'north'?; its labels are 'north' and 'south'"
    )


def test_the_shortlist_has_reasons_and_follows_size_and_interpretability():
    names = dict(frame([0, 1] * 50).shortlist)
    assert {"gradient_boosting_lightgbm", "linear_logistic", "support_vector_machine"} <= set(names)
    assert "linear_square" not in names and all(names.values())
    readable = dict(frame([0, 1] * 50, {"interpretability": "required"}).shortlist)
    assert set(readable) == {"linear_logistic", "linear_hinge", "decision_tree", "naive_bayes"}
    preferred = [name for name, _ in frame([0, 1] * 50, {"interpretability": "preferred"}).shortlist]
    assert preferred[0] == "linear_logistic" and set(preferred) == set(names)
    many = dict(frame([0, 1] * 15_000).shortlist)
    assert "support_vector_machine" not in many and "k_nearest_neighbors" in many


def test_the_shortlist_of_a_regression_has_no_classifiers():
    names = dict(frame([i / 7 for i in range(ROWS)]).shortlist)
    assert "linear_square" in names and not {"linear_logistic", "linear_hinge", "naive_bayes"} & set(names)


def test_the_baseline_is_said_in_figures():
    assert "'no' every time (75.0% of the rows)" in frame(["no", "no", "no", "yes"] * 25).baseline
    assert frame([i / 10 for i in range(101)]).baseline == "always the mean of 'y', about 5"


@pytest.mark.parametrize(("factor", "units"), [(1e300, "larger"), (1e-300, "smaller")])
def test_numbers_that_no_model_can_hold_are_refused(factor, units):
    message = refusal(TargetError, [i / 7 * factor for i in range(ROWS)])
    assert f"and models can hold 1e-30 to 1e+30; give it in {units} units" in message


def test_pictures_are_not_left_to_boosted_trees():
    rows = table(image=[b"\x89PNG\r\n\x1a\n" + bytes([i]) for i in range(ROWS)], animal=["cat", "dog"] * 50)
    names = [name for name, _ in frame_problem(rows, "animal", define_business_problem(None)).shortlist]
    assert names[:2] == ["linear_logistic", "extra_trees"]
    assert "support_vector_machine" in names
    assert not any(name.startswith("gradient_boosting") for name in names)
