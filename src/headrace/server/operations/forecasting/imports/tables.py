"""Tables that are imported: read by their dataset's schema, with the row and column of what does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.server.operations.forecasting.domains import LABELS, Layout
from headrace.server.operations.forecasting.imports.delimited import find_ragged, first_lines
from headrace.server.operations.forecasting.imports.places import EXAMPLES, FORMATS
from headrace.server.operations.forecasting.imports.requests import DAY
from headrace.server.operations.training.channels import DataError

if TYPE_CHECKING:
    import polars

ROW = "__row__"
FIRST_YEAR = 1000
MISSING = ("", "nan", "null", "none", "na", "n/a", "inf", "-inf")
KINDS = {"integer": "a whole number", "float": "a number", "timestamp": "a timestamp", "geolocation": "a geolocation"}


@dataclass(frozen=True)
class Table:
    """How the files of an import are read: the fields, and the settings of the request."""

    layout: Layout
    settings: Mapping[str, Any]

    def read(self, source: Path, uri: str, target: Path) -> int:
        """Write the rows of a file as Parquet and return how many there are; raises DataError naming row and column."""
        import polars as pl

        if not source.stat().st_size:
            return 0
        try:
            frame = self._parquet(source, uri) if self.settings["format"] == "PARQUET" else self._csv(source, uri)
            rows = self._check(frame, uri)
            target.parent.mkdir(exist_ok=True)
            frame.filter(~pl.all_horizontal(pl.col(*self.layout.types).is_null())).select(
                self._typed(name, frame).alias(name) for name in self.layout.types
            ).sink_parquet(target)
        except pl.exceptions.PolarsError as error:
            raise self._unreadable(source, uri, error) from error
        return rows

    def _csv(self, source: Path, uri: str) -> polars.LazyFrame:
        """Return the fields of a file as texts, with the numbers of its rows, the first being 1."""
        import polars as pl

        names = list(self.layout.types)
        header = self._has_header(source, uri)
        frame = pl.scan_csv(source, has_header=header, new_columns=names, infer_schema=False, glob=False)
        frame = frame.with_row_index(ROW, 2 if header else 1)
        if frame.select(pl.col(names[-1]).is_null().any()).collect(engine="streaming").item():
            self._check_fields(source, uri)
        return frame

    def _has_header(self, source: Path, uri: str) -> bool:
        """Tell whether the first row is names: those of the schema, or words where numbers and timestamps belong.

        Raises DataError where it has the schema's names in another order, or another number of fields.
        """
        names = list(self.layout.types)
        first = next(iter(first_lines(source, uri, 1)), None)
        if first is None:
            return False
        lowered = [field.strip().lower() for field in first]
        wanted = [name.lower() for name in names]
        if lowered == wanted:
            return True
        if sorted(lowered) == sorted(wanted):
            raise DataError(
                f"The header of {uri} is {','.join(first)}, and the schema has {','.join(names)}; order the columns as "
                "the schema does"
            )
        if len(first) != len(names):
            raise DataError(self._other_number(1, len(first), uri))
        read = [field for field, kind in zip(lowered, self.layout.types.values(), strict=True) if kind not in LABELS]
        return bool(read) and all(field not in MISSING and not re.search(r"\d", field) for field in read)

    def _check_fields(self, source: Path, uri: str) -> None:
        found = find_ragged(source, uri, len(self.layout.types))
        if found is not None:
            raise DataError(self._other_number(*found, uri))

    def _other_number(self, row: int, fields: int, uri: str) -> str:
        names = list(self.layout.types)
        return (
            f"Row {row} of {uri} has {fields} field{'s' if fields != 1 else ''}, and the schema {len(names)} "
            f"({','.join(names)}); give every row one value for each attribute of the schema"
        )

    def _parquet(self, source: Path, uri: str) -> polars.LazyFrame:
        import polars as pl

        frame = pl.scan_parquet(source, glob=False)
        found, names = frame.collect_schema().names(), list(self.layout.types)
        if sorted(found) != sorted(names):
            raise DataError(
                f"{uri} has the columns {','.join(found)}, and the schema {','.join(names)}; give the "
                "file those of the schema"
            )
        self._check_zone(frame, uri)
        return frame.select(names).with_row_index(ROW, 1)

    def _check_zone(self, frame: polars.LazyFrame, uri: str) -> None:
        """Raise DataError on moments of one zone where each place has a zone of its own."""
        import polars as pl

        kind = frame.collect_schema().get(self.layout.timestamp)
        if isinstance(kind, pl.Datetime) and kind.time_zone and self.settings["use_geolocation_for_time_zone"]:
            raise DataError(
                f"The timestamps of {uri} are of the zone {kind.time_zone}, and UseGeolocationForTimeZone asks for "
                "that of each place; write them as local times without a zone, or give a TimeZone"
            )

    def _typed(self, name: str, frame: polars.LazyFrame) -> polars.Expr:
        """Return the values of a field, null where they are not of its type."""
        import polars as pl

        given, kind, column = frame.collect_schema()[name], self.layout.types[name], pl.col(name)
        if kind == "timestamp":
            return self._moment(column, given)
        if kind == "float":
            number = (column.str.strip_chars() if given == pl.String else column).cast(pl.Float64, strict=False)
            return pl.when(~number.is_infinite()).then(number)
        if kind == "integer":
            number = column.str.strip_chars() if given == pl.String else column
            real = number.cast(pl.Float64, strict=False)
            whole = pl.when(real == real.floor()).then(real).cast(pl.Int64, strict=False)
            return pl.coalesce(number.cast(pl.Int64, strict=False), whole) if given == pl.String else whole
        text = column.cast(pl.String, strict=False)
        if kind == "geolocation":
            return pl.when(text.str.contains(FORMATS[self.settings["geolocation_format"]])).then(text)
        return pl.when(text != "").then(text)

    def _moment(self, column: polars.Expr, given: polars.DataType) -> polars.Expr:
        import polars as pl

        if given == pl.String:
            form = "%Y-%m-%d" if self.settings["timestamp_format"] == DAY else "%Y-%m-%d %H:%M:%S"
            read = column.str.strip_chars().str.to_datetime(form, strict=False, time_unit="us")
            return pl.when(read.dt.year() >= FIRST_YEAR).then(read)
        if isinstance(given, pl.Datetime) and given.time_zone:
            zone = self.settings["time_zone"] or "UTC"
            column = column.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return column.cast(pl.Datetime("us"), strict=False)

    def _check(self, frame: polars.LazyFrame, uri: str) -> int:
        """Return the number of rows; raises DataError where values are not of their types, or keys are missing."""
        import polars as pl

        schema = frame.collect_schema()
        there = ~pl.all_horizontal(pl.col(*self.layout.types).is_null())
        wrong = {}
        for name in self.layout.types:
            column = pl.col(name)
            empty = column.str.strip_chars() == "" if schema[name] == pl.String else pl.lit(False)
            missing = self._typed(name, frame).is_null()
            wrong[name] = there & missing if name in self.layout.keys else missing & ~(column.is_null() | empty)
        counts = frame.select(there.sum().alias(ROW), *(each.sum().alias(name) for name, each in wrong.items()))
        found = counts.collect(engine="streaming").row(0, named=True)
        for name, mask in wrong.items():
            if found[name]:
                first = frame.filter(mask).select(ROW, name).head(1).collect().row(0)
                raise DataError(self._misfit(name, found[name], first, uri))
        return int(found[ROW])

    def _misfit(self, name: str, count: int, first: Sequence[Any], uri: str) -> str:
        row, value = first
        kind = self.layout.types[name]
        if value is None or not str(value).strip():
            return f"Row {row} of {uri} has nothing in the column {name!r}, which every row needs ({count} rows in all)"
        how = {
            "timestamp": f" of the format {self.settings['timestamp_format']}",
            "geolocation": f" like {EXAMPLES.get(self.settings['geolocation_format'] or '', '')}",
        }.get(kind, "")
        return (
            f"Row {row} of {uri} has {str(value)[:100]!r} in the column {name!r}, which is not {KINDS[kind]}{how} "
            f"({count} such row{'s' if count != 1 else ''}); the columns must be those of the schema, in its order"
        )

    def _unreadable(self, source: Path, uri: str, error: Exception) -> DataError:
        if self.settings["format"] == "PARQUET":
            return DataError(f"{uri} is not a Parquet file that can be read; import it with the Format that it has")
        try:
            self._check_fields(source, uri)
        except DataError as found:
            return found
        return DataError(f"{uri} is not CSV that can be read: {str(error).splitlines()[0]}")


def merge(parts: Sequence[Path], target: Path, layout: Layout, earlier: Path | None = None) -> int:
    """Write the rows of several files into one and return how many there are.

    Rows of `earlier` stay but for those whose keys come again (AWS page: Updating Data).
    """
    import polars as pl

    new = pl.scan_parquet(list(parts), glob=False)
    if earlier is not None:
        keys = list(layout.keys)
        kept = pl.scan_parquet(earlier, glob=False).join(new.select(keys).unique(), on=keys, how="anti")
        new = pl.concat([kept, new])
    new.sink_parquet(target)
    rows: int = pl.scan_parquet(target, glob=False).select(pl.len()).collect().item()
    return rows
