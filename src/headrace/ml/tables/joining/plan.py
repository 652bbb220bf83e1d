"""How a table is joined: found out in training, and done the same at prediction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headrace.ml.tables.columns import Column, ColumnKind


class Spelling(StrEnum):
    """How keys are compared; numbers and texts of the same digits are always the same key."""

    EXACT = "as written"
    FOLDED = "without regard to case"
    NO_ZEROS = "without regard to case and leading zeros"


@dataclass(frozen=True)
class JoinPlan:
    """One joined table: what is needed to join it again.

    `source` is its name without folder; `keys` pair a column of the main table with one of the joined. Where it had
    one row a key, `columns` pairs its columns with their names in the main table; else `inputs` are the columns that
    are summarised. `time` is its time column and `main_time` that of the main table: with both, only rows before the
    main row's time count. `window` is the length in days of the recent window that is summarised too.
    """

    name: str
    source: str
    keys: tuple[tuple[str, str], ...]
    spelling: Spelling
    columns: tuple[tuple[str, str], ...] = ()
    inputs: tuple[Column, ...] = ()
    time: Column | None = None
    main_time: Column | None = None
    window: int | None = None

    @property
    def summarised(self) -> bool:
        """Whether several rows of a key become one by aggregates."""
        return not self.columns

    @property
    def request(self) -> str:
        """Return what to write after `--join`."""
        keys = ",".join(left if left == right else f"{left}={right}" for left, right in self.keys)
        return f"{self.source}:{keys}"


@dataclass(frozen=True)
class Joined:
    """A join that was done: its plan, what it added, and the evidence, a sentence each.

    `rows` are those of the joined table, `matched` the rows of the main table that met any, `later` the rows of the
    joined table that lie after the main rows they belong to and were not looked at.
    """

    plan: JoinPlan
    rows: int
    matched: int
    later: int
    added: tuple[str, ...]
    notes: tuple[str, ...]


def read_plan(item: dict[str, Any]) -> JoinPlan:
    """Build a plan from its JSON; raises what Python raises where it is damaged."""
    return JoinPlan(
        name=str(item["name"]),
        source=str(item["source"]),
        keys=tuple((str(left), str(right)) for left, right in item["keys"]),
        spelling=Spelling(item["spelling"]),
        columns=tuple((str(theirs), str(ours)) for theirs, ours in item["columns"]),
        inputs=tuple(_column(each) for each in item["inputs"]),
        time=None if item["time"] is None else _column(item["time"]),
        main_time=None if item["main_time"] is None else _column(item["main_time"]),
        window=None if item["window"] is None else int(item["window"]),
    )


def _column(item: dict[str, Any]) -> Column:
    details: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}
    return Column(**details | {"kind": ColumnKind(item["kind"])})
