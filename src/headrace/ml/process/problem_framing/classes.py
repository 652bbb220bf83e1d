"""The order of the classes, and which of two is the positive one."""

from __future__ import annotations

import re

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.errors import CharterError
from headrace.ml.process.problem_framing.target import Label
from headrace.ml.tables.names import suggest

POSITIVE = re.compile(
    "yes|y|true|t|1|1.0|positive|pos|high|bad|sick|ill|disease|malignant|spam|left|churn(ed)?|attrited|default(ed)?|"
    "fraud(ulent)?|fail(ed|ure)?|clicked|converted|bought|accepted|subscribed|>50k[.]?"
)


def order_classes(label: Label, task: Task, wanted: str | None) -> tuple[tuple[str, ...], str | None, tuple[str, ...]]:
    """Return the classes in code order, the positive class (last; binary only), and why it is that one."""
    if task not in CLASSIFICATION:
        return (), None, ()
    names = sorted(label.learnable, key=_numbers_first)
    if task is not Task.BINARY:
        return tuple(names), None, ()
    positive, why = _positive(label, names, wanted)
    return tuple([name for name in names if name != positive] + [positive]), positive, (why,)


def _positive(label: Label, names: list[str], wanted: str | None) -> tuple[str, str]:
    if wanted is not None:
        matching = [name for name in names if name == wanted] or [
            name for name in names if name.casefold() == wanted.strip().casefold()
        ]
        if not matching:
            known = " and ".join(f"'{name}'" for name in names)
            raise CharterError(
                f"the charter's positive_class '{wanted}' is no label of '{label.name}'"
                f"{suggest(wanted, names)}; its labels are {known}"
            )
        return matching[0], f"'{matching[0]}' is the positive class, as the charter says."
    words = [name for name in names if POSITIVE.fullmatch(name.casefold()) or name.casefold() == label.name.casefold()]
    coded_upwards = words == names[:1] and all(not _numbers_first(name)[0] for name in names)
    if len(words) == 1 and not coded_upwards:
        return words[0], f"'{words[0]}' is the positive class by its meaning; positive_class in the charter changes it."
    rarer = min(reversed(names), key=lambda name: label.counts[name])
    because = "the rarer one" if len({label.counts[name] for name in names}) > 1 else "the last of two as frequent ones"
    return rarer, f"'{rarer}' is the positive class, being {because}; positive_class in the charter changes it."


def _numbers_first(name: str) -> tuple[bool, float, str]:
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name
