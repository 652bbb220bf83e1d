"""What the tasks without a label share: their first six steps, the compiled model, and what a run leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.applications.automl.output import writing
from headrace.ml.applications.automl.walk import Walk
from headrace.ml.contract import Task
from headrace.ml.errors import InputError, OptionError
from headrace.ml.tables.table import shown_source

if TYPE_CHECKING:
    from headrace.ml.compiler.parts import Member
    from headrace.ml.prediction.model import Model
    from headrace.ml.process.feature_engineering.unlabelled import UnlabelledFeatures
    from headrace.ml.process.preparation import Preparation

_PARITY_ROWS = 500
_SPEED_ROWS = 2_000


@dataclass(frozen=True)
class Built:
    """The compiled model as it will ship, its folder, and what was measured of it."""

    model: Model
    folder: Path
    facts: Mapping[str, Any]


def begin(given: Walk, task: Task, time: str | None) -> dict[str, Any]:
    """Take steps 1 to 6: frame, type, check, split (by `time`, where given), explore, and fit the feature plan."""
    from headrace.ml.applications.automl.supervised import timeline
    from headrace.ml.process.datasets.unlabelled import develop_unlabelled
    from headrace.ml.process.datasets.windows import with_windows
    from headrace.ml.process.exploration.unlabelled import explore_unlabelled
    from headrace.ml.process.feature_engineering.unlabelled import engineer_unlabelled
    from headrace.ml.process.preparation.unlabelled import prepare_unlabelled

    options, watch = given.options, given.watch
    framing = frame(given, task)
    with watch.step("datasets", "typing the columns and checking readiness"):
        dataset = develop_unlabelled(
            given.table, given.business, framing, exclude=options.exclude, time=time, group=options.group
        )
        dataset = with_windows(dataset, time, options.window if task is Task.ANOMALY_DETECTION else 1)
        business = replace(given.business, timeline=timeline(dataset))
    with watch.step("preparation", "cleaning and splitting"):
        preparation = prepare_unlabelled(dataset, seed=options.seed, time=time, group=options.group)
    with watch.step("exploration", "describing the training part"):
        exploration = explore_unlabelled(dataset, preparation, seed=options.seed)
    with watch.step("feature_engineering", "bringing the columns to one scale"):
        engineering = engineer_unlabelled(preparation, seed=options.seed)
    return {
        "business_problem": business,
        "problem_framing": framing,
        "datasets": dataset,
        "preparation": preparation,
        "exploration": exploration,
        "feature_engineering": engineering,
    }


def frame(given: Walk, task: Task) -> Any:
    """Take step 2, after refusing options that mean nothing without a label."""
    from headrace.ml.process.problem_framing.recognition import recognise_task
    from headrace.ml.process.problem_framing.unlabelled import frame_unlabelled

    options = given.options
    words = str(task).replace("_", " ")
    if given.test is not None:
        raise OptionError(f"--test is for tables with a label; {words} holds a fifth of the table out by itself")
    if options.sensitive:
        raise OptionError(f"--sensitive compares errors between groups, and {words} has no errors; leave it out")
    with given.watch.step("problem_framing", "framing the task"):
        _, because = recognise_task(
            given.table, options.target, given.business.charter.excluded_columns, task=options.task, time=options.time
        )
        return frame_unlabelled(
            given.table, task, because, given.business, target=options.target, metric=options.metric
        )


def build(
    given: Walk,
    steps: Mapping[str, Any],
    members: Sequence[Member],
    outputs: npt.NDArray[np.float64],
    *,
    classes: tuple[str, ...] = (),
    threshold: float | None = None,
    window: int = 1,
) -> Built:
    """Compile plan and members into one graph, write it with manifest and baseline, and check it against training.

    `outputs` are memberships [rows, clusters] or scores [rows] of the rows learnt from, for the baseline.
    """
    from headrace.ml.applications.automl.results import versions
    from headrace.ml.compiler import check_parity, compile_model, describe_inputs, describe_outputs, write_model
    from headrace.ml.prediction import load
    from headrace.ml.prediction.baseline import measure_baseline
    from headrace.ml.prediction.manifest import Manifest

    options, dataset = given.options, steps["datasets"]
    preparation: Preparation = steps["preparation"]
    engineering: UnlabelledFeatures = steps["feature_engineering"]
    task, folder = preparation.task, given.partial / "model"
    proto = compile_model(engineering.plan, members, task, classes, threshold)
    learnt = np.union1d(preparation.train, preparation.validation)
    baseline = measure_baseline(
        preparation.frame[learnt.tolist()], engineering.plan.columns, outputs,
        classes=classes, private=set(dataset.personal),
    )  # fmt: skip
    provenance = {
        "source": shown_source(given.table.source), "sha256": given.table.sha256, "rows": preparation.frame.height,
        "seed": options.seed, "versions": versions(), "columns": given.table.frame.columns,
    }  # fmt: skip
    manifest = Manifest(
        task=task, target="", inputs=describe_inputs(proto, engineering.plan.columns), outputs=describe_outputs(proto),
        classes=classes, threshold=threshold, window=window, provenance=provenance,
        joins=tuple(joined.plan for joined in given.table.joins),
    )  # fmt: skip
    written = write_model(folder, proto, manifest, baseline)
    model = load(folder)
    sample = preparation.frame.sample(min(_PARITY_ROWS, preparation.frame.height), seed=options.seed)
    difference = check_parity(model, engineering.plan, members, sample)
    record = written.files["model.onnx"]
    return Built(
        model,
        folder,
        {"bytes": record.size, "sha256": record.sha256, "parity_difference": difference}
        | _speed(model, preparation.frame),
    )


def _speed(model: Model, frame: pl.DataFrame) -> dict[str, float]:
    """Measure one row (a dict in, an answer out) and a batch."""
    seconds = []
    for row in frame.select([column.name for column in model.columns]).head(100).to_dicts():
        start = time.perf_counter()
        try:
            model.predict(row)
        except InputError:  # a date, which a frame holds as seconds and a row as text
            continue
        seconds.append(time.perf_counter() - start)
    batch = frame.head(_SPEED_ROWS)
    start = time.perf_counter()
    model.predict_frame(batch)
    rate = batch.height / (time.perf_counter() - start)
    return {"predict_microseconds": median(seconds or [0.0]) * 1e6, "rows_per_second": rate}


def finish(
    given: Walk, steps: Mapping[str, Any], facts: Mapping[str, Any], predictions: pl.DataFrame
) -> dict[str, Any]:
    """Write predictions.csv, report.json and report.html; return report.json's document."""
    from headrace.ml.applications.automl.results import versions
    from headrace.ml.report import report_document, write_report

    given.progress.tell("writing the report")
    options = given.options
    with writing(given.partial):
        predictions.write_csv(given.partial / "predictions.csv")
    run = {
        "timings": {**given.watch.seconds, "total": given.progress.elapsed()}, "seed": options.seed,
        "versions": versions(), "source": shown_source(options.source),
        "options": asdict(options) | {"source": None, "test": None, "charter": None},
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "budget": options.budget, "model": facts,
    }  # fmt: skip
    document = report_document(steps, run=run)
    with writing(given.partial):
        write_report(given.partial, document)
    return document


def note_metrics(built: Built, metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Write the metrics and the time into the model's manifest."""
    from headrace.ml.prediction.manifest import Manifest

    manifest = Manifest.read(built.folder)
    finite = {part: {k: float(v) for k, v in values.items() if np.isfinite(v)} for part, values in metrics.items()}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    replace(manifest, metrics=finite, provenance={**manifest.provenance, "created": created}).write(built.folder)
