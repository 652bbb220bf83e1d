"""What was cleaned, and what was found and left as it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.datasets import Dataset
from headrace.ml.process.preparation import Cleaning
from headrace.ml.tables.columns import Column, ColumnKind

_MOST_SPELLINGS = 5_000
_COUNTED = re.compile(
    r"(^|[^a-z])(age|count|quantity|qty|price|amount|income|salary|height|weight|duration|distance|area|rooms|tenure|population|number|size)([^a-z]|$)"
)
_OLDEST = 120.0
_MOSTLY = 0.98


def describe_cleaning(
    dataset: Dataset,
    frame: pl.DataFrame,
    train: npt.NDArray[np.int64],
    columns: Sequence[Column],
    dropped: Mapping[str, str],
    spellings: Mapping[str, Mapping[str, str]],
) -> tuple[Cleaning, ...]:
    """List what was cleaned: rows without label, disguised missing values, dropped columns, and what was only found."""
    return (
        *_unlabelled(dataset),
        *_cells(dataset, columns),
        *(Cleaning("column dropped", name, frame.height, reason) for name, reason in dropped.items()),
        *_spelling_findings(dataset, spellings),
        *impossible_values(frame[train], columns),
    )


def _unlabelled(dataset: Dataset) -> Iterator[Cleaning]:
    if dataset.rare:
        listed = ", ".join(f"'{name}' {count}" for name, count in list(dataset.rare.items())[:5])
        evidence = f"classes with too few rows to learn and measure: {listed}"
        yield Cleaning("rows of rare classes dropped", None, sum(dataset.rare.values()), evidence)
    for part, described in ((dataset, "the table"), (dataset.test, "the test table")):
        if part is not None and part.unlabelled:
            yield Cleaning(
                "rows without a label dropped",
                None,
                part.unlabelled,
                f"{part.unlabelled:,} rows of {described} have no target",
            )


def _cells(dataset: Dataset, columns: Sequence[Column]) -> Iterator[Cleaning]:
    hidden = dataset.personal
    for column in columns:
        name = column.name
        if counts := dataset.disguised.get(name):
            listed = ", ".join(f"'{spelling}' {count:,}" for spelling, count in list(counts.items())[:5])
            yield Cleaning(
                "disguised missing values",
                name,
                sum(counts.values()),
                "spellings hidden" if name in hidden else f"meant no value: {listed}",
            )
        if lost := dataset.unreadable.get(name):
            yield Cleaning(
                "unreadable values made missing",
                name,
                lost,
                f"{lost:,} values could not be read as a finite {column.kind}",
            )
        signs = [f"'{sign}'" for sign in (column.thousands, *column.affixes) if sign]
        if column.decimal != ".":
            signs.append("a decimal comma")
        if column.kind is ColumnKind.NUMBER and signs:
            yield Cleaning("numbers held as text", name, dataset.frame.height, f"read with {', '.join(signs)}")
        if column.kind is ColumnKind.DATE and column.date_formats and name not in dataset.native:
            yield Cleaning(
                "dates held as text", name, dataset.frame.height, f"read as {', '.join(column.date_formats)}"
            )


def find_spellings(frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, dict[str, str]]:
    """Find spellings that differ only in case and white space: column → variant → most frequent spelling."""
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        if column.kind is not ColumnKind.CATEGORY:
            continue
        counts = frame[column.name].value_counts(sort=True)
        if not 1 < counts.height <= _MOST_SPELLINGS:
            continue
        spelled = [text for text in counts[column.name].to_list() if text]
        preferred: dict[str, str] = {}
        variants = {
            text: first
            for text in spelled
            if (first := preferred.setdefault(" ".join(text.split()).casefold(), text)) != text
        }
        if variants:
            found[column.name] = variants
    return found


def _spelling_findings(dataset: Dataset, spellings: Mapping[str, Mapping[str, str]]) -> Iterator[Cleaning]:
    for name, variants in spellings.items():
        listed = ", ".join(f"'{variant}' beside '{usual}'" for variant, usual in list(variants.items())[:5])
        evidence = "spellings hidden" if name in dataset.personal else f"{listed}; left as they are"
        yield Cleaning("inconsistent spellings found", name, len(variants), evidence)


def impossible_values(frame: pl.DataFrame, columns: Sequence[Column]) -> Iterator[Cleaning]:
    """Find values that can't be: negative ages or amounts, ages over 120, dates in the future or before 1800.

    A column that is negative in more than 2 % of the rows is taken to mean it.
    """
    for column in columns:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).casefold()
        values = frame[column.name].drop_nulls() if column.kind in (ColumnKind.NUMBER, ColumnKind.DATE) else None
        if values is None or not values.len():
            continue
        if column.kind is ColumnKind.DATE:
            odd = int(((values > time.time() + 86_400) | (values < -5_364_662_400)).sum())
            what = "dates in the future or before 1800"
        elif _COUNTED.search(words):
            old = (values > _OLDEST) if re.search(r"(^|[^a-z])age([^a-z]|$)", words) else values != values
            odd, what = (
                int(((values < 0) | old).sum()),
                "values under 0" + (f" or over {_OLDEST:g}" if old.any() else ""),
            )
        else:
            continue
        if 0 < odd <= (1 - _MOSTLY) * values.len() or (odd and column.kind is ColumnKind.DATE):
            yield Cleaning(
                "impossible values found", column.name, odd, f"{odd:,} {what} in the training part; left as they are"
            )
