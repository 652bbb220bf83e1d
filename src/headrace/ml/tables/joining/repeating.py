"""Joining by a plan: what training and prediction do alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from headrace.ml.errors import InputError, SourceError
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.joining.history import MOMENT, events_of, summarise
from headrace.ml.tables.joining.keys import key_frame, matched_rows, refuse_repeated, require_keys
from headrace.ml.tables.joining.plan import Joined, JoinPlan
from headrace.ml.tables.joining.specification import JoinRequest, source_name, source_stem
from headrace.ml.tables.table import Rest, Table


def match_requests(plans: Sequence[JoinPlan], requests: Sequence[JoinRequest]) -> list[tuple[JoinPlan, JoinRequest]]:
    """Pair the joins that a model needs with those that are given: by name, else in their order.

    Raises `InputError` that names the join that is missing, surplus or on other keys.
    """
    if requests and not plans:
        raise InputError(
            f"the model was trained without joined tables, so --join {requests[0].text} is of no use; leave it out"
        )
    left = list(requests)
    found: list[tuple[JoinPlan, JoinRequest | None]] = []
    for plan in plans:
        named = next((request for request in left if source_stem(request.source) == plan.name), None)
        if named is not None:
            left.remove(named)
        found.append((plan, named))
    pairs = [(plan, request or next((r for r in left if r.keys == plan.keys), None)) for plan, request in found]
    complete = []
    for plan, request in pairs:
        if request is None:
            raise InputError(
                f"the model was trained with '{plan.source}' joined, which is not given; add --join {plan.request}"
            )
        if request.keys != plan.keys:
            raise InputError(
                f"--join {request.text} has other keys than in training; write --join "
                f"{replace(plan, source=request.source).request}"
            )
        if request in left:
            left.remove(request)
        complete.append((plan, request))
    if left:
        raise InputError(f"the model knows no joined table like --join {left[0].text}; leave it out")
    return complete


def apply_join(table: Table, plan: JoinPlan, other: Table) -> tuple[Table, Joined]:
    """Join one table by its plan; raises `ColumnError` or `InputError` where a column or a key is not as it was."""
    ours, theirs = [pair[0] for pair in plan.keys], [pair[1] for pair in plan.keys]
    require_keys(table.frame, ours, source_name(table.source), plan.request)
    require_keys(other.frame, theirs, plan.source, plan.request)
    if other.rest is not None:
        raise SourceError(
            f"'{plan.source}' does not fit into the memory, and a sample of it cannot be joined; leave out columns or "
            "old rows, or summarise it beforehand"
        )
    needed = [column.name for column in plan.inputs] + [their for their, _ in plan.columns]
    needed += [plan.time.name] if plan.time else []
    for name in needed:
        if name not in other.frame.columns:
            raise InputError(
                f"'{plan.source}' has no column '{name}', which it had in training; add it, or train again"
            )
    if plan.main_time and plan.main_time.name not in table.frame.columns:
        raise InputError(
            f"'{source_name(table.source)}' has no time column '{plan.main_time.name}', up to which rows of "
            f"'{plan.source}' count; add it"
        )
    left = key_frame(table.frame, ours, plan.spelling)
    right = key_frame(other.frame, theirs, plan.spelling)
    moments = left.with_columns(_moments(table.frame, plan, other.frame))
    if plan.summarised:
        events = events_of(right, other.frame, plan.inputs, plan.time)
        made = summarise(moments, events, plan.name, plan.inputs, timed=plan.time is not None, window=plan.window)
    else:
        refuse_repeated(right, other.frame, theirs, plan.source)
        made = _columns(moments, right, plan, other.frame)
    later = _later(left, right, plan, table.frame, other.frame)
    joined = Joined(plan, other.frame.height, matched_rows(left, right), later, tuple(made.columns), ())
    return replace(table, frame=table.frame.hstack(made), rest=_join_rest(table, plan, other)), joined


def _join_rest(table: Table, plan: JoinPlan, other: Table) -> Rest | None:
    """Return the rows beyond a sample of the main table, joined in the same way, block by block."""
    if (read := table.rest) is None:
        return None

    def blocks() -> Iterator[pl.DataFrame]:
        for block in read():
            yield apply_join(replace(table, frame=block, rest=None), plan, other)[0].frame

    return blocks


def _moments(frame: pl.DataFrame, plan: JoinPlan, other: pl.DataFrame) -> pl.Series:
    """Return up to when rows of the joined table count, for each row of the main one."""
    if plan.time is None:
        return pl.Series(MOMENT, np.full(frame.height, np.inf))
    if plan.main_time is not None:
        return parse_column(frame[plan.main_time.name], plan.main_time)[0].alias(MOMENT)
    newest = float(parse_column(other[plan.time.name], plan.time)[0].max() or 0.0)  # type: ignore[arg-type]
    return pl.Series(MOMENT, np.full(frame.height, np.nextafter(newest, np.inf)))


def _columns(moments: pl.DataFrame, keys: pl.DataFrame, plan: JoinPlan, other: pl.DataFrame) -> pl.DataFrame:
    """Take the one row of each key over; where it has a time, only before the main row's."""
    values = other.select(pl.col(theirs).alias(ours) for theirs, ours in plan.columns)
    time = plan.time if plan.main_time is not None else None
    when = pl.lit(-np.inf) if time is None else parse_column(other[time.name], time)[0].fill_null(np.inf)
    right = pl.DataFrame([*keys.rename(lambda name: f"_{name}"), *values]).with_columns(when.alias("_when"))
    right = right.drop_nulls([f"_{name}" for name in keys.columns])
    left = moments.rename(lambda name: f"_{name}").with_row_index("_position")
    found = left.join(right, on=[f"_{name}" for name in keys.columns], how="left", maintain_order="left")
    shown = found["_when"] < found[f"_{MOMENT}"]
    return found.select(
        pl.when(shown.fill_null(False)).then(pl.col(ours)).otherwise(None).alias(ours) for _, ours in plan.columns
    )


def _later(left: pl.DataFrame, right: pl.DataFrame, plan: JoinPlan, frame: pl.DataFrame, other: pl.DataFrame) -> int:
    """Count the rows of the joined table that lie at or after the newest main row of their key."""
    if plan.main_time is None or plan.time is None:
        return 0
    moments = left.with_columns(parse_column(frame[plan.main_time.name], plan.main_time)[0].alias(MOMENT))
    newest = moments.drop_nulls().group_by(left.columns).agg(pl.col(MOMENT).max().alias("newest"))
    times = right.with_columns(parse_column(other[plan.time.name], plan.time)[0].alias(MOMENT)).drop_nulls()
    return times.join(newest, on=right.columns).filter(pl.col(MOMENT) >= pl.col("newest")).height


def read_time(frame: pl.DataFrame, name: str) -> Column | None:
    """Return how the column of a frame is read as times, or None where it holds none."""
    column = detect_column(frame[name])[0]
    return column if column.kind is ColumnKind.DATE else None
