"""Finding out how a table is to be joined: keys and their spelling, one row a key or many, and whose time counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from headrace.ml.errors import ColumnError
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.joining.history import DAY
from headrace.ml.tables.joining.keys import choose_spelling, key_frame, refuse_explosion, require_keys
from headrace.ml.tables.joining.plan import Joined, JoinPlan
from headrace.ml.tables.joining.repeating import apply_join, read_time
from headrace.ml.tables.joining.specification import JoinRequest, source_name, source_stem
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

MOST_INPUTS = 20
"""Columns of numbers, and of labels, that are summarised at most."""
WINDOWS = (365, 90, 30, 7, 1)
_SURPLUS = 0.01
_FEWEST = 20


def learn_joins(
    table: Table,
    requests: Sequence[JoinRequest],
    read: Callable[[str], Table],
    *,
    target: str | None = None,
    time: str | None = None,
    test: Table | None = None,
) -> tuple[Table, Table | None]:
    """Join the requested tables to the main one, and to the test table in the same way.

    `read` reads a source; `time` is the main table's time column. The table comes back with `joins`, whose notes are
    the evidence. Raises `ColumnError` for keys that are absent, match nothing or match everything, and for a time
    column that is absent or holds no times.
    """
    names: list[str] = []
    for request in requests:
        other = read(request.source)
        plan, other, notes = _plan(table, request, other, names, target, time)
        names.append(plan.name)
        table, joined = apply_join(table, plan, other)
        joined = replace(joined, notes=(*notes, *_evidence(table, joined)))
        table = replace(table, joins=(*table.joins, joined))
        if test is not None:
            test, _ = apply_join(test, plan, other)
    return table, test


def _plan(
    table: Table, request: JoinRequest, other: Table, names: Sequence[str], target: str | None, time: str | None
) -> tuple[JoinPlan, Table, tuple[str, ...]]:
    ours, theirs = [pair[0] for pair in request.keys], [pair[1] for pair in request.keys]
    source = source_name(request.source)
    require_keys(table.frame, ours, source_name(table.source), request.text)
    require_keys(other.frame, theirs, source, request.text)
    frame, notes = _without_target(other.frame, target, theirs, source)
    frame, repeated = _without_copies(frame, source)
    spelling, spelled = choose_spelling(table.frame, frame, request.keys, source)
    left, right = key_frame(table.frame, ours, spelling), key_frame(frame, theirs, spelling)
    refuse_explosion(left, right, source, request.text)
    name = _free_name(source_stem(request.source), names, table.frame.columns)
    moment, main, timed = _times(table, request, frame, theirs, time, source)
    given = right.drop_nulls()
    surplus = given.height - given.n_unique()
    plan = JoinPlan(name, source, request.keys, spelling, time=moment, main_time=main)
    notes = (*notes, *repeated, *spelled, *_types(table.frame, frame, request.keys, source), *timed)
    if surplus == 0:
        taken = [column for column in frame.columns if column not in theirs]
        if not taken:
            raise ColumnError(f"'{source}' has no column beside its key, so joining it adds nothing; leave it out")
        columns = tuple((c, f"{name}.{c}" if c in table.frame.columns or c == target else c) for c in taken)
        return replace(plan, columns=columns), replace(other, frame=frame), notes
    if surplus <= _SURPLUS * given.height and moment is None:
        notes = (
            *notes,
            f"'{source}' has {surplus:,} surplus rows of keys that else have one row each, so all keys are summarised; "
            "remove those rows if one row a key was meant",
        )
    inputs, left_out = _inputs(frame, [*theirs, *([moment.name] if moment else [])], source)
    window = _window(frame, moment) if moment else None
    return replace(plan, inputs=inputs, window=window), replace(other, frame=frame), (*notes, *left_out)


def _without_target(
    frame: pl.DataFrame, target: str | None, keys: Sequence[str], source: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    if target is None or target not in frame.columns or target in keys:
        return frame, ()
    return frame.drop(target), (f"'{source}' has the target '{target}' itself, which would tell the answer; left out",)


def _without_copies(frame: pl.DataFrame, source: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Leave out rows that are copies of another where nothing tells them apart (a time or number may well repeat)."""
    once = frame.unique(maintain_order=True)
    copies = frame.height - once.height
    if not copies or copies > _SURPLUS * frame.height:
        return frame, ()
    return once, (f"'{source}' has {copies:,} rows that are copies of another; each counts once",)


