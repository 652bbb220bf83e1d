"""A panel cut, selected and shortened keeps what belongs together."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import Panel, Related

NAN = np.nan


@pytest.fixture
def panel():
    """Two items of 5 and 2 days, with a series known two days ahead and one that is not."""
    return Panel(
        Frequency("D"),
        (("a",), ("b",)),
        ("item",),
        np.array([10, 13]),
        np.array([0, 5, 7]),
        np.arange(7.0),
        {
            "price": Related(np.arange(11.0)),
            "visits": Related(np.where(np.isin(range(11), [5, 6, 9, 10]), NAN, 1.0), False),
        },
        {"colour": ("red", None), "weight": np.array([1.0, 2.0])},
        2,
    )


def test_histories_and_times(panel):
    assert len(panel) == 2
    assert panel.lengths.tolist() == [5, 2]
    assert panel.series(1).tolist() == [5.0, 6.0]
    assert panel.related_series("price", 1).tolist() == [7.0, 8.0, 9.0, 10.0]
    assert str(panel.times(1)[0]) == "1970-01-14T00:00:00"
    assert panel.future_times(0, 1).tolist() == panel.future_times(1, 1).tolist()
    np.testing.assert_array_equal(panel.last(3), [[2.0, 3.0, 4.0], [NAN, 5.0, 6.0]])


def test_what_is_cut_becomes_the_known_future(panel):
    cut = panel.cut(1)
    assert cut.series(0).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert cut.horizon_known == 3
    assert cut.related_series("price", 0).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    np.testing.assert_array_equal(cut.related_series("visits", 0), [1.0] * 4 + [NAN] * 3)
    assert cut.ends.tolist() == [14, 14]
    assert panel.cut(0) is panel


def test_a_history_shorter_than_what_is_cut_becomes_empty(panel):
    cut = panel.cut(3)
    assert cut.lengths.tolist() == [2, 0]
    assert cut.ends.tolist() == [12, 12]
    np.testing.assert_array_equal(cut.related_series("price", 1), [NAN, 7.0, 8.0, 9.0, 10.0])
    assert cut.related_series("price", 0).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert panel.cut(9).values.size == 0


def test_selected_items_keep_all_that_is_theirs(panel):
    chosen = panel.select([1])
    assert chosen.items == (("b",),)
    assert chosen.series(0).tolist() == [5.0, 6.0]
    assert chosen.related_series("price", 0).tolist() == [7.0, 8.0, 9.0, 10.0]
    assert chosen.metadata["colour"] == (None,)
    assert chosen.metadata["weight"].tolist() == [2.0]
    swapped = panel.select([1, 0])
    np.testing.assert_array_equal(swapped.select([1, 0]).values, panel.values)
    np.testing.assert_array_equal(swapped.select([1, 0]).related["price"].values, panel.related["price"].values)


def test_the_tail_ends_where_the_panel_ends(panel):
    tail = panel.tail(3)
    assert tail.lengths.tolist() == [3, 2]
    assert tail.ends.tolist() == panel.ends.tolist()
    assert tail.related_series("price", 0).tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_panel_of_arrays():
    made = Panel.of(Frequency("H"), [[1, 2], []], items=["a", "b"], start=5)
    assert made.lengths.tolist() == [2, 0]
    assert made.last(2)[0].tolist() == [1.0, 2.0]
