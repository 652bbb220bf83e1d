"""Tables become panels, and what is wrong with them is said in one sentence."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import AMAZON_FILLING, Filling, PanelOptions, Sources
from headrace.ml.applications.forecasting.panel import panel_of_frames, read_panel
from headrace.ml.errors import ColumnError, DataError, ParseError, SourceError, TargetError

DAYS = [f"2024-01-{day:02d}" for day in range(1, 31)]


def frame(values, days=DAYS, item=None):
    """Return a table of one value a day."""
    days = days[: len(values)]
    return pl.DataFrame({"date": days, "item": [item or "a"] * len(days), "units": values})


def make(table, related=None, items=None, **options):
    """Return the panel of frames with the usual column names."""
    asked = {"time": "date", "target": "units", "item": "item", "horizon": 2, **options}
    return panel_of_frames(table, PanelOptions(**asked), related, items)


def test_csv_parquet_and_folders_become_the_same_panel(tmp_path):
    table = pl.concat([frame(list(range(1, 31))), frame(list(range(2, 32)), item="b")])
    table.write_csv(tmp_path / "sales.csv")
    table.write_parquet(tmp_path / "sales.parquet")
    (tmp_path / "parts").mkdir()
    table[:20].write_csv(tmp_path / "parts" / "1.csv")
    table[20:].select("units", "item", "date").write_csv(tmp_path / "parts" / "2.csv")
    options = PanelOptions(time="date", target="units", item="item", horizon=7)
    read = [read_panel(Sources(tmp_path / name), options) for name in ("sales.csv", "sales.parquet", "parts")]
    for panel, _ in read:
        assert panel.items == (("a",), ("b",))
        assert panel.dimensions == ("item",)
        assert panel.frequency == Frequency("D")
        np.testing.assert_array_equal(panel.series(1), np.arange(2.0, 32.0))
    assert read[0][1] == ()
    assert "joined 2 files" in read[2][1][0]
    table.rename({"units": "amount"}).write_csv(tmp_path / "parts" / "3.csv")
    with pytest.raises(SourceError, match=r"'3.csv' has the columns date, item, amount, and '1.csv' has"):
        read_panel(Sources(tmp_path / "parts"), options)


def test_rows_in_any_order():
    table = pl.concat([frame(list(range(30))), frame(list(range(30)), item="b")])
    shuffled, _ = make(table.sample(fraction=1.0, shuffle=True, seed=3))
    ordered, _ = make(table)
    for i, item in enumerate(shuffled.items):
        np.testing.assert_array_equal(shuffled.series(i), ordered.series(ordered.items.index(item)))


def test_a_single_series_needs_no_items():
    panel, _ = make(frame(list(range(30))).drop("item"), item=None)
    assert panel.items == (("units",),)
    assert panel.dimensions == ("item_id",)


def test_dimensions_tell_series_apart():
    table = pl.concat([frame([1.0] * 9).with_columns(store=pl.lit(s)) for s in ("x", "y")])
    panel, _ = make(table, dimensions=("store",))
    assert panel.items == (("a", "x"), ("a", "y"))
    assert panel.dimensions == ("item", "store")


def test_several_rows_of_one_moment_come_together_and_are_said():
    table = pl.concat([frame(list(range(30))), frame([5])])
    panel, findings = make(table)
    assert panel.series(0)[:2].tolist() == [5.0, 1.0]
    assert "1 row has the item and time stamp of another (first: rows 1 and 31, 'a'); their sum counts" in findings
    averaged, _ = make(table, filling={"units": Filling("mean")})
    assert averaged.series(0)[0] == 2.5


@pytest.mark.parametrize(
    ("rule", "expected"), [("sum", 28), ("mean", 4), ("first", 1), ("last", 7), ("min", 1), ("max", 7)]
)
def test_days_become_weeks(rule, expected):
    panel, _ = make(frame(list(range(1, 29))), frequency=Frequency("W"), filling={"units": Filling(rule)}, horizon=1)
    assert panel.series(0)[0] == expected
    assert panel.length(0) == 4


def test_a_week_that_has_only_begun_is_left_out():
    panel, findings = make(frame(list(range(1, 31))), frequency=Frequency("W"), horizon=1)
    assert panel.length(0) == 4
    assert "the last week begins on 2024-01-29 and has values up to 2024-01-30 only, so it is left out" in findings
    whole, _ = make(frame(list(range(1, 31))), frequency=Frequency("W"), horizon=1, filling={"units": AMAZON_FILLING})
    assert whole.length(0) == 5


def test_a_week_begins_where_the_data_do_but_where_told_else():
    sundays = (np.datetime64("2024-01-07") + 7 * np.arange(12)).astype(str).tolist()
    panel, _ = make(frame(list(range(12)), sundays), frequency=Frequency("W"))
    assert str(panel.times(0)[0]) == "2024-01-07T00:00:00"
    kept, _ = make(frame(list(range(12)), sundays), frequency=Frequency("W"), keep_boundaries=True)
    assert str(kept.times(0)[0]) == "2024-01-01T00:00:00"


def test_single_weeks_a_day_off_stay_single():
    days = np.datetime64("2024-01-07") + 7 * np.arange(40)
    days[20] -= 1
    panel, _ = make(frame(list(range(40)), days.astype(str).tolist()))
    np.testing.assert_array_equal(panel.series(0), np.arange(40.0))


def test_day_and_month_are_told_apart_by_the_step():
    first_of_month = [f"01/{month:02d}/20{year}" for year in (21, 22, 23) for month in range(1, 13)]
    panel, _ = make(frame(list(range(36)), first_of_month))
    assert panel.frequency == Frequency("M")
    np.testing.assert_array_equal(panel.series(0), np.arange(36.0))


def test_gaps_are_filled_by_rule():
    table = pl.concat([frame(list(range(30))).filter(~pl.col("date").is_in(DAYS[3:5])), frame([7, 8], DAYS[4:6], "b")])
    rules = {"units": Filling(front=1.0, middle="mean", back="zero")}
    panel, _ = make(table, filling=rules)
    assert panel.lengths.tolist() == [30, 30]
    np.testing.assert_allclose(panel.series(0)[2:6], [2.0, 428 / 28, 428 / 28, 5.0])
    np.testing.assert_array_equal(panel.series(1)[:8], [1.0, 1.0, 1.0, 1.0, 7.0, 8.0, 0.0, 0.0])


def test_what_was_not_sold_counts_as_zero():
    generator = np.random.default_rng(1)
    sold = generator.random(30) < 0.5
    panel, findings = make(frame(generator.integers(1, 4, 30).tolist()).filter(pl.Series(sold)))
    assert (panel.series(0) == 0).sum() == (~sold[sold.argmax() : 30 - sold[::-1].argmax()]).sum()
    assert any("each counts as 0, since none is listed with 0" in finding for finding in findings)


def test_a_sensor_that_failed_and_a_market_that_was_closed_do_not_fall_to_zero():
    failed, findings = make(frame([20.5, 21.5, 22.5, 23.5] * 7).filter(pl.Series([i % 7 != 3 for i in range(28)])))
    assert failed.series(0).min() > 20
    assert any("each is interpolated" in finding for finding in findings)
    open_days = pl.Series([i % 7 < 5 for i in range(28)])
    closed, _ = make(frame([0.05 * (1 + i % 9) for i in range(28)]).filter(open_days))
    assert closed.series(0).min() > 0


def test_items_that_end_early_are_forecast_from_there():
    panel, findings = make(pl.concat([frame([0.0, 1.5] * 15), frame([0.0, 2.5] * 5, item="b")]))
    assert (panel.ends[0] - panel.ends[1]) == 20
    assert "item 'b' has a history that ends before that of others, and a forecast from there on" in findings


def test_odd_histories_are_said():
    table = pl.concat(
        [frame([1, -2] * 15), frame([0] * 30, item="zero"), frame([3] * 30, item="same"), frame([1], DAYS[29:], "new")]
    )
    _, findings = make(table)
    assert "column 'units' has a negative value in 15 rows (first: row 2), which are kept" in findings
    assert "item 'zero' has no value but 0" in findings
    assert "item 'same' has the same value throughout" in findings
    assert "item 'new' has a shorter history than the horizon" in findings


def test_missing_values_are_gaps():
    panel, findings = make(frame([1, None, 3, *range(4, 31)]))
    assert panel.series(0)[:3].tolist() == [1.0, 2.0, 3.0]
    assert "column 'units' has no value in row 2, which is as if absent" in findings


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        (frame([1.0] * 30), {"target": "unit"}, ColumnError, "no column 'unit' to forecast; did you mean 'units'"),
        (frame([1.0] * 30), {"item": "sku"}, ColumnError, "no column 'sku' of labels"),
        (frame(["1"] * 20 + ["few"] + ["2"] * 9), {}, ParseError, "column 'units' has 'few' in row 21, which is not a nu"),
        (frame(["low", "high"] * 15), {}, ParseError, "column 'units' has 'low' in row 1"),
        (frame([None] * 30), {}, TargetError, "has no value at all"),
        (frame([1.0] * 30).with_columns(item=pl.lit(" ")), {}, ParseError, r"column 'item' is empty in 30 rows \(first: r"),
        (frame([1.0] * 30), {"horizon": 11}, DataError, "horizon of 11 periods .*a third of the longest.*at most 10"),
        (frame([1.0] * 2), {}, DataError, "the longest history has 2 periods .*, too few to forecast from"),
        (frame([1.0] * 30), {"frequency": Frequency("H")}, DataError, "come every day, and cannot be forecast by hour"),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast(table, options, error, message):
    with pytest.raises(error, match=message):
        make(table, **options)


def test_a_few_slow_sellers_among_many_are_no_other_frequency():
    table = pl.concat([frame(list(range(30)), item=str(i)) for i in range(11)] + [frame([1] * 6, DAYS[::5], "slow")])
    panel, findings = make(table)
    assert panel.frequency == Frequency("D")
    assert "items have different frequencies: '0' has a value every day and 'slow' every 5 days" in findings


def test_a_rule_for_gaps_allows_values_that_come_seldom():
    panel, _ = make(frame(list(range(1, 7)), DAYS[::5]), frequency=Frequency("D"), filling={"units": AMAZON_FILLING})
    assert panel.series(0)[:6].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, 2.0]


def test_more_periods_than_memory_holds(monkeypatch):
    monkeypatch.setattr("headrace.ml.applications.forecasting.panel.target.MOST_PERIODS", 20)
    with pytest.raises(
        DataError, match="1 items from their first to their last period have 30 periods, and at most 20"
    ):
        make(frame(list(range(30))))


def test_a_mistyped_year_names_its_row():
    with pytest.raises(DataError, match=r"nothing between 2024-01-29 and 2104-01-01, 29,.* correct or remove row 30"):
        make(frame(list(range(30)), [*DAYS[:29], "2104-01-01"]))


def test_items_of_other_frequencies():
    weeks = (np.datetime64("2024-01-01") + 7 * np.arange(12)).astype(str).tolist()
    table = pl.concat([frame(list(range(30))), frame(list(range(12)), weeks, "b")])
    with pytest.raises(DataError, match="'a' has a value every day and 'b' every 7 days; give the frequency"):
        make(table)
    panel, _ = make(table, frequency=Frequency("W"), horizon=1)
    assert panel.frequency.unit == "W"


def test_ten_thousand_items_come_without_a_loop_over_rows():
    labels = [f"sku{i}" for i in range(10_000)]
    table = pl.DataFrame({"item": labels}).join(pl.DataFrame({"date": DAYS[:9]}), how="cross").with_row_index("units")
    panel, _ = make(table)
    assert len(panel) == 10_000
    assert panel.series(9_999).tolist() == list(range(89_991, 90_000))
