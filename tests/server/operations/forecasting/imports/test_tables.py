"""Tables that are imported: what their values become, and the row and column of what does not fit."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headrace.server.operations.forecasting.domains import layout_of
from headrace.server.operations.forecasting.imports.requests import settings_of
from headrace.server.operations.forecasting.imports.tables import Table, merge
from headrace.server.operations.training.channels import DataError

TARGET = (("timestamp", "timestamp"), ("item_id", "string"), ("target_value", "float"))
RELATED = (*TARGET[:2], ("where", "geolocation"), ("stock", "integer"))
ROWS = [f"2024-01-{day:02} 00:00:00,{item},{day * 1.5}" for day in range(1, 11) for item in ("bread", "milk")]
TABLE = "\n".join(ROWS).encode() + b"\n"
Read = Callable[..., pl.DataFrame]


def table_of(attributes: Any, **settings: Any) -> Table:
    kind = "TARGET_TIME_SERIES" if attributes is TARGET else "RELATED_TIME_SERIES"
    named = [{"attribute_name": name, "attribute_type": each} for name, each in attributes]
    return Table(layout_of("CUSTOM", kind, named), settings_of(settings))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what reads bytes as a file of an import."""

    def rows(content: bytes, attributes: Any = TARGET, **settings: Any) -> pl.DataFrame:
        source, part = tmp_path / "source", tmp_path / "parts" / "0.parquet"
        source.write_bytes(content)
        count = table_of(attributes, **settings).read(source, "s3://b/rows.csv", part)
        frame = pl.read_parquet(part)
        assert len(frame) == count
        return frame

    return rows


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def test_a_header_blank_lines_and_missing_values(read: Read) -> None:
    text = (
        '\ufefftimestamp,ITEM_ID,target_value\r\n2024-01-01,"a,b",\r\n\r\n2024-01-02,c,NaN\r\n2024-01-03,c, 2 \r\n\r\n'
    )
    frame = read(text.encode(), timestamp_format="yyyy-MM-dd")
    assert frame["item_id"].to_list() == ["a,b", "c", "c"]
    assert frame["timestamp"].to_list() == [datetime(2024, 1, day) for day in (1, 2, 3)]
    first, second, third = frame["target_value"].to_list()
    assert (first, third) == (None, 2.0)
    assert second != second


def test_a_header_of_other_names(read: Read) -> None:
    assert read(b"day,sku,units\n" + TABLE).height == 20


def test_whole_numbers_and_places(read: Read) -> None:
    rows = b"2024-01-01 00:00:00,a,47.61_-122.33,3.0\n2024-01-01 00:00:00,a,-1_5,\n"
    frame = read(rows, RELATED, geolocation_format="LAT_LONG")
    assert frame["stock"].to_list() == [3, None]
    assert frame["where"].to_list() == ["47.61_-122.33", "-1_5"]
    assert (
        read(rows.replace(b"47.61_-122.33", b"US_98121")[:-29], RELATED, geolocation_format="CC_POSTALCODE").height == 1
    )


def test_parquet_of_several_types(read: Read) -> None:
    days = [datetime(2024, 1, day) for day in (1, 2)]
    frame = read(parquet(item_id=[1, 2], target_value=[1, 2], timestamp=days), format="PARQUET")
    assert frame.schema == {"timestamp": pl.Datetime("us"), "item_id": pl.String, "target_value": pl.Float64}
    assert frame.row(1) == (days[1], "2", 2.0)
    zoned = pl.Series([datetime(2024, 1, 1, 4)]).dt.replace_time_zone("UTC")
    content = parquet(item_id=["x"], target_value=["1"], timestamp=zoned)
    assert read(content, format="PARQUET", time_zone="America/New_York").row(0)[0] == datetime(2023, 12, 31, 23)
    with pytest.raises(DataError, match="are of the zone UTC, and UseGeolocationForTimeZone asks"):
        read(content, format="PARQUET", use_geolocation_for_time_zone=True)


