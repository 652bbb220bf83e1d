"""Keys of two tables, brought into one spelling and matched."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from headrace.ml.errors import ColumnError, InputError
from headrace.ml.tables.joining.plan import Spelling
from headrace.ml.tables.names import suggest
from headrace.ml.tables.native_values import texts_of
from headrace.ml.tables.number_text import SPACES

MOST_PAIRS = 1000
"""Pairs of rows that match, for each row of both tables, past which the key tells rows apart too little to be one."""
_GAIN = 0.01


def require_keys(frame: pl.DataFrame, names: Sequence[str], source: str, told: str) -> None:
    """Raise `ColumnError` where a key is absent; `told` is the option that named it."""
    for name in names:
        if name not in frame.columns:
            raise ColumnError(
                f"'{source}' has no column '{name}', which --join {told} names{suggest(name, frame.columns)}; write "
                "LEFT=RIGHT where the names differ"
            )


def key_frame(frame: pl.DataFrame, names: Sequence[str], spelling: Spelling) -> pl.DataFrame:
    """Return the keys as text columns key_0, key_1, …; null where a row has none."""
    return pl.DataFrame([_spelled(frame[name], spelling).alias(f"key_{i}") for i, name in enumerate(names)])


def choose_spelling(
    left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[tuple[str, str]], source: str
) -> tuple[Spelling, tuple[str, ...]]:
    """Return how keys are best compared: looser than written only where more rows match and no two keys become one.

    Raises `ColumnError` where nothing matches, however the keys are compared.
    """
    ours, theirs = [pair[0] for pair in keys], [pair[1] for pair in keys]
    counts: dict[Spelling, int] = {}
    distinct: dict[Spelling, tuple[int, int]] = {}
    for spelling in Spelling:
        one, other = key_frame(left, ours, spelling), key_frame(right, theirs, spelling)
        counts[spelling] = matched_rows(one, other)
        distinct[spelling] = (one.drop_nulls().n_unique(), other.drop_nulls().n_unique())
    best = Spelling.EXACT
    for spelling in (Spelling.FOLDED, Spelling.NO_ZEROS):
        if counts[spelling] > counts[best] + _GAIN * left.height and distinct[spelling] == distinct[Spelling.EXACT]:
            best = spelling
    if not counts[best]:
        shown = [_first(left, ours), _first(right, theirs)]
        raise ColumnError(
            f"no value of the key {_listed(ours)} (first: {shown[0]}) occurs in {_listed(theirs)} of '{source}' "
            f"(first: {shown[1]}); check which columns belong together"
        )
    if best is Spelling.EXACT:
        return best, ()
    said = (
        f"keys of '{source}' are spelled otherwise and are compared {best}: that matches {counts[best]:,} rows instead "
        f"of {counts[Spelling.EXACT]:,}"
    )
    return best, (said,)


def matched_rows(left: pl.DataFrame, right: pl.DataFrame) -> int:
    """Count the rows of `left` whose key occurs in `right`."""
    return left.join(right.drop_nulls().unique(), on=left.columns, how="semi").height


def refuse_explosion(left: pl.DataFrame, right: pl.DataFrame, source: str, told: str) -> None:
    """Raise `ColumnError` where the key is shared by so many rows of both tables that nearly all meet all."""
    counts = right.drop_nulls().group_by(right.columns).len("theirs")
    pairs = left.drop_nulls().group_by(left.columns).len("ours").join(counts, on=left.columns)
    total = int((pairs["ours"].cast(pl.Int64) * pairs["theirs"].cast(pl.Int64)).sum())
    alone = counts.height == 1 and right.height > 1 and left.height > 1
    if alone or total > MOST_PAIRS * (left.height + right.height):
        raise ColumnError(
            f"--join {told} would make {total:,} pairs of rows, since its key has only {counts.height:,} values in the "
            f"{right.height:,} rows of '{source}'; name the key that tells whose row it is"
        )


def refuse_repeated(keys: pl.DataFrame, raw: pl.DataFrame, names: Sequence[str], source: str) -> None:
    """Raise `InputError` where a table that had one row a key in training now has several."""
    given = keys.with_row_index("row").drop_nulls()
    twice = given.filter(pl.struct(keys.columns).is_duplicated())
    if twice.height:
        key = ", ".join(str(value) for value in raw[int(twice["row"][0])].select(names).row(0))
        raise InputError(
            f"'{source}' has {twice.height:,} rows that share a key (first: {key}), and had one row a key when the "
            "model was trained; remove the surplus rows"
        )


def _spelled(raw: pl.Series, spelling: Spelling) -> pl.Series:
    text = texts_of(raw).str.strip_chars(SPACES).str.replace(r"^([+-]?\d+)\.0+$", "$1")
    text = text.set(text == "", None)
    if spelling is Spelling.EXACT:
        return text
    text = text.str.to_lowercase()
    return text if spelling is Spelling.FOLDED else text.str.replace(r"^0+(\d)", "$1")


def _first(frame: pl.DataFrame, names: Sequence[str]) -> str:
    given = frame.select(names).drop_nulls()
    return ", ".join(repr(value)[:40] for value in given.row(0)) if given.height else "nothing"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
