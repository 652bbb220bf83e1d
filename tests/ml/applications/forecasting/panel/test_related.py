"""Series beside the target, holidays, metadata, and items without a history."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import Filling, PanelOptions
from headrace.ml.applications.forecasting.panel import Panel, panel_of_frames
from headrace.ml.applications.forecasting.panel.holidays import with_holidays
from headrace.ml.errors import DataError, OptionError

FIRST = np.datetime64("2023-12-20")


def days(first, last):
    """Return days from the first of the panel on, as text."""
    return (FIRST + np.arange(first, last)).astype(str).tolist()


TARGET = pl.concat([pl.DataFrame({"date": days(0, 12), "item": item, "units": range(12)}) for item in ("a", "b")])


def make(related=None, items=None, **options):
    """Return a panel of two items of twelve days and a horizon of three."""
    asked = {"time": "date", "target": "units", "item": "item", "horizon": 3, **options}
    return panel_of_frames(TARGET, PanelOptions(**asked), related, items)


def prices(last, item="a", first=0):
    """Return a price a day, of the day's number."""
    return pl.DataFrame({"date": days(first, last), "item": item, "price": [float(i) for i in range(first, last)]})


def test_what_is_known_ahead():
    panel, findings = make(pl.concat([prices(15), prices(20, "b", -5)]))
    for i in range(2):
        assert panel.related_series("price", i).tolist() == list(range(15))
    assert panel.related["price"].known_ahead
    assert findings == ()


def test_what_ends_with_the_history():
    panel, findings = make(pl.concat([prices(12), prices(11, "b")]))
    assert not panel.related["price"].known_ahead
    np.testing.assert_array_equal(panel.related_series("price", 1), [*range(11), 10.0, *[np.nan] * 3])
    assert "not known in the horizon, and so of no use to most models: price" in findings
    assert "related series 'price' ends before the target of 1 items; its last value is carried on" in findings


def test_what_ends_inside_the_horizon_is_refused_or_filled():
    early = pl.concat([prices(15), prices(13, "b")])
    with pytest.raises(DataError, match="'price' of 'b' ends at 2024-01-01, before the horizon does at 2024-01-03"):
        make(early)
    panel, _ = make(early, filling={"price": Filling(future="max")})
    assert panel.related_series("price", 1).tolist() == [*range(13), 12.0, 12.0]
    nothing, _ = make(pl.concat([prices(12), prices(12, "b")]), filling={"price": Filling(future=3.0)})
    assert nothing.related["price"].known_ahead
    assert nothing.related_series("price", 0)[-3:].tolist() == [3.0] * 3


def test_gaps_of_a_related_series():
    holes = pl.concat([prices(15).filter(~pl.col("date").is_in(days(4, 6))), prices(15, "b", 2)])
    panel, _ = make(holes)
    assert panel.related_series("price", 0)[3:7].tolist() == [3.0, 3.0, 3.0, 6.0]
    assert panel.related_series("price", 1)[:3].tolist() == [2.0, 2.0, 2.0]
    lined, _ = make(holes, filling={"price": Filling(middle="interpolate")})
    assert lined.related_series("price", 0)[3:7].tolist() == [3.0, 4.0, 5.0, 6.0]


def test_one_series_for_all_items_by_week():
    weeks = pl.DataFrame({"date": days(-2, 20)[::7], "heat": [1.0, 2.0, 3.0, 4.0]})
    panel, _ = make(weeks[:3])
    assert panel.related_series("heat", 0).tolist() == [1.0] * 5 + [2.0] * 7 + [3.0] * 3
    assert panel.related_series("heat", 1).tolist() == panel.related_series("heat", 0).tolist()


def test_labels_become_series_of_zero_and_one():
    weather = pl.DataFrame(
        {"date": days(0, 15), "sky": ["sun", "rain", "sun"] * 5, "note": [f"n{i}" for i in range(15)]}
    )
    panel, findings = make(weather)
    assert panel.related_series("sky=rain", 0).tolist() == [0.0, 1.0, 0.0] * 5
    assert set(panel.related) == {"sky=sun", "sky=rain"}
    assert "column 'note' of 'the related series' is not used: neither numbers nor up to 10 labels" in findings


