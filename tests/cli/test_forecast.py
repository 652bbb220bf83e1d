"""`headrace forecast`, from what is asked to the files it leaves, with the inputs that can go wrong."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.cli.application import application
from headrace.cli.forecast import EXAMPLES
from headrace.ml.errors import DataError, HeadraceError, OptionError, OutputError

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days) for days in range(70)]
ROWS = [
    (day.isoformat(), item, str(base + 5 * (place % 7) + place % 3))
    for item, base in (("tea", 20), ("milk", 40))
    for place, day in enumerate(DAYS)
]
ASKED = ("--time", "day", "--item", "sku", "--target", "units")
FAST = ("--algorithm", "naive", "--algorithm", "seasonal_naive", "--windows", "2")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows below their headings as a CSV file."""

    def make(rows: object = ROWS, headings: str = "day,sku,units", name: str = "sales.csv") -> Path:
        lines = [headings, *(",".join(row) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / name

    return make


def forecast(*arguments: object) -> None:
    application(["forecast", *map(str, arguments), "--quiet"], standalone_mode=False)


def table(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "forecasts.csv").read_text(encoding="utf-8").splitlines()))


def test_it_leaves_forecasts_a_report_and_a_model_to_use_again(write: Write, tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    forecast(write(), *ASKED, "--horizon", 7, *FAST, "--cost-over", 1, "--cost-under", 3, "--out", out)
    assert sorted(path.name for path in out.iterdir()) == ["forecasts.csv", "model", "report.html", "report.json"]
    rows = table(out)
    assert list(rows[0]) == ["sku", "day", "mean", "p10", "p50", "p75", "p90", "stock"]
    assert [(row["sku"], row["day"]) for row in rows[::7]] == [("tea", "2024-03-11"), ("milk", "2024-03-11")]
    assert all(float(row["p10"]) <= float(row["p50"]) <= float(row["stock"]) <= float(row["p90"]) for row in rows)
    document = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert document["task"] == "forecasting"
    assert {c["algorithm"] for c in document["candidates"]} == {"ensemble", "naive", "seasonal_naive"}
    assert document["business"]["stocking"]["level"] == 0.75
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(title in page for title in ("Backtest windows", "Errors by item", "Ways to stock"))
    newer = [*ROWS, *((f"2024-03-{day}", sku, "33") for sku in ("tea", "milk", "cocoa") for day in (11, 12, 13))]
    forecast(write(newer, name="newer.csv"), "--model", out / "model", "--out", again)
    rows = table(again)
    assert [(row["sku"], row["day"]) for row in rows[::7]] == [
        ("tea", "2024-03-14"), ("milk", "2024-03-14"), ("cocoa", "2024-03-14"),
    ]  # fmt: skip


def swapped(change: Callable[[int, tuple[str, str, str]], tuple[str, str, str] | None]) -> list[tuple[str, str, str]]:
    """Return the rows with each changed by its number, and those that become None left out."""
    return [new for place, row in enumerate(ROWS) if (new := change(place, row)) is not None]


@pytest.mark.parametrize(
    ("rows", "options", "error", "said"),
    [
        (ROWS, ("--horizon", 501), OptionError, "horizon of 501 periods is out of range; use 1 to 500"),
        (ROWS, ("--horizon", 24), DataError, "longer than a third of the longest history, which has 70; use at most 23"),
        (ROWS[:2], ("--horizon", 7), DataError, "too few to forecast from"),
        (swapped(lambda i, r: (r[0], r[1], "many") if i == 4 else r), ("--horizon", 7), DataError, "many.*row 5"),
        (swapped(lambda i, r: ("soon", *r[1:]) if i == 4 else r), ("--horizon", 7), DataError, "soon"),
        (swapped(lambda i, r: r if r[1] == "tea" or i % 7 == 0 else None), ("--horizon", 2), DataError, "different"),
        (ROWS, ("--horizon", 7, "--frequency", "H"), DataError, "cannot be forecast by hour"),
        (ROWS, ("--horizon", 7, "--frequency", "X"), OptionError, "frequency 'X' is none"),
        (ROWS, ("--horizon", 7, "--quantiles", ".1,high"), OptionError, "holds 'high', which is not a number"),
        (ROWS, ("--horizon", 7, "--quantiles", ".1,2"), OptionError, "holds 2, which is not between 0 and 1"),
        (ROWS, ("--horizon", 7, "--cost-over", 1), OptionError, "--cost-over is given and --cost-under is not"),
        (ROWS, ("--horizon", 7, "--fill", "midle=zero"), OptionError, "did you mean 'middle'"),
        (ROWS, ("--horizon", 7, "--metric", "auc"), OptionError, "no accuracy metric 'auc'"),
        (ROWS, ("--horizon", 7, "--algorithm", "prophet"), OptionError, "there is no algorithm 'prophet'"),
        (ROWS, ("--horizon", 7, "--windows", 9), OptionError, "9 backtest windows are out of range"),
        (ROWS, (), OptionError, "--horizon is not given"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_in_one_sentence(
    write: Write, tmp_path: Path, rows: object, options: tuple[object, ...], error: type[HeadraceError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        forecast(write(rows), *ASKED, *options, "--out", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*ROWS, ROWS[3]], "has the item and time stamp of another"),
        (swapped(lambda i, r: (r[0], r[1], "-4") if i == 5 else r), "a negative value in row 6"),
        (swapped(lambda _, r: (r[0], r[1], "0") if r[1] == "tea" else r), "no value but 0"),
        (swapped(lambda _, r: (r[0], r[1], "5") if r[1] == "tea" else r), "the same value throughout"),
        (swapped(lambda i, r: r if r[1] == "milk" or i > 65 else None), "a shorter history than the horizon"),
        (ROWS[::-1], None),
    ],
)  # fmt: skip
def test_what_is_odd_is_forecast_and_said(
    write: Write, tmp_path: Path, rows: list[tuple[str, str, str]], said: str | None
) -> None:
    forecast(write(rows), *ASKED, "--horizon", 7, *FAST, "--out", tmp_path / "out")
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    findings = " ".join(document["steps"]["datasets"]["findings"])
    assert said is None or said in findings
    assert len((tmp_path / "out" / "forecasts.csv").read_text(encoding="utf-8").splitlines()) == 15


def test_related_series_that_stop_early_and_new_items_are_used_for_what_they_say(write: Write, tmp_path: Path) -> None:
    prices = write([(d.isoformat(), s, "2") for s in ("tea", "milk") for d in DAYS[:60]], "day,sku,price", "prices.csv")
    items = write([("tea", "drink"), ("milk", "drink"), ("cocoa", "drink")], "sku,kind", "items.csv")
    out = tmp_path / "out"
    forecast(write(), *ASKED, "--horizon", 7, *FAST, "--related", prices, "--items", items, "--out", out)
    document = json.loads((out / "report.json").read_text(encoding="utf-8"))
    findings = " ".join(document["steps"]["datasets"]["findings"])
    assert "cocoa" in findings
    assert "price" in findings
    assert "cocoa,2024-03-11" in (out / "forecasts.csv").read_text(encoding="utf-8")


def test_results_and_models_that_are_in_the_way_or_foreign_are_told(write: Write, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputError, match="is not empty"):
        forecast(write(), *ASKED, "--horizon", 7, "--out", tmp_path / "out")
    with pytest.raises(OptionError, match="leave --horizon out"):
        forecast(write(), "--model", tmp_path / "out", "--horizon", 7)
    with pytest.raises(HeadraceError, match="cannot be read"):
        forecast(write(), "--model", tmp_path / "out")


def test_the_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    application(["forecast", "--help"], standalone_mode=False)
    said = " ".join(capsys.readouterr().out.split())
    assert all(" ".join(example.split()[:3]) in said for example in EXAMPLES)