def _times(
    table: Table, request: JoinRequest, frame: pl.DataFrame, keys: Sequence[str], time: str | None, source: str
) -> tuple[Column | None, Column | None, tuple[str, ...]]:
    """Return the joined table's time column and the main one's, and what they mean."""
    main = None
    if time is not None and time in table.frame.columns:
        main = read_time(table.frame, time)
    if request.time is not None:
        if request.time not in frame.columns:
            raise ColumnError(f"'{source}' has no time column '{request.time}'{suggest(request.time, frame.columns)}")
        moment = read_time(frame, request.time)
        if moment is None:
            raise ColumnError(f"column '{request.time}' of '{source}' holds no times; name one that does after @")
    else:
        found = [column for name in frame.columns if name not in keys and (column := read_time(frame, name))]
        if len(found) > 1:
            listed = ", ".join(f"'{column.name}'" for column in found[:5])
            raise ColumnError(
                f"'{source}' has {len(found)} time columns ({listed}); say which one is when a row became known: "
                f"--join {request.text}@{found[0].name}"
            )
        moment = found[0] if found else None
    if moment is not None and main is not None:
        return moment, main, (f"only rows of '{source}' whose '{moment.name}' lies before '{main.name}' count",)
    if moment is not None:
        said = (
            f"all rows of '{source}' count, up to its newest '{moment.name}', since the main table has no time column "
            "(--time); name one where rows may lie after the moment of prediction"
        )
        return moment, None, (said,)
    if main is not None:
        said = (
            f"'{source}' has no time column, so all its rows count, whether they were known at '{main.name}' or not; "
            "name one after @ if there is any"
        )
        return None, None, (said,)
    return None, None, ()


def _types(left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[tuple[str, str]], source: str) -> tuple[str, ...]:
    notes = []
    for ours, theirs in keys:
        kinds = ["numbers" if _numeric(frame[name]) else "text" for frame, name in ((left, ours), (right, theirs))]
        if kinds[0] != kinds[1]:
            notes.append(
                f"the key '{ours}' holds {kinds[0]} and '{theirs}' of '{source}' {kinds[1]}; both are compared as text"
            )
    return tuple(notes)


def _numeric(raw: pl.Series) -> bool:
    """Whether all values are numbers, of whatever type they are held."""
    given = raw.drop_nulls()
    return raw.dtype.is_numeric() or not given.cast(pl.String).cast(pl.Float64, strict=False).has_nulls()


def _inputs(frame: pl.DataFrame, taken: Sequence[str], source: str) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Return the columns worth summarising, and what was left out."""
    numbers: list[Column] = []
    labels: list[Column] = []
    left_out: list[str] = []
    for name in frame.columns:
        if name in taken:
            continue
        column = detect_column(frame[name])[0]
        values = parse_column(frame[name], column)[0]
        distinct, height = values.n_unique(), frame.height
        whole = column.kind is ColumnKind.NUMBER and bool((values.drop_nulls() % 1 == 0).all())
        identifies = height >= _FEWEST and distinct == height and (whole or column.kind is ColumnKind.CATEGORY)
        if column.kind in (ColumnKind.DATE, ColumnKind.TEXT) or identifies:
            left_out.append(name)
        elif column.kind is ColumnKind.NUMBER:
            numbers.append(column)
        else:
            labels.append(column)
    left_out += [column.name for column in (*numbers[MOST_INPUTS:], *labels[MOST_INPUTS:])]
    said: tuple[str, ...] = ()
    if left_out:
        listed = ", ".join(f"'{name}'" for name in left_out[:5]) + (", …" if left_out[5:] else "")
        said = (
            f"of '{source}' these columns are not summarised (identifiers, free text, dates, or too many): {listed}",
        )
    return (*numbers[:MOST_INPUTS], *labels[:MOST_INPUTS]), said


def _window(frame: pl.DataFrame, moment: Column) -> int | None:
    """Return the longest window that fits four times into the time that the rows cover."""
    times = parse_column(frame[moment.name], moment)[0].drop_nulls()
    if not times.len():
        return None
    covered = (float(times.max()) - float(times.min())) / DAY  # type: ignore[arg-type]
    return next((days for days in WINDOWS if 4 * days <= covered), None)


def _free_name(stem: str, names: Sequence[str], columns: Sequence[str]) -> str:
    used = {*names, *(column.partition(".")[0] for column in columns if "." in column)}
    name, number = stem or "joined", 2
    while name in used:
        name, number = f"{stem}_{number}", number + 1
    return name


def _evidence(table: Table, joined: Joined) -> tuple[str, ...]:
    plan, height = joined.plan, table.frame.height
    what = "aggregates of its rows" if plan.summarised else "columns"
    said = [
        f"'{plan.source}' ({joined.rows:,} rows) is joined on {', '.join(ours for ours, _ in plan.keys)}: "
        f"{joined.matched:,} of {height:,} rows ({joined.matched / height:.1%}) have rows in it, and "
        f"{len(joined.added)} {what} were added"
    ]
    if joined.later:
        said.append(
            f"{joined.later:,} rows of '{plan.source}' lie after the main rows they belong to and were not used"
        )
    return tuple(said)
