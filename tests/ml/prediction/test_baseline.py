"""The drift baseline: what is measured, what is left out, and that it comes back."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import ModelError
from headrace.ml.prediction.baseline import QUANTILES, TOP_CATEGORIES, Baseline, measure_baseline
from headrace.ml.tables.columns import Column, ColumnKind

NUMBER = Column("n", ColumnKind.NUMBER)
CATEGORY = Column("c", ColumnKind.CATEGORY)
TEXT = Column("t", ColumnKind.TEXT)


def measure(values, column, **options):
    frame = pl.DataFrame({column.name: values})
    return measure_baseline(frame, [column], np.zeros(frame.height), **options).columns[0]


def test_numbers_have_quantiles_that_occurred():
    values = [*map(float, range(100)), None, float("nan")]
    measured = measure(values, NUMBER)
    assert len(measured.quantiles) == QUANTILES
    assert measured.quantiles[0] == 0 and measured.quantiles[-1] == 99
    assert set(measured.quantiles) <= set(values[:100])
    assert measured.count == 102
    assert measured.missing == pytest.approx(2 / 102)
    assert measured.distinct == 100
    assert measured.mean == pytest.approx(49.5)
    assert measured.std == pytest.approx(np.arange(100).std())


def test_numbers_near_the_largest_stay_finite():
    measured = measure([1.7e308, -1.7e308, 1.6e308], NUMBER)
    assert np.isfinite([measured.mean, measured.std]).all()


def test_categories_are_the_most_frequent_with_their_share_of_all_rows():
    measured = measure(["b", "a", "b", "", "a", "c", "b", ""], CATEGORY)
    assert measured.categories == (("b", 0.375), ("a", 0.25), ("c", 0.125))
    assert measured.categories_complete
    assert measured.missing == 0.25
    many = measure([f"v{i}" for i in range(TOP_CATEGORIES + 1)] * 2, CATEGORY)
    assert len(many.categories) == TOP_CATEGORIES
    assert not many.categories_complete
    assert many.distinct == TOP_CATEGORIES + 1


def test_text_of_few_rows_and_private_values_are_not_kept():
    measured = measure(["common"] * 5 + ["written once"], TEXT)
    assert [label for label, _ in measured.categories] == ["common"]
    assert not measured.categories_complete
    streets = measure(["1 High Street"] * 5 + [f"{i} Mill Lane" for i in range(20)], CATEGORY)
    assert [label for label, _ in streets.categories] == ["1 High Street"]
    assert not streets.categories_complete
    for column, values in ((CATEGORY, ["Ada", "Ada"]), (NUMBER, [1.0, 2.0])):
        private = measure(values, column, private={column.name})
        assert (private.categories, private.quantiles, private.mean, private.categories_complete) == (
            (),
            (),
            None,
            False,
        )
        assert private.count == 2


@pytest.mark.parametrize("values", [[], [None, None]])
def test_columns_without_values(values):
    measured = measure(pl.Series(values, dtype=pl.Float64), NUMBER)
    assert measured.quantiles == ()
    assert measured.missing == (1.0 if values else 0.0)


def test_predictions_of_classes():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]])
    frame = pl.DataFrame({"n": [1.0, 2.0, 3.0, 4.0]})
    measured = measure_baseline(frame, [NUMBER], probabilities, classes=("no", "yes")).predictions
    assert measured.labels == (("no", 0.5), ("yes", 0.5))
    assert dict(measured.classes) == pytest.approx({"no": 0.6, "yes": 0.4})
    assert measured.quantiles[0] == 0.1 and measured.quantiles[-1] == 0.7
    strict = measure_baseline(frame, [NUMBER], probabilities, classes=("no", "yes"), codes=np.array([0, 0, 1, 0]))
    assert strict.predictions.labels == (("no", 0.75), ("yes", 0.25))
    three = measure_baseline(frame, [NUMBER], np.full((4, 3), 1 / 3), classes=("a", "b", "c")).predictions
    assert three.quantiles == ()
    assert dict(three.classes) == pytest.approx(dict.fromkeys("abc", 1 / 3))


def test_predictions_of_values():
    frame = pl.DataFrame({"n": [1.0, 2.0]})
    measured = measure_baseline(frame, [NUMBER], np.array([3.0, 5.0])).predictions
    assert (measured.mean, measured.std, measured.labels) == (4.0, 1.0, ())


def test_it_comes_back_as_it_was(training_rows):
    columns = [Column("age", ColumnKind.NUMBER), Column("plan", ColumnKind.CATEGORY), Column("note", ColumnKind.TEXT)]
    baseline = measure_baseline(training_rows, columns, np.arange(300.0))
    text = baseline.to_json()
    assert Baseline.from_json(text.encode(), Path("baseline.json")) == baseline
    assert text == measure_baseline(training_rows, columns, np.arange(300.0)).to_json()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format_version": 1}', b'{"format_version": "x"}', b"\xff"])
def test_damage_is_one_sentence(content):
    with pytest.raises(ModelError, match="is damaged"):
        Baseline.from_json(content, Path("baseline.json"))


def test_a_newer_format_is_named_as_such(training_rows):
    document = json.loads(measure_baseline(training_rows, [], np.arange(300.0)).to_json()) | {"format_version": 99}
    with pytest.raises(ModelError, match="made by a newer Headrace"):
        Baseline.from_json(json.dumps(document).encode(), Path("baseline.json"))
