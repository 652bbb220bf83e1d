"""The column of time: text in many formats, native dates, years and quarters become moments on the local clock."""

from __future__ import annotations

import zoneinfo

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.applications.forecasting.frequencies import Times
from headrace.ml.errors import ColumnError, OptionError, ParseError
from headrace.ml.tables import ColumnKind, Table, detect_column, suggest
from headrace.ml.tables.date_text import EPOCHS, dates_from_text
from headrace.ml.tables.native_values import epochs_of, texts_of
from headrace.ml.tables.number_text import SPACES

Seconds = npt.NDArray[np.int64]
DAY = 86400
_ZONE = (
    r"[0-9]:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r" ?([Zz]|UTC|GMT|[+\-][0-9]{2}(?::?[0-9]{2})?)$"
)
_QUARTERS = (r"^([0-9]{4})[ -]?[Qq]([1-4])$", r"^[Qq]([1-4])[ -/]?([0-9]{4})$")
_WEEK = r"^([0-9]{4})-?[Ww]([0-9]{2})(?:-?([1-7]))?$"


def read_moments(
    table: Table, name: str, *, time_zone: str | None = None, date_format: str | None = None
) -> tuple[Seconds, str | None, tuple[str, ...]]:
    """Read a column of time stamps: seconds since 1970-01-01 on the clock where they were written, [rows].

    Returns with them the other order of day and month that reads too, where there is one (see `swapped`), and
    what is notable, a sentence each. Time stamps with an offset are brought to `time_zone`; without one, to the offset
    that all share, to midnight where all are midnights, else to UTC. Raises `ColumnError` and `ParseError`.
    """
    if name not in table.frame.columns:
        raise ColumnError(f"'{table.source}' has no column '{name}' of time stamps{suggest(name, table.frame.columns)}")
    raw = table.frame[name]
    missing = raw.is_null()
    if missing.any():
        first, count = table.rows[missing.arg_true()[0]], int(missing.sum())
        raise ParseError(
            f"column '{name}' has no time stamp in {_rows(count)} (first: row {first:,}); give every row one"
        )
    if raw.dtype in (pl.Date, pl.Datetime):
        return _native(raw, time_zone), None, ()
    text = texts_of(raw).str.strip_chars(SPACES)
    distinct = text.unique(maintain_order=True)
    place = _Places(table, name, text)
    moments, formats, notes = _read(distinct, name, date_format, place)
    local, more = _local(distinct, moments, name, time_zone, place)
    values = place.spread(distinct, local)
    return values, _other_order(distinct, formats), (*notes, *more)


def swapped(table: Table, name: str, date_format: str) -> Seconds:
    """Read a column of time stamps again with another format, seconds [rows]."""
    text = texts_of(table.frame[name]).str.strip_chars(SPACES)
    distinct = text.unique(maintain_order=True)
    seconds = dates_from_text(distinct, (date_format,)).to_numpy()
    return _Places(table, name, text).spread(distinct, np.floor(seconds).astype(np.int64))


class _Places:
    """Where values stand in the source."""

    def __init__(self, table: Table, name: str, text: pl.Series) -> None:
        self.name, self._rows, self._text = name, table.rows, text

    def of(self, value: str) -> str:
        """Return a value and its first row, to be named."""
        return f"row {int(self._rows[(self._text == value).arg_true()[0]]):,} ('{value}')"

    def spread(self, distinct: pl.Series, values: Seconds) -> Seconds:
        """Return the value of each row from those of the distinct texts."""
        known = pl.DataFrame({"text": distinct, "value": values})
        joined = self._text.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left")
        values_of_rows: Seconds = joined["value"].to_numpy()
        return values_of_rows


def _native(raw: pl.Series, time_zone: str | None) -> Seconds:
    if getattr(raw.dtype, "time_zone", None):
        raw = (raw.dt.convert_time_zone(_known_zone(time_zone)) if time_zone else raw).dt.replace_time_zone(None)
    seconds = epochs_of(raw)
    assert seconds is not None
    whole: Seconds = np.floor(seconds.to_numpy()).astype(np.int64)
    return whole


