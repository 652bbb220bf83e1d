"""Several rows of a key summarised as of a moment: what came before it counts, what came after does not."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from headrace.ml.tables.columns import Column, ColumnKind, parse_column

DAY = 86400.0
POSITION, MOMENT, KNOWN = "position", "moment", "known"


def events_of(keys: pl.DataFrame, frame: pl.DataFrame, inputs: Sequence[Column], time: Column | None) -> pl.DataFrame:
    """Return the rows with a key (and a time, where there is a time column), in the order of time.

    Columns: the keys, `moment` (seconds since 1970-01-01 UTC, or the position), and the parsed inputs.
    """
    parsed = [parse_column(frame[column.name], column)[0].alias(f"in_{i}") for i, column in enumerate(inputs)]
    moment = (
        pl.Series(MOMENT, range(frame.height), dtype=pl.Float64)
        if time is None
        else parse_column(frame[time.name], time)[0].alias(MOMENT)
    )
    events = keys.with_columns(moment, *parsed).drop_nulls([*keys.columns, MOMENT])
    return events.sort(MOMENT, maintain_order=True)


def running_values(events: pl.DataFrame, keys: Sequence[str], inputs: Sequence[Column]) -> pl.DataFrame:
    """Return for each key and moment what all rows of the key up to it come to.

    Columns: the keys, `moment`, `rows`, and of each input its running values: sum_i, given_i, min_i, max_i, last_i of a
    number, distinct_i, most_i, last_i of a label.
    """
    made: list[pl.Expr] = [pl.int_range(1, pl.len() + 1).over(keys).cast(pl.Float64).alias("rows")]
    counts: list[pl.Expr] = []
    for i, column in enumerate(inputs):
        value = pl.col(f"in_{i}")
        if column.kind is ColumnKind.NUMBER:
            made += [
                value.fill_null(0.0).cum_sum().over(keys).alias(f"sum_{i}"),
                value.is_not_null().cast(pl.Float64).cum_sum().over(keys).alias(f"given_{i}"),
                value.cum_min().forward_fill().over(keys).alias(f"min_{i}"),
                value.cum_max().forward_fill().over(keys).alias(f"max_{i}"),
                value.forward_fill().over(keys).alias(f"last_{i}"),
            ]
            continue
        label = pl.when(value == "").then(None).otherwise(value)
        events = events.with_columns(label.alias(f"in_{i}"))
        value = pl.col(f"in_{i}")
        counts.append(
            pl.when(value.is_not_null()).then(pl.int_range(1, pl.len() + 1).over([*keys, f"in_{i}"])).alias(f"nth_{i}")
        )
        nth = pl.col(f"nth_{i}")
        made += [
            (nth == 1).fill_null(False).cast(pl.Float64).cum_sum().over(keys).alias(f"distinct_{i}"),
            pl.when(nth == nth.cum_max().over(keys)).then(value).forward_fill().over(keys).alias(f"most_{i}"),
            value.forward_fill().over(keys).alias(f"last_{i}"),
        ]
    running = events.with_columns(counts).with_columns(made)
    kept = [name for name in running.columns if not name.startswith(("in_", "nth_"))]
    return running.select(kept).unique([*keys, MOMENT], keep="last", maintain_order=True)


def as_of(moments: pl.DataFrame, running: pl.DataFrame, keys: Sequence[str], *, back: float = 0.0) -> pl.DataFrame:
    """Return for each row of `moments` (keys and `moment`) the running values of before its moment less `back` seconds.

    Rows at the very moment do not count. The column `at` is when the last row that counts was.
    """
    asked = moments.with_columns(pl.col(MOMENT) - back).with_row_index(POSITION)
    given = asked.drop_nulls().sort(MOMENT)
    found = given.join_asof(
        running.with_columns(pl.col(MOMENT).alias("at")).sort(MOMENT),
        on=MOMENT, by=list(keys), strategy="backward", allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    values = found.drop([*keys, MOMENT]).with_columns(pl.lit(True).alias(KNOWN))
    return asked.select(POSITION).join(values, on=POSITION, how="left", maintain_order="left").drop(POSITION)


def summarise(
    moments: pl.DataFrame, events: pl.DataFrame, name: str, inputs: Sequence[Column], *, timed: bool, window: int | None
) -> pl.DataFrame:
    """Summarise each row's history: counts, and of every input what is known of it, in the order of `moments`.

    `timed` says that moments are times; `window` is a number of days. Nothing is known of a row without key or moment.
    """
    keys = [column for column in moments.columns if column != MOMENT]
    running = running_values(events, keys, inputs)
    now = as_of(moments, running, keys)
    known = now[KNOWN].is_not_null()
    count = now["rows"].fill_null(0.0).set(~known, None)
    made = [count.alias(f"{name}.count")]
    if timed:
        made.append(((moments[MOMENT] - now["at"]) / DAY).alias(f"{name}.days_since_last"))
    before = as_of(moments, running, keys, back=window * DAY) if window else None
    if before is not None and window:
        earlier = as_of(moments, running, keys, back=2 * window * DAY)["rows"].fill_null(0.0)
        until = before["rows"].fill_null(0.0)
        recent = count - until
        made.append(recent.alias(f"{name}.count.last_{window}_days"))
        made.append((recent - (until - earlier)).alias(f"{name}.trend_{window}_days"))
    for i, column in enumerate(inputs):
        title = f"{name}.{column.name}"
        if column.kind is not ColumnKind.NUMBER:
            made.append(now[f"distinct_{i}"].fill_null(0.0).set(~known, None).alias(f"{title}.distinct"))
            made.append(now[f"most_{i}"].alias(f"{title}.most_frequent"))
            made += [now[f"last_{i}"].alias(f"{title}.last")] if timed else []
            continue
        total, given = now[f"sum_{i}"], now[f"given_{i}"]
        made.append(total.alias(f"{title}.sum"))
        made.append(_divided(total, given).alias(f"{title}.mean"))
        made += [
            now[f"{what}_{i}"].alias(f"{title}.{what}")
            for what in (("min", "max", "last") if timed else ("min", "max"))
        ]
        if before is not None:
            part = total - before[f"sum_{i}"].fill_null(0.0)
            rows = given - before[f"given_{i}"].fill_null(0.0)
            made.append(_divided(part, rows).alias(f"{title}.mean.last_{window}_days"))
    return pl.DataFrame(made)


def _divided(total: pl.Series, count: pl.Series) -> pl.Series:
    return (total / count).set(count <= 0, None)