def test_rows_of_the_same_key_take_the_place_of_earlier_ones(tmp_path: Path, read: Read) -> None:
    read(TABLE)
    earlier = (tmp_path / "parts/0.parquet").rename(tmp_path / "earlier.parquet")
    read(b"2024-01-10 00:00:00,milk,99\n2024-01-11 00:00:00,milk,7\n")
    layout, merged = table_of(TARGET).layout, tmp_path / "merged.parquet"
    assert merge([tmp_path / "parts/0.parquet"], merged, layout, earlier) == 21
    frame = pl.read_parquet(merged).sort("timestamp", "item_id")
    assert frame["target_value"].to_list()[-3:] == [15.0, 99.0, 7.0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2024-01-11 00:00:00,milk,many", "Row 21 of s3://b/rows.csv has 'many' in the column 'target_value', which is not a number"),
        ("2024-01-11 00:00:00,milk,inf", "has 'inf' in the column 'target_value'"),
        ("2024-01-11,milk,1", "Row 21 .* has '2024-01-11' in the column 'timestamp', which is not a timestamp of the format yyyy-MM-dd HH:mm:ss"),
        ("2024-01-11 00:00:00+02:00,milk,1", "Row 21 .* not a timestamp"),
        ("2024-02-30 00:00:00,milk,1\n2024-02-30 00:00:00,milk,1", "Row 21 .* not a timestamp .* \\(2 such rows\\)"),
        ("24-02-20 00:00:00,milk,1", "Row 21 .* not a timestamp"),
        ("2024-01-11 00:00:00,,1", "Row 21 .* has nothing in the column 'item_id'"),
        ("2024-01-11 00:00:00,milk", "Row 21 .* has 2 fields, and the schema 3"),
        ("2024-01-11 00:00:00,milk,1,2", "Row 21 .* has 4 fields, and the schema 3"),
        ('2024-01-11 00:00:00,"milk,1', "Row 21 .* has 2 fields"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit(read: Read, row: str, said: str) -> None:
    with pytest.raises(DataError) as raised:
        read(TABLE + row.encode() + b"\n")
    assert re.search(said, str(raised.value)), raised.value


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"item_id,timestamp,target_value\n" + TABLE, {}, "order the columns as the schema does"),
        (b"sku,date,units\nmilk,2024-01-01,2", {}, "Row 2 of .* has 'milk' in the column 'timestamp'"),
        (b"soon,milk,nan\n" + TABLE, {}, "Row 1 of .* has 'soon' in the column 'timestamp'"),
        (b"1\n" + TABLE, {}, "Row 1 of .* has 1 field, and the schema 3"),
        (b"\xff\xfe" + TABLE, {}, "is not text in UTF-8"),
        (TABLE + b"2024-01-11 00:00:00,\xff,1\n", {}, "is not text in UTF-8"),
        (TABLE, {"format": "PARQUET"}, "is not a Parquet file"),
        (parquet(item_id=["x"], when=["2024-01-01"]), {"format": "PARQUET"}, "has the columns item_id,when, and the schema timestamp,item_id,target_value"),
        (parquet(item_id=["x", "y"], target_value=["1", "?"], timestamp=["2024-01-01 00:00:00"] * 2), {"format": "PARQUET"}, "Row 2 of .* has '\\?'"),
        (parquet(item_id=["x"], target_value=[[1.0]], timestamp=["2024-01-01 00:00:00"]), {"format": "PARQUET"}, "Row 1|not a Parquet"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit(read: Read, content: bytes, settings: dict[str, str], said: str) -> None:
    with pytest.raises(DataError) as raised:
        read(content, **settings)
    assert re.search(said, str(raised.value)), raised.value


@pytest.mark.parametrize(
    ("place", "form"), [("98121", "CC_POSTALCODE"), ("47.61,-122.33", "LAT_LONG"), ("91_2", "LAT_LONG")]
)
def test_a_place_that_is_none(read: Read, place: str, form: str) -> None:
    with pytest.raises(DataError, match=r"Row 1 .* in the column 'where', which is not a geolocation like"):
        read(f'2024-01-01 00:00:00,a,"{place}",1\n'.encode(), RELATED, geolocation_format=form)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert table_of(TARGET).read(tmp_path / "empty", "s3://b/empty", tmp_path / "part") == 0
