"""Datasets without a label: columns typed, set aside where they name rows, and the checks that need no label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from headrace.ml.errors import ColumnError
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.datasets import Check, Dataset
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import ColumnKind
from headrace.ml.tables.table import Table


def develop_unlabelled(
    table: Table,
    business: BusinessProblem,
    framing: ProblemFraming,
    *,
    exclude: tuple[str, ...] = (),
    time: str | None = None,
    group: str | None = None,
) -> Dataset:
    """Type the columns, set aside what tells rows apart by name only, and run the checks; `target` is all zeros.

    Free text is set aside as well. Raises `ColumnError` for a named column that is absent, or when no column is left.
    """
    from headrace.ml.process.datasets.assembly import assemble
    from headrace.ml.process.datasets.exclusion import Roles, choose_exclusions, require_columns, require_order
    from headrace.ml.process.datasets.personal_data import find_personal_data
    from headrace.ml.process.datasets.typed_columns import parse_table, type_columns

    roles = Roles(
        target=framing.target,
        excluded=tuple(dict.fromkeys((*exclude, *business.charter.excluded_columns))),
        time=time,
        group=group,
    )
    require_columns(table.frame.columns, roles)
    columns, notable = type_columns(table, framing.target)
    require_order(columns, time)
    parsed = parse_table(table.frame, columns)
    personal = find_personal_data(table.frame, columns)
    texts = {c.name: "free text: not used without a label" for c in columns if c.kind is ColumnKind.TEXT}
    moments = {c.name: "the time: it orders the rows" for c in columns if c.name == time}
    excluded = choose_exclusions(parsed.frame, columns, roles, personal, {}) | texts | moments
    if not any(column.name not in excluded for column in columns):
        few = "; ".join(f"'{name}': {reason}" for name, reason in list(excluded.items())[:5])
        raise ColumnError(f"no column is left to look at ({few}); add columns that describe the rows")
    dataset = assemble(
        framing.task, columns, table.frame, parsed, personal=personal, excluded=excluded, notable=notable,
        needed={time, group}, target=np.zeros(table.frame.height), rows=table.rows,
    )  # fmt: skip
    return replace(dataset, readiness=_check(dataset, table, personal, time))


def _check(dataset: Dataset, table: Table, personal: Mapping[str, object], time: str | None) -> tuple[Check, ...]:
    import time as clock
    from typing import Any, cast

    from headrace.ml.process.datasets.readiness import (
        check_accessibility,
        check_freshness,
        check_privacy,
        check_security,
        missing_share,
    )
    from headrace.ml.process.datasets.representativeness import drift_inside

    found = cast(Any, personal)
    rows, columns = dataset.frame.shape
    missing = missing_share(dataset.frame)
    few = rows < 300 or rows < 10 * columns or missing > 0.3
    drift = {name: value for name, value in drift_inside(dataset, time).items() if value > 0.25}
    drifted = ", ".join(f"'{name}'" for name in list(drift)[:5])
    unknown = "no label says what is relevant: which columns matter is for you to judge"
    return (
        Check(
            "availability",
            "fail" if rows < 100 else "warn" if few else "pass",
            (f"{rows:,} rows, {columns:,} columns to look at", f"{missing:.1%} of the cells have no value"),
            "Collect more rows, or more complete ones." if few else "",
        ),
        check_accessibility(table),
        check_privacy(found, dataset.excluded),
        check_security(table, found),
        Check("relevance", "unknown", (unknown,), "Leave out columns that do not matter, with --exclude."),
        check_freshness(dataset, time, now=clock.time()),
        Check(
            "representativeness",
            "warn" if drift else "pass",
            (f"{len(drift)} columns drift from the first third of the rows to the last ({drifted or 'none'})",),
            "Find out what changed inside the file." if drift else "",
        ),
        Check("lack of bias", "unknown", ("without a label, no rates can be compared",), ""),
    )