def _read(
    distinct: pl.Series, name: str, date_format: str | None, place: _Places
) -> tuple[npt.NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Return seconds (UTC where an offset is written), the formats, and what is notable."""
    if date_format is not None:
        formats: tuple[str, ...] = (date_format,)
        plain = distinct
    else:
        plain = _plain(distinct)
        column, _ = detect_column(plain.alias("timestamp"))
        if column.kind is not ColumnKind.DATE:
            shown = ", ".join(f"'{value}'" for value in distinct.head(2))
            raise ColumnError(f"column '{name}' holds no dates (such as {shown}); name the column of time stamps")
        formats = column.date_formats
    seconds = dates_from_text(plain, formats)
    if seconds.has_nulls():
        bad, count = distinct.filter(seconds.is_null())[0], seconds.null_count()
        raise ParseError(
            f"column '{name}' has {count:,} {'values' if count > 1 else 'value'} that cannot be read as "
            f"{_shown(formats[0])} (first: {place.of(bad)}); clean {'them' if count > 1 else 'it'}"
        )
    if len(formats) == 1:
        return seconds.to_numpy(), formats, ()
    first = dates_from_text(plain, formats[:1])
    one, other = distinct.filter(first.is_not_null())[0], distinct.filter(first.is_null())[0]
    told = f"column '{name}' has dates in {len(formats)} formats, as in {place.of(one)} and in {place.of(other)}"
    if not all(each.startswith("%Y") or "%b" in each for each in formats):
        raise ParseError(f"{told}; write all in one, such as 2024-12-31")
    return seconds.to_numpy(), formats, (told,)


def _plain(text: pl.Series) -> pl.Series:
    """Write years, quarters and ISO weeks as dates."""
    if text.str.contains(r"^[0-9]{4}$").all() and text.str.contains("^(1[5-9]|2[01])").all():
        return text + "-01-01"
    for pattern, (year, quarter) in zip(_QUARTERS, ((1, 2), (2, 1)), strict=True):
        if text.str.contains(pattern).all():
            month = text.str.extract(pattern, quarter).cast(pl.Int64) * 3 - 2
            return text.str.extract(pattern, year) + "-" + month.cast(pl.String).str.zfill(2) + "-01"
    if text.str.contains(_WEEK).all():
        days = text.str.extract(_WEEK, 3).fill_null("1")
        iso = text.str.extract(_WEEK, 1) + "-" + text.str.extract(_WEEK, 2) + "-" + days
        return iso.str.to_date("%G-%V-%u", strict=False).cast(pl.String).fill_null("no such week")
    if text.str.contains(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])$").all():
        return text.str.slice(0, 4) + "-" + text.str.slice(4) + "-01"
    return text


def _local(
    distinct: pl.Series, moments: npt.NDArray[np.float64], name: str, time_zone: str | None, place: _Places
) -> tuple[Seconds, tuple[str, ...]]:
    """Bring moments to the clock they were written by, or to that of `time_zone`."""
    seconds = np.floor(moments).astype(np.int64)
    zone = distinct.str.extract(_ZONE, 1)
    if zone.null_count() == len(zone):
        if time_zone is not None:
            _known_zone(time_zone)
        return seconds, ()
    if zone.has_nulls():
        if time_zone is None:
            one, other = distinct.filter(zone.is_null())[0], distinct.filter(zone.is_not_null())[0]
            raise ParseError(
                f"column '{name}' has time stamps with an offset, as in {place.of(other)}, and without, as in "
                f"{place.of(one)}; write all alike, or name the time zone of those without"
            )
        bare = zone.is_null().to_numpy()
        converted = _in_zone(seconds, time_zone)
        return np.where(bare, seconds, converted), (f"column '{name}' is read in the time zone {time_zone}",)
    if time_zone is not None:
        return _in_zone(seconds, time_zone), (f"column '{name}' is read in the time zone {time_zone}",)
    offsets = _offset_seconds(zone)
    local = seconds + offsets
    if (offsets == offsets[0]).all():
        return local, (f"column '{name}' is read by the local clock of its offset {zone[0]}",) if offsets[0] else ()
    if (local % DAY == 0).all():
        return local, (f"column '{name}' has several offsets; its days are read as written",)
    return seconds, (f"column '{name}' has several offsets and is read in UTC; name a time zone for another",)


def _offset_seconds(zone: pl.Series) -> Seconds:
    sign = np.where(zone.str.starts_with("-").to_numpy(), -1, 1)
    digits = zone.str.replace_all(r"[^0-9]", "").str.pad_end(4, "0")
    hours, minutes = (digits.str.slice(at, 2).cast(pl.Int64).to_numpy() for at in (0, 2))
    offsets: Seconds = sign * (hours * 3600 + minutes * 60)
    return offsets


def _in_zone(seconds: Seconds, time_zone: str) -> Seconds:
    moments = pl.Series(seconds * 1000).cast(pl.Datetime("ms", "UTC"))
    local = moments.dt.convert_time_zone(_known_zone(time_zone)).dt.replace_time_zone(None)
    return local.cast(pl.Int64).to_numpy() // 1000


def _known_zone(name: str) -> str:
    known = zoneinfo.available_timezones()
    if name in known:
        return name
    raise OptionError(f"there is no time zone '{name}'{suggest(name, known) or '; write such as Europe/Berlin'}")


def _other_order(distinct: pl.Series, formats: tuple[str, ...]) -> str | None:
    """Return the format with day and month changed over, where all values read by it too."""
    if len(formats) != 1 or formats[0] in EPOCHS or not {"%d", "%m"} <= {formats[0][i : i + 2] for i in range(8)}:
        return None
    if formats[0].startswith("%Y"):
        return None
    other = formats[0].replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    return None if dates_from_text(distinct, (other,)).has_nulls() else other


def _shown(date_format: str) -> str:
    if date_format in EPOCHS:
        return "a number of seconds since 1970"
    names = {"%Y": "yyyy", "%y": "yy", "%m": "mm", "%d": "dd", "%b": "month"}
    for directive, word in names.items():
        date_format = date_format.replace(directive, word)
    return f"a date ({date_format})"


def _rows(count: int) -> str:
    return f"{count:,} rows" if count > 1 else "a row"


def when(times: Times) -> str:
    """Return the first of some moments as people write it: the day alone where it is midnight."""
    text = str(times.astype("datetime64[s]")[0])
    return text.removesuffix("T00:00:00").replace("T", " ")
