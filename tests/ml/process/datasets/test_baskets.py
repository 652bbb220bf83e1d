"""Baskets are read long and wide, and what holds none is refused in a sentence."""

from __future__ import annotations

import polars as pl
import pytest

from headrace.ml.errors import ColumnError, DataError
from headrace.ml.process.datasets.baskets import develop_baskets
from headrace.ml.tables import table_from_frame


def long(**columns):
    return table_from_frame(pl.DataFrame(columns))


def test_long_baskets_count_an_item_once():
    table = long(order=[i // 3 for i in range(120)], item=["tea", "tea", "milk"] * 40)
    data = develop_baskets(table, "order", "item", None, ())
    assert data.held.shape == (40, 2)
    assert data.held.all()
    assert any("repeat an item" in note for note in data.notes)


def test_wide_baskets_take_flags_and_words():
    table = long(
        a=["Yes", "No", "No internet service"] * 20, b=[1, 0, 0] * 20, c=["x", "y", "z"] * 20, spent=list(range(60))
    )
    data = develop_baskets(table, None, None, None, ())
    assert set(data.items) == {"a", "b", "c = x", "c = y", "c = z"}
    assert data.held[:, data.items.index("a")].sum() == 20
    assert "numbers" in data.excluded["spent"]


@pytest.mark.parametrize(
    ("table", "group", "item", "sentence"),
    [
        (long(order=list(range(60)), item=["tea"] * 60), "order", "item", "no basket has two different items"),
        (long(order=[1] * 60, item=[str(i) for i in range(60)]), "order", "item", "1 baskets"),
        (long(order=[1] * 60, item=["tea"] * 60), "order", None, "name the other with --item"),
        (long(order=[1] * 60, item=["tea"] * 60), "oder", "item", "no column 'oder'"),
        (long(a=[i / 7 for i in range(60)]), None, None, "no column holds items"),
    ],
)
def test_what_holds_no_baskets_is_refused(table, group, item, sentence):
    with pytest.raises((ColumnError, DataError), match=sentence):
        develop_baskets(table, group, item, None, ())
