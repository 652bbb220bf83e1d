"""Words of texts: a column and a single value agree."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.tables.columns import Column, ColumnKind, parse_column, parse_value
from headrace.ml.tables.words import words_of, words_of_all

REMARK = Column("remark", ColumnKind.TEXT, missing=("n/a",), words=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't call 0800-555!!", "don't call 0000 - 000 ! !"),
        ("  two\t words\n", "two words"),
        ("東京タワー 12", "東 京 タ ワ ー 00"),
        ("Größe: 5€", "größe : 0 €"),
        ("", ""),
        ("'quoted'", "' quoted '"),
    ],
)
def test_words(text, words):
    assert words_of(text) == words
    assert words_of_all(pl.Series([text])).to_list() == [words]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=20))
def test_a_column_and_a_single_value_agree(texts):
    assert words_of_all(pl.Series(texts)).to_list() == [words_of(text) for text in texts]
    parsed = parse_column(pl.Series("remark", texts), REMARK)[0].to_list()
    assert parsed == [parse_value(text, REMARK) for text in texts]


def test_missing_texts_have_no_words():
    assert parse_column(pl.Series("remark", [None, "n/a", "Fine."]), REMARK)[0].to_list() == ["", "", "fine ."]


def test_models_of_before_read_text_as_it_is():
    assert parse_value("As It Is!", Column("remark", ColumnKind.TEXT)) == "As It Is!"


def test_labels_are_never_brought_into_words():
    label = Column("remark", ColumnKind.CATEGORY, words=True)
    assert parse_value("As It Is 12!", label) == "As It Is 12!"
    assert parse_column(pl.Series("remark", ["As It Is 12!"]), label)[0].to_list() == ["As It Is 12!"]
