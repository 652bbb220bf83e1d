"""Which task a target calls for: two classes, several, or a number."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import TargetError
from headrace.ml.process.problem_framing.target import FEWEST_ROWS_OF_CLASS, Label
from headrace.ml.tables.columns import ColumnKind

MOST_CLASSES = 200
FEW_NUMBERS = 10
"""A target of whole numbers with at most so many different ones is taken for classes."""


def choose_task(label: Label, asked: Task | None) -> tuple[Task, tuple[str, ...]]:
    """Return the task and the evidence for it; raise `TargetError` where the target cannot be learnt that way."""
    task, evidence = _detect(label) if asked is None else (asked, (f"The task was given: {asked}.",))
    if label.distinct == 1:
        only = next(iter(label.counts))
        raise TargetError(
            f"target column '{label.name}' has the single value '{only}' in all {label.rows:,} rows; "
            "there is nothing to tell apart, so name another column or add rows of other values"
        )
    if task in CLASSIFICATION:
        return _check_classes(label, asked, task, evidence)
    if label.column.kind is ColumnKind.DATE:
        raise TargetError(
            f"target column '{label.name}' holds dates, and Headrace predicts classes or numbers; "
            "turn it into a number, such as the days until then"
        )
    label.require_numbers()
    return task, evidence


def _detect(label: Label) -> tuple[Task, tuple[str, ...]]:
    named = f"'{label.name}'"
    if label.distinct == 2:
        shown = " and ".join(f"'{name}' ({count:,} rows)" for name, count in label.counts.items())
        return Task.BINARY, (f"{named} has two different values: {shown}.",)
    mostly_numbers = label.numeric_share > 0.5 and label.distinct > 2 * FEW_NUMBERS
    if label.column.kind in (ColumnKind.NUMBER, ColumnKind.DATE) or mostly_numbers:
        if label.column.kind is ColumnKind.NUMBER and _is_few_whole_numbers(label):
            return Task.MULTICLASS, (
                f"{named} has only {label.distinct} different values in {label.rows:,} rows, all whole numbers, "
                "and is taken for classes; pass --task regression to predict it as an amount.",
            )
        return Task.REGRESSION, (f"{named} holds numbers, {label.distinct:,} different ones in {label.rows:,} rows.",)
    return Task.MULTICLASS, (f"{named} holds {label.distinct:,} different labels in {label.rows:,} rows.",)


def _is_few_whole_numbers(label: Label) -> bool:
    values = label.numbers
    few = label.distinct <= FEW_NUMBERS and label.distinct * 5 <= label.rows
    return few and label.numeric_share == 1.0 and bool((values == np.round(values)).all())


def _check_classes(
    label: Label, asked: Task | None, task: Task, evidence: tuple[str, ...]
) -> tuple[Task, tuple[str, ...]]:
    """Refuse classes that cannot be learnt; two classes are binary even when more were announced."""
    named = f"target column '{label.name}'"
    if label.distinct > MOST_CLASSES:
        hint = "pass --task regression" if label.numeric_share == 1.0 else "name another column, or group its labels"
        raise TargetError(
            f"{named} has {label.distinct:,} different labels in {label.rows:,} rows, and at most {MOST_CLASSES} "
            f"can be told apart; {hint}"
        )
    if len(label.learnable) < 2 and label.distinct > 2:
        raise TargetError(
            f"{named} has {label.distinct} different labels in {label.rows:,} rows, and not two of them have "
            f"{FEWEST_ROWS_OF_CLASS} rows; it looks like an identifier, so name another column or group its labels"
        )
    if len(label.learnable) < 2:
        rarest, count = min(label.counts.items(), key=lambda pair: pair[1])
        raise TargetError(
            f"{named} has {count} row{'s' if count > 1 else ''} of class '{rarest}'; at least two classes of "
            f"{FEWEST_ROWS_OF_CLASS} rows each are needed, so collect more of it"
        )
    if asked is Task.BINARY and label.distinct > 2:
        raise TargetError(f"{named} has {label.distinct} classes, and a binary task has two; pass --task multiclass")
    if len(label.learnable) == 2 and task is Task.MULTICLASS:
        return Task.BINARY, (*evidence, "Two classes have enough rows to be learnt, so that the task is binary.")
    return task, evidence
