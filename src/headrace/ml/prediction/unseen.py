"""Labels that the training rows did not have: found in a batch, and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace.ml.prediction.baseline import Baseline
from headrace.ml.prediction.reader import shortened

if TYPE_CHECKING:
    import polars as pl


def unseen_notes(frame: pl.DataFrame, baseline: Baseline | None, rows: Sequence[int] | None) -> tuple[str, ...]:
    """Return a sentence for each typed column with labels that its (complete) list of trained labels lacks.

    `rows` are the positions to name, 1, 2, … without it.
    """
    notes = []
    for column in baseline.columns if baseline else ():
        if not column.categories_complete or column.name not in frame.columns:
            continue
        values = frame[column.name]
        known = ["", *(label for label, _ in column.categories)]
        foreign = ~values.is_in(known)
        if count := int(foreign.sum()):
            first = int(foreign.arg_max() or 0)
            where = first + 1 if rows is None else rows[first]
            what = "1 value" if count == 1 else f"{count} values"
            notes.append(
                f"column '{column.name}' has {what} that the training rows did not have (first: "
                f"{shortened(values[first])} in row {where}), predicted as an unknown label"
            )
    return tuple(notes)
