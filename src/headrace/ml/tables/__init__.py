"""Reading tables: files, databases and frames become raw columns, and raw columns typed values."""

from headrace.ml.tables.columns import Column, ColumnKind, parse_column, parse_value, value_parser
from headrace.ml.tables.detection import detect_column, detect_columns
from headrace.ml.tables.frames import frame_of, table_from_frame
from headrace.ml.tables.names import suggest
from headrace.ml.tables.opening import Opener
from headrace.ml.tables.reading import read_table
from headrace.ml.tables.table import Table

__all__ = [
    "Column",
    "ColumnKind",
    "Opener",
    "Table",
    "detect_column",
    "detect_columns",
    "frame_of",
    "parse_column",
    "parse_value",
    "read_table",
    "suggest",
    "table_from_frame",
    "value_parser",
]
