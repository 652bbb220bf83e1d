"""Files too large for the memory: a sample of the rows, the others, and the same care as for small ones."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from headrace.ml.errors import ParseError, SourceError
from headrace.ml.tables import read_table
from headrace.ml.tables.delimited import blocks
from headrace.ml.tables.table import Table

ROWS = 2_000


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4_096)
    monkeypatch.setattr(blocks, "HEAD", 16_384)


def lines_of(rows: int = ROWS) -> list[str]:
    return [f'{i},"text {i},""quoted""\nover two lines",{i % 7}.5' for i in range(rows)]


def write(folder: Path, lines: list[str], header: str = "number,words,amount") -> Path:
    path = folder / "large.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def read(path: Path, share: float = 0.25) -> Table:
    return read_table(path, most_bytes=int(share * blocks.GROWTH * path.stat().st_size))


def rest_of(table: Table) -> pl.DataFrame:
    assert table.rest is not None
    return pl.concat(table.rest())


def test_the_sample_and_the_rest_are_the_whole_table(tmp_path: Path) -> None:
    path = write(tmp_path, lines_of())
    whole, sample = read_table(path), read(path)
    assert (whole.total, whole.rest) == (0, None)
    assert sample.total == ROWS
    assert 0.2 * ROWS < sample.frame.height < 0.3 * ROWS
    assert sample.frame.equals(whole.frame[sample.rows - 1])
    together = pl.concat([sample.frame, rest_of(sample)]).sort(pl.col("number").cast(pl.Int64))
    assert together.equals(whole.frame)
    assert sample.sha256 == whole.sha256
    assert f"of {ROWS:,} rows, drawn at random" in sample.notes[-1]


def test_the_same_rows_are_drawn_each_time(tmp_path: Path) -> None:
    path = write(tmp_path, lines_of())
    assert read(path).rows.tolist() == read(path).rows.tolist()


def test_a_file_that_fits_is_read_whole(tmp_path: Path) -> None:
    assert read(write(tmp_path, lines_of()), share=1.01).rest is None


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_read_whole(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "large.csv"
    path.write_text("\n".join(["name;age", *(f"Jürgen;{i}" for i in range(ROWS))]), encoding=encoding)
    assert read(path).frame.height == ROWS


def test_ragged_rows_damaged_bytes_and_remarks_far_down_are_put_right_and_said(tmp_path: Path) -> None:
    lines = [f"{i},word,{i % 7}.5" for i in range(ROWS)]
    lines[1500] += ","
    lines.append("these rows came from the warehouse")
    path = write(tmp_path, lines)
    path.write_bytes(path.read_bytes().replace(b"\n1900,word", b"\n1900,w\xf6rd"))
    table = read(path)
    together = pl.concat([table.frame, rest_of(table)])
    assert together.height == table.total == ROWS
    assert together.filter(pl.col("number") == "1900")["words"].item() == "wörd"
    assert any("had empty fields too many" in note and "row 1,501" in note for note in table.notes)


def test_a_row_that_cannot_be_put_right_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    lines = [f"{i},word,{i % 7}.5" for i in range(ROWS)]
    lines[1500] = "1,2"
    with pytest.raises(ParseError, match=r"row 1,501 \(line 1,502\)"):
        read(write(tmp_path, lines))


def test_a_second_header_is_refused(tmp_path: Path) -> None:
    lines = [f"{i},word,{i % 7}.5" for i in range(ROWS)]
    with pytest.raises(ParseError, match="repeats the header"):
        read(write(tmp_path, [*lines, *["number,words,amount"] * 50, *lines]))


def test_a_file_that_changed_meanwhile_is_not_mixed(tmp_path: Path) -> None:
    path = write(tmp_path, lines_of())
    table = read(path)
    path.write_text("another,file\n1,2\n")
    with pytest.raises(SourceError, match="has changed"):
        rest_of(table)