def test_items_the_related_table_does_not_have():
    panel, findings = make(prices(15))
    assert panel.related_series("price", 1).tolist() == [7.0] * 15
    assert "'the related series' has no row of 1 items (first: 'b'); they get the mean of all" in findings
    with pytest.raises(DataError, match=r"no value of the key .* occurs in"):
        make(prices(15, "z"))


def test_holidays_of_days_weeks_and_hours():
    panel, _ = make(holidays="US")
    assert np.flatnonzero(panel.related_series("holidays", 0)).tolist() == [5, 12]  # Christmas, New Year
    assert panel.related["holidays"].known_ahead
    weeks = Panel.of(Frequency("W"), [[1.0, 2.0]], start=int(Frequency("W").ordinals(np.array([FIRST]))[0]))
    assert with_holidays(weeks, "de-by").related["holidays"].values.tolist() == [0.0, 2.0]
    hours = Panel.of(Frequency("H"), [np.ones(48)], start=int(Frequency("H").ordinals(np.array([FIRST + 5]))[0]))
    assert with_holidays(hours, "FR").related["holidays"].values.tolist() == [1.0] * 24 + [0.0] * 24


def test_countries_without_holidays():
    with pytest.raises(OptionError, match="no holidays are known of 'XX'"):
        make(holidays="XX")
    with pytest.raises(OptionError, match="'DE' has no part 'QQ'"):
        make(holidays="DE-QQ")


def test_metadata_and_items_without_a_history():
    table = pl.DataFrame(
        {"item": ["b", "a", "c", "a"], "colour": ["red", None, "blue", "x"], "weight": ["1.5", "", "3", "9"]}
    )
    panel, findings = make(items=table)
    assert panel.items == (("a",), ("b",), ("c",))
    assert panel.metadata["colour"] == (None, "red", "blue")
    np.testing.assert_array_equal(panel.metadata["weight"], [np.nan, 1.5, 3.0])
    assert panel.length(2) == 0
    assert panel.ends.tolist() == [panel.ends[0]] * 3
    assert "1 item has no history (first: 'c') and will be forecast by what is known of others like them" in findings
    assert any("has 1 more row of items that it had (first: row 4, 'a')" in finding for finding in findings)
    with pytest.raises(OptionError, match="no column of items is named"):
        panel_of_frames(TARGET[:12], PanelOptions(time="date", target="units"), None, table)


def test_new_items_have_related_series_and_metadata_lacks_some():
    table = pl.DataFrame({"item": ["a", "c"], "colour": ["red", "blue"]})
    panel, findings = make(pl.concat([prices(15), prices(15, "b"), prices(15, "c")]), table)
    assert panel.related_series("price", 2).tolist() == [12.0, 13.0, 14.0]
    assert "'the items' has no row of 1 item (first: 'b')" in findings


def test_new_items_in_all_stores():
    sales = TARGET.with_columns(store=pl.when(pl.col("item") == "a").then(pl.lit("x")).otherwise(pl.lit("y")))
    options = PanelOptions(time="date", target="units", item="item", dimensions=("store",), horizon=3)
    table = pl.DataFrame({"item": ["a", "c"], "colour": ["red", "red"]})
    panel, _ = panel_of_frames(sales, options, None, table)
    assert panel.items[2:] == (("c", "x"), ("c", "y"))
    one, _ = panel_of_frames(
        sales, options, pl.concat([prices(15, i) for i in "abc"]).with_columns(store=pl.lit("x")), table
    )
    assert one.items[2:] == (("c", "x"),)


def test_labels_spelled_otherwise_are_matched():
    table = pl.DataFrame({"item": ["A", "B"], "colour": ["red", "blue"]})
    panel, findings = make(pl.concat([prices(15, "A"), prices(15, "B")]), table)
    assert panel.items == (("a",), ("b",))
    assert panel.metadata["colour"] == ("red", "blue")
    assert panel.related_series("price", 1).tolist() == list(range(15))
    assert any("compared without regard to case" in finding for finding in findings)
