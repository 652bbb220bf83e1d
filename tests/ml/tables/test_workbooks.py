import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from headrace.ml.errors import ColumnError, SourceError
from headrace.ml.tables import read_table

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def cell(value: object) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    """Write the smallest .xlsx that says what is needed."""
    numbers = list(enumerate(sheets, 1))
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    override = f'<Override PartName="/xl/{{}}" ContentType="{kinds}.{{}}+xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + override.format("workbook.xml", "sheet.main")
        + "".join(override.format(f"worksheets/sheet{n}.xml", "worksheet") for n, _ in numbers)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbers
        )
        + "</Relationships>",
    }
    for n, name in numbers:
        rows = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in sheets[name])
        parts[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(path, text)
    return stream.getvalue()


TABLE = [["name", "size", "mixed"], ["ann", 1.5, 1], [None, 2, "x"]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.xlsx"


def test_cells_keep_their_types(path: Path):
    path.write_bytes(workbook(Sheet1=TABLE))
    table = read_table(path)
    assert table.format == "excel"
    assert table.frame.to_dict(as_series=False) == {"name": ["ann", None], "size": [1.5, 2.0], "mixed": ["1", "x"]}
    assert table.frame.schema["size"] == pl.Float64


def test_the_first_sheet_with_rows_is_read_and_said(path: Path):
    path.write_bytes(workbook(Empty=[], Data=TABLE, More=[["a"], [1]]))
    table = read_table(path)
    assert table.frame.columns == ["name", "size", "mixed"]
    assert table.notes == ("read sheet 'Data' and not 'Empty', 'More'",)
    assert read_table(path, table="More").frame.to_dict(as_series=False) == {"a": [1.0]}
    assert read_table(f"{path}#More").frame.columns == ["a"]


def test_without_header(path: Path):
    path.write_bytes(workbook(Sheet1=[[1, 2], [3, 4]]))
    assert read_table(path, header=False).frame.rows() == [(1.0, 2.0), (3.0, 4.0)]


def test_what_is_refused(path: Path):
    path.write_bytes(workbook(Sheet1=[["a", "a"], [1, 2]]))
    with pytest.raises(ColumnError, match="several columns named 'a'"):
        read_table(path)
    path.write_bytes(workbook(Sheet1=[["a", "b"]]))
    with pytest.raises(SourceError, match="no sheet with a header and rows"):
        read_table(path)
    path.write_bytes(workbook(Data=TABLE))
    with pytest.raises(SourceError, match="has no sheet 'Date'; did you mean 'Data'"):
        read_table(path, table="Date")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    with pytest.raises(SourceError, match="workbook that cannot be read"):
        read_table(path)


def test_a_workbook_that_would_grow_past_all_bounds_is_refused(path: Path):
    stream = io.BytesIO(workbook(Data=TABLE))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(70_000_000))
    path.write_bytes(stream.getvalue())
    with pytest.raises(SourceError, match="would grow to"):
        read_table(path)
