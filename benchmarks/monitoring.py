"""Monitoring: false alarms on rows that did not change, planted drifts that are found, and estimates beside the truth.

A part of each table trains a model; rows that it never saw, and rows that it did, are monitored. Resumes after a stop.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.automl.tables import TABLES, Table

RESULTS = Path(__file__).parent / "results" / "monitoring.json"
KEEP = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace-benchmarks" / "monitoring"
NAMES = ("telco_churn", "german_credit", "adult", "bank_marketing", "california_housing")
SLICED = {
    "telco_churn": ("Contract", "InternetService", "PaymentMethod", "SeniorCitizen"),
    "adult": ("education", "occupation", "marital-status", "gender"),
    "bank_marketing": ("month", "job", "poutcome", "contact"),
    "california_housing": ("ocean_proximity",),
}
MOST_ROWS, SIZES, REPEATS, PLANTED_ROWS, FEWEST = 6_000, (200, 1000), 40, 1000, 300
Found = tuple[pl.DataFrame, str | None]
"""The rows with a drift, and the column it was planted in (None: the whole table)."""


@dataclass(frozen=True)
class Subject:
    """A model, the rows it was trained on and rows that it never saw."""

    table: Table
    model: Any
    known: pl.DataFrame
    later: pl.DataFrame

    @property
    def rows(self) -> int:
        """Rows monitored at a time for planted drifts."""
        return min(PLANTED_ROWS, self.later.height)

    def columns(self, kind: str, least: int = 2) -> list[str]:
        """Inputs of a kind with enough distinct values."""
        return [
            c.name for c in self.model.baseline.columns
            if c.kind == kind and c.distinct >= least and (c.points or c.categories)
        ]  # fmt: skip

    def monitor(self, frame: pl.DataFrame, *, labels: bool) -> Any:
        """Monitor some rows."""
        from headrace.ml.monitoring import monitor_model
        from headrace.ml.tables import table_from_frame

        target = self.table.target if labels else None
        return monitor_model(self.model, table_from_frame(frame), target=target)


def prepare(table: Table, data: Path) -> Subject:
    """Train on half of the rows (once; the model is kept) and return the rest."""
    import headrace

    source = pl.read_csv(
        data / table.name / table.file, separator=table.separator, has_header=table.header, infer_schema=False
    )
    if not table.header:
        source.columns = [f"column_{number}" for number in range(1, source.width + 1)]
    source = source.drop(table.excluded).sample(fraction=1, shuffle=True, seed=0)
    half = min(MOST_ROWS, source.height // 2)
    known, later = source[:half], source[half : 2 * half]
    out = KEEP / table.name
    if not (out / "model").is_dir():
        headrace.run(known, table.target, trials=4, out=out, overwrite=True)
    return Subject(table, headrace.load(out / "model"), known, later)


def plant(subject: Subject, kind: str, frame: pl.DataFrame, random: np.random.Generator) -> Found | None:
    """Change rows; None where the table has nothing to change so."""
    numbers, labels = subject.columns("number", 10), subject.columns("category")
    chosen = pl.Series(random.random(frame.height) < {"new label": 0.05, "missing": 0.1}.get(kind, 0.2))
    if kind in ("shift", "scale", "unit"):
        if not numbers:
            return None
        name = str(random.choice(numbers))
        values = frame[name].cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
        spread, middle = float(values.std() or 1), float(values.mean() or 0)
        changed = {
            "shift": lambda: values + 0.5 * spread * random.choice([-1, 1]),
            "scale": lambda: (values - middle) * 2 + middle,
            "unit": lambda: values * 1000,
        }[kind]()
        return frame.with_columns(changed.alias(name)), name
    if kind in ("share", "new label", "missing"):
        names = labels if kind != "missing" else [*labels, *numbers]
        if not names:
            return None
        name = str(random.choice(names))
        usual = frame[name].value_counts(sort=True)[name].to_list()
        to = {"share": usual[min(1, len(usual) - 1)], "new label": "never seen", "missing": None}[kind]
        text = frame[name].cast(pl.String)
        return frame.with_columns(
            text.zip_with(~chosen, pl.Series([to] * frame.height, dtype=pl.String)).alias(name)
        ), name
    target = subject.table.target
    if kind == "target shift":
        if subject.table.metric == "rmse":
            high = frame[target].cast(pl.Float64).rank().to_numpy() / frame.height
        else:
            high = (frame[target] == subject.table.positive).to_numpy().astype(float)
        weights = 0.5 + 1.5 * high
        return frame[random.choice(frame.height, frame.height, p=weights / weights.sum()).tolist()], None
    shuffled = frame[target][random.permutation(frame.height).tolist()]  # the columns tell less of the target
    mixed = pl.Series(random.random(frame.height) < 0.4)
    return frame.with_columns(shuffled.zip_with(mixed, frame[target]).alias(target)), None


PLANTED = ("shift", "scale", "unit", "share", "new label", "missing", "target shift", "concept")
LABELLED = ("target shift", "concept")


def false_alarms(subject: Subject, source: str, size: int, labels: bool) -> dict[str, Any]:
    """Monitor samples of rows that did not change."""
    frame = subject.known if source == "trained on" else subject.later
    if size > frame.height // 2:
        return {}
    alarms: list[str] = []
    for repeat in range(REPEATS):
        random = np.random.default_rng([repeat, size, zlib.crc32(source.encode())])
        rows = random.choice(frame.height, size, replace=source == "trained on")
        record = subject.monitor(frame[rows.tolist()], labels=labels)
        if record.changed:
            alarms.append(record.judgement.reasons[0])
    return {"repeats": REPEATS, "alarms": len(alarms), "first": alarms[:3]}


def found_drifts(subject: Subject, kind: str, labels: bool) -> dict[str, Any]:
    """Plant one drift at a time and count how often it is found where it is."""
    tried, found, missed = 0, 0, []
    for repeat in range(REPEATS // 2):
        random = np.random.default_rng([repeat, zlib.crc32(kind.encode())])
        rows = random.choice(subject.later.height, subject.rows, replace=False)
        planted = plant(subject, kind, subject.later[rows.tolist()], random)
        if planted is None:
            return {}
        frame, column = planted
        record = subject.monitor(frame, labels=labels)
        named = {each.column for each in record.findings if each.level != "note"}
        tried += 1
        if record.changed and (column is None or column in named):
            found += 1
        else:
            missed.append(column)
    return {"repeats": tried, "found": found, "rows": subject.rows, "missed": missed[:5]}


def estimates(subject: Subject) -> dict[str, Any]:
    """Compare what is estimated without labels with what is measured, on slices of the rows."""
    measured: dict[str, list[list[float]]] = {}
    for name in SLICED.get(subject.table.name, ()):
        for value in subject.later[name].unique().sort():
            frame = subject.later.filter(pl.col(name) == value)
            if frame.height < FEWEST or (subject.table.positive and frame[subject.table.target].n_unique() < 2):
                continue
            record = subject.monitor(frame, labels=True)
            told = {each.metric: each for each in record.estimated}
            for each in record.measured:
                if each.metric in told and each.test is not None:
                    of = told[each.metric]
                    inside = of.low <= each.value <= of.high
                    measured.setdefault(each.metric, []).append([of.value, each.value, each.test, float(inside)])
    rows = {name: np.array(values) for name, values in measured.items()}
    return {
        name: {"slices": len(v), "error_of_estimate": float(np.abs(v[:, 0] - v[:, 1]).mean()),
               "error_of_test_value": float(np.abs(v[:, 2] - v[:, 1]).mean()), "inside_interval": float(v[:, 3].mean())}
        for name, v in rows.items()
    }  # fmt: skip


def parts(subject: Subject) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Yield every measurement with its name."""
    for size in SIZES:
        yield f"alarms, never seen, {size}", lambda s=size: false_alarms(subject, "never seen", s, False)
        yield f"alarms, trained on, {size}", lambda s=size: false_alarms(subject, "trained on", s, False)
    yield "alarms, never seen, 1000, labels", lambda: false_alarms(subject, "never seen", 1000, True)
    for kind in PLANTED:
        yield f"planted, {kind}", lambda k=kind: found_drifts(subject, k, k in LABELLED)
    yield "planted, target shift, no labels", lambda: found_drifts(subject, "target shift", False)
    if subject.table.name in SLICED:
        yield "estimates", lambda: estimates(subject)


def main() -> None:
    """Measure what is not measured yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets (benchmarks/README.md)")
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--anew", action="store_true", help="forget earlier rows")
    arguments = parser.parse_args()
    rows: dict[str, Any] = {} if arguments.anew or not RESULTS.exists() else json.loads(RESULTS.read_text())
    for table in TABLES:
        if table.name not in arguments.only:
            continue
        done = rows.setdefault(table.name, {})
        subject = prepare(table, arguments.data)
        for name, measure in parts(subject):
            if name not in done:
                done[name] = measure()
                print(table.name, name, json.dumps(done[name])[:300], flush=True)
                keep(table.name, done)


def keep(table: str, done: dict[str, Any]) -> None:
    """Write the rows of one table beside those of the others, which another process may measure."""
    RESULTS.parent.mkdir(exist_ok=True)
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    temporary = RESULTS.with_suffix(f".{table}")
    temporary.write_text(json.dumps(rows | {table: done}, indent=1) + "\n")
    temporary.replace(RESULTS)


if __name__ == "__main__":
    main()
