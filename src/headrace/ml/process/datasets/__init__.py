"""Step 3, datasets: one typed table, and the readiness checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column
from headrace.ml.tables.table import Table

if TYPE_CHECKING:
    from headrace.ml.process.datasets.leak_scores import Leak
    from headrace.ml.process.datasets.splitting import Parts
    from headrace.ml.tables.joining.plan import Joined


@dataclass(frozen=True)
class Check:
    """One of the eight readiness checks: `status` is pass, warn, fail or unknown.

    `name` is availability, accessibility, privacy, security, relevance, freshness, representativeness or lack of bias.
    `evidence` holds figures and column names, never a personal value.
    """

    name: str
    status: str
    evidence: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class Dataset:
    """The typed table: rows with a label only.

    `frame` holds the parsed feature columns (Float64 with null, or String with "" for missing), one a `Column` of
    `columns` and in that order; `target` class codes (int64) or values (float64), `rows` the source positions.
    `personal` maps a column to the kind of personal data found in its values (email, phone, credit card, iban,
    social security number, passport, ip address, secret; or "… in text"); `excluded` maps a column that must not be
    learnt from to the reason. `test` is the same for the table given by `--test`, or None.

    `aside` holds parsed columns that are no features but still needed: the time, group and sensitive columns.
    `aside_columns` describes them. `disguised` maps a column to the spellings that stood for a missing value and
    their number, `unreadable` to the number of cells that could not be read by the column's kind. `unlabelled` rows
    were dropped. `native` are the columns that the source holds with a type of its own, not as text. `joins` tells
    which tables were joined. `parts` is the split: all that is found out with the help of labels, `leaks` among it,
    is found out without the test part.
    """

    task: Task
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    target: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    personal: Mapping[str, str]
    excluded: Mapping[str, str]
    readiness: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    test: Dataset | None = None
    aside: pl.DataFrame = field(default_factory=pl.DataFrame)
    aside_columns: tuple[Column, ...] = ()
    disguised: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    rare: Mapping[str, int] = field(default_factory=dict)
    target_column: Column | None = None
    native: frozenset[str] = frozenset()
    joins: tuple[Joined, ...] = ()
    leaks: tuple[Leak, ...] = ()
    parts: Parts | None = None

    @property
    def suspicious(self) -> dict[str, str]:
        """Columns that are learnt from though they may leak the target, each with the evidence."""
        return {leak.column: leak.evidence for leak in self.leaks if leak.condition}


def develop_datasets(
    table: Table,
    business: BusinessProblem,
    framing: ProblemFraming,
    *,
    test: Table | None = None,
    exclude: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
    sensitive: tuple[str, ...] = (),
    time: str | None = None,
    group: str | None = None,
    seed: int = 0,
    weighed: bool = True,
) -> Dataset:
    """Type the columns, choose the test part, set aside what must not be learnt from, and check readiness.

    Rows without a label are dropped. `keep` names columns that are learnt from though they look like identifiers,
    leaks or personal data; without `weighed`, what leaks are worth is not measured. Raises `ColumnError` for a named
    column that is absent or when no column is left to learn from, `TargetError` for a target that cannot be learnt, and
    `DataError` for too few rows to split.
    """
    from headrace.ml.metrics import default_metric, find_metric
    from headrace.ml.process.datasets.assembly import assemble
    from headrace.ml.process.datasets.association import relevance_of_sample
    from headrace.ml.process.datasets.exclusion import Roles, choose_exclusions, require_columns, require_order
    from headrace.ml.process.datasets.leak_scores import weigh_leaks
    from headrace.ml.process.datasets.leaks import find_determined, find_leaks, with_telling_keys
    from headrace.ml.process.datasets.personal_data import find_personal_data
    from headrace.ml.process.datasets.pictures import as_digests, file_names
    from headrace.ml.process.datasets.readiness import check_readiness
    from headrace.ml.process.datasets.splitting import Order, split_rows
    from headrace.ml.process.datasets.target import encode_target
    from headrace.ml.process.datasets.typed_columns import parse_table, type_columns

    roles = Roles(
        target=framing.target,
        excluded=tuple(dict.fromkeys((*exclude, *business.charter.excluded_columns))),
        kept=keep,
        sensitive=tuple(dict.fromkeys((*sensitive, *business.charter.sensitive_columns))),
        time=time,
        group=group,
    )
    require_columns(table.frame.columns, roles)
    target = encode_target(table, framing)
    labelled = replace(table, frame=table.frame.filter(target.present), rows=table.rows[target.present])
    columns, notable = type_columns(labelled, framing.target)
    require_order(columns, time)
    parsed = parse_table(labelled.frame, columns)
    personal = find_personal_data(labelled.frame, columns)
    parts = split_rows(
        target.codes, framing.task, Order.of(parsed.frame, time, group), seed=seed,
        test_rows=0 if test is None else test.frame.height,
    )  # fmt: skip
    learning, labels = as_digests(parsed.frame[parts.learning]), target.codes[parts.learning]
    relevance = relevance_of_sample(learning, labels, framing.task)
    determined = find_determined(learning, labels, framing.task, relevance)
    excluded = choose_exclusions(parsed.frame, columns, roles, personal, determined)
    excluded = with_telling_keys(excluded, relevance) | file_names(table.format, labelled.frame.columns)
    dataset = assemble(
        framing.task, columns, labelled.frame, parsed, personal=personal, excluded=excluded, notable=notable,
        needed={time, group, *roles.sensitive}, target=target.codes, rows=labelled.rows,
    )  # fmt: skip
    dataset = replace(
        dataset, unlabelled=target.unlabelled, rare=dict(framing.rare), target_column=target.column, parts=parts,
        joins=table.joins,
    )  # fmt: skip
    metric = find_metric(framing.metric, framing.task)
    leaks = weigh_leaks(
        learning, labels, default_metric(framing.task) if metric.needs_threshold else metric, framing.task, relevance,
        excluded, find_leaks(dataset.columns, learning, labels, framing, relevance, time), kept=keep, measured=weighed,
    )  # fmt: skip
    dataset = replace(dataset, leaks=leaks)
    dataset = replace(dataset, readiness=check_readiness(dataset, table, roles, framing.classes, personal, relevance))
    return dataset if test is None else replace(dataset, test=_type_test_table(test, dataset, framing))


def _type_test_table(test: Table, dataset: Dataset, framing: ProblemFraming) -> Dataset:
    """Type the table given by `--test` by the columns of the training table."""
    from headrace.ml.process.datasets.target import encode_target
    from headrace.ml.process.datasets.typed_columns import parse_table, require_readable, require_same_columns

    notes = require_same_columns(test, dataset, framing.target)
    target = encode_target(test, framing, column=dataset.target_column, described="the test table")
    frame = test.frame.filter(target.present)
    absent = [column.name for column in dataset.aside_columns if column.name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    parsed = parse_table(frame, (*dataset.columns, *dataset.aside_columns))
    require_readable(parsed, dataset.columns)
    return replace(
        dataset,
        frame=parsed.frame.select(dataset.frame.columns),
        target=target.codes,
        rows=test.rows[target.present],
        readiness=(),
        notes=notes,
        aside=parsed.frame.select(dataset.aside.columns),
        disguised=parsed.disguised,
        unreadable=parsed.unreadable,
        unlabelled=target.unlabelled,
        rare={},
    )
