"""Excel and OpenDocument workbooks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.delimited.headers import name_columns
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table


def read_workbook(data: bytes, source: str, sheet: str | None = None, header: bool | None = None) -> Table:
    """Read one sheet, by default the first that is not empty; its cells keep their types where a column has one.

    Raises `SourceError` for a damaged workbook, an unknown sheet, or one without rows.
    """
    import fastexcel

    try:
        workbook = fastexcel.read_excel(data)
        sheets = workbook.sheet_names
        if sheet is not None and sheet not in sheets:
            raise SourceError(
                f"'{source}' has no sheet '{sheet}'{suggest(sheet, sheets) or '; it has ' + ', '.join(sheets)}"
            )
        for name in [sheet] if sheet is not None else sheets:
            frame = _load(workbook, name, source, header)
            if frame is not None:
                others = [f"'{other}'" for other in sheets if other != name]
                notes = (f"read sheet '{name}' and not {', '.join(others)}",) if others and sheet is None else ()
                return Table(frame, np.arange(1, frame.height + 1), source, "excel", notes=notes)
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"'{source}' is a workbook that cannot be read ({reason}); save it anew or as CSV") from None
    raise SourceError(f"'{source}' has no sheet with a header and rows; give a table with at least one row")


def _load(workbook: Any, sheet: str, source: str, header: bool | None) -> pl.DataFrame | None:
    load = workbook.load_sheet
    if header is False:
        frame = pl.DataFrame(load(sheet, header_row=None, schema_sample_rows=None))
        names = name_columns([""] * frame.width, source)
    else:
        top = pl.DataFrame(load(sheet, header_row=None, n_rows=1, dtypes="string"))
        if top.is_empty() or top.width == 0:
            return None
        frame = pl.DataFrame(load(sheet, header_row=0, schema_sample_rows=None))
        names = name_columns([str(name or "") for name in top.row(0)], source)
    frame = frame.rename(dict(zip(frame.columns, names, strict=False)))
    unnamed = [
        name for name in frame.columns if re.fullmatch(r"column_\d+", name) and frame[name].null_count() == len(frame)
    ]
    frame = frame.drop(unnamed) if header is not False else frame
    frame = frame.filter(pl.any_horizontal(pl.all().is_not_null())) if frame.width else frame
    return None if frame.is_empty() else frame
