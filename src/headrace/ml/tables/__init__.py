"""Reading tables: files, databases and frames become raw columns, and raw columns typed values."""

from headrace.ml.tables.columns import Column, ColumnKind, parse_column, parse_value
from headrace.ml.tables.reading import Opener, read_table
from headrace.ml.tables.table import Table

__all__ = ["Column", "ColumnKind", "Opener", "Table", "parse_column", "parse_value", "read_table"]
