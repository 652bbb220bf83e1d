"""The eight readiness checks: whether the data can carry a model, with evidence and what to do."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from headrace.ml.metrics import METRICS
from headrace.ml.process.datasets import Check, Dataset
from headrace.ml.process.datasets.association import LARGEST_SAMPLE, Relevance
from headrace.ml.process.datasets.bias import check_bias
from headrace.ml.process.datasets.exclusion import Roles
from headrace.ml.process.datasets.leak_scores import SET_ASIDE, Leak
from headrace.ml.process.datasets.leaks import SUSPICIOUS
from headrace.ml.process.datasets.personal_data import Personal
from headrace.ml.process.datasets.representativeness import check_representativeness
from headrace.ml.tables.columns import ColumnKind
from headrace.ml.tables.table import Table, shown_source

_DAY = 86_400.0
_NO_SIGNAL = 0.02


def check_readiness(
    dataset: Dataset,
    table: Table,
    roles: Roles,
    classes: tuple[str, ...],
    personal: Mapping[str, Personal],
    relevance: Mapping[str, Relevance],
) -> tuple[Check, ...]:
    """Run the eight checks, in the order in which the process names them."""
    return (
        check_availability(dataset),
        check_accessibility(table),
        check_privacy(personal, dataset.excluded),
        check_security(table, personal),
        check_relevance(dataset, relevance),
        check_freshness(dataset, roles.time, now=time.time()),
        check_representativeness(dataset, classes, roles.time),
        check_bias(dataset, classes, roles.sensitive),
    )


def worst(*statuses: str) -> str:
    """Return the gravest of some statuses: fail, warn, unknown, pass."""
    return next((status for status in ("fail", "warn", "unknown") if status in statuses), "pass")


def check_availability(dataset: Dataset) -> Check:
    """Whether there are enough labelled rows and values."""
    rows, columns = dataset.frame.shape
    unlabelled = dataset.unlabelled / max(rows + dataset.unlabelled, 1)
    missing = missing_share(dataset.frame)
    each = rows / max(columns, 1)
    evidence = (
        f"{rows:,} labelled rows, {columns:,} columns to learn from ({each:,.{0 if each >= 10 else 1}f} rows a column)",
        f"{dataset.unlabelled:,} rows without a label ({unlabelled:.1%}), dropped",
        f"{missing:.1%} of the cells have no value",
    )
    if rows < 100:
        return Check(
            "availability", "fail", evidence, "Collect more labelled rows: under 100, no result can be trusted."
        )
    few = rows < 1000 or rows < 10 * columns
    status = "warn" if few or unlabelled > 0.2 or missing > 0.3 else "pass"
    advice = "Collect more labelled rows, or more complete ones." if status == "warn" else ""
    return Check("availability", status, evidence, advice)


def missing_share(frame: pl.DataFrame) -> float:
    """Share of the cells of a typed frame that have no value."""
    cells = frame.height * frame.width
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    empty = sum(frame.select((pl.col(texts) == "").sum()).row(0)) if texts else 0
    return (sum(frame.null_count().row(0)) + empty) / cells if cells else 0.0


def check_accessibility(table: Table) -> Check:
    """Whether the source can be read without repair, again and again."""
    repaired = [
        note
        for note in table.notes
        if any(word in note.casefold() for word in ("ragged", "repair", "replaced", "skipped"))
    ]
    evidence = (f"read as {table.format} from {shown_source(table.source)}", *table.notes[:10])
    advice = "Let the source be written in a form that needs no repair." if repaired else ""
    return Check("accessibility", "warn" if repaired else "pass", evidence, advice)


def check_privacy(personal: Mapping[str, Personal], excluded: Mapping[str, str]) -> Check:
    """Whether the values hold personal data; the evidence names kinds and shares, never values."""
    found = {name: one for name, one in personal.items() if one.kind != "secret"}
    if not found:
        return Check(
            "privacy",
            "pass",
            ("no personal data recognised in the sampled values (names and addresses only by their column)",),
            "",
        )
    evidence = tuple(
        f"column '{name}': {one.share:.0%} of {one.sampled:,} sampled values hold {one.kind} data; "
        + ("not learnt from" if name in excluded else "learnt from, its values are shown nowhere")
        for name, one in found.items()
    )
    return Check(
        "privacy", "warn", evidence, "Remove or pseudonymise these columns, or make sure that their use is allowed."
    )


def check_security(table: Table, personal: Mapping[str, Personal]) -> Check:
    """Whether secrets stand in the values, and who may read the source."""
    secrets = [name for name, one in personal.items() if one.kind == "secret"]
    evidence = [f"column '{name}' holds secrets such as keys or passwords" for name in secrets]
    evidence = evidence or ["no keys or passwords recognised in the sampled values"]
    path = Path(table.source)
    open_to_all = False
    try:
        mode = path.stat().st_mode & 0o777
    except (OSError, ValueError):
        evidence.append("the source is no local file: who may read it was not checked")
    else:
        open_to_all = bool(mode & 0o004)
        evidence.append(
            f"file mode {mode:04o}: {'every user of this machine' if open_to_all else 'not every user'} may read it"
        )
    evidence.append("whether it is encrypted at rest can't be seen from here")
    if secrets:
        return Check("security", "fail", tuple(evidence), "Revoke these secrets and remove the columns.")
    exposed = open_to_all and bool(personal)
    advice = f"Close the file to others (chmod o-rwx {path.name}): it holds personal data." if exposed else ""
    return Check("security", "warn" if exposed else "pass", tuple(evidence), advice)


def check_relevance(dataset: Dataset, relevance: Mapping[str, Relevance]) -> Check:
    """Whether the columns say anything about the label, and whether some say too much."""
    names = dataset.frame.columns
    ranked = sorted(names, key=lambda name: -relevance[name].value)
    noise = min(max(_NO_SIGNAL, 3.5 / math.sqrt(min(dataset.frame.height, LARGEST_SAMPLE))), SUSPICIOUS)
    weak = [name for name in names if relevance[name].value < noise]
    suspicious = dataset.suspicious
    leaks = [leak.column for leak in dataset.leaks if leak.action == SET_ASIDE]
    evidence = [
        "strongest: "
        + ", ".join(f"'{name}' {relevance[name].value:.2f} ({relevance[name].measure})" for name in ranked[:5]),
        f"{len(weak):,} of {len(names):,} columns show no signal on their own (association under {noise:.2f})",
        *(leak_sentence(leak) for leak in dataset.leaks[:12]),
    ]
    if len(weak) == len(names):
        return Check("relevance", "fail", tuple(evidence), "Collect columns that have to do with the label.")
    advice = (
        "Make sure that these columns are known before the label is, and pass --keep then, --exclude otherwise."
        if suspicious
        else ""
    )
    return Check(
        "relevance",
        "warn" if suspicious or leaks else "pass",
        tuple(evidence),
        advice or ("Leaks are not learnt from; pass --keep for a column that is known in time." if leaks else ""),
    )


def leak_sentence(leak: Leak) -> str:
    """Say what is the matter with a column, what was done, and what a quick model scores with it and without it."""
    judged = "was set aside: it leaks the target" if leak.action == SET_ASIDE else "may leak the target"
    judged = judged if leak.condition or leak.action == SET_ASIDE else "decides much"
    said = f"column '{leak.column}' {judged}: {leak.evidence}"
    if leak.score is None or leak.score_without is None:
        return said
    title = METRICS[leak.metric].title
    return f"{said}; a quick model's {title} is {leak.score:.4g} with it and {leak.score_without:.4g} without it"


def check_freshness(dataset: Dataset, named: str | None, *, now: float) -> Check:
    """Whether the newest time stamp is recent, against `now` (seconds since 1970) and the usual gap between two."""
    times = {c.name: dataset.frame[c.name] for c in dataset.columns if c.kind is ColumnKind.DATE}
    times |= {c.name: dataset.aside[c.name] for c in dataset.aside_columns if c.kind is ColumnKind.DATE}
    given = {
        name: values.drop_nulls().unique().sort().to_numpy() for name, values in times.items() if named in (None, name)
    }
    given = {name: values for name, values in given.items() if len(values)}
    if not given:
        return Check(
            "freshness", "unknown", ("no column holds dates",), "Add the time of each row, and name it with --time."
        )
    name = min(given, key=lambda column: (abs(now - given[column][-1]), column))
    values = given[name]
    cadence = float(np.median(np.diff(values))) if len(values) > 1 else math.nan
    age = now - float(values[-1])
    evidence = (
        f"newest '{name}': {_day(values[-1])}, {age / _DAY:,.0f} days before now"
        if age >= 0
        else f"newest '{name}': {_day(values[-1])}, in the future",
        f"oldest: {_day(values[0])}; usual gap between time stamps: {_span(cadence)}",
    )
    if age < -_DAY:
        return Check(
            "freshness", "warn", evidence, f"Check the dates of column '{name}': a row can't come from the future."
        )
    if age > max(90 * _DAY, 3 * cadence if cadence == cadence else 0.0):
        return Check(
            "freshness", "warn", evidence, "Train on newer rows, or measure the model on some before it is used."
        )
    return Check("freshness", "pass", evidence, "")


def _day(seconds: float) -> str:
    return str(np.datetime64(round(float(seconds)), "s").astype("datetime64[D]"))


def _span(seconds: float) -> str:
    if math.isnan(seconds):
        return "unknown"
    unit, size = next(
        ((u, s) for u, s in (("days", _DAY), ("hours", 3600.0), ("minutes", 60.0)) if seconds >= s), ("seconds", 1.0)
    )
    count = f"{seconds / size:,.3g}"
    return f"{count} {unit.removesuffix('s') if count == '1' else unit}"
