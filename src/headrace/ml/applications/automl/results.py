"""What a run leaves in OUT: the compiled model with its manifest and baseline, the predictions and the report."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from headrace.ml.applications.automl.options import Options
from headrace.ml.applications.automl.output import writing
from headrace.ml.applications.automl.reference import keep_for_monitoring
from headrace.ml.contract import View
from headrace.ml.errors import InputError
from headrace.ml.process.business_goals import Threshold
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.feature_engineering.origins import feature_origins
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.progress import Progress
from headrace.ml.process.training import Training
from headrace.ml.process.training.intervals import Intervals
from headrace.ml.process.training.prediction_sets import PredictionSets
from headrace.ml.tables.table import Table, shown_source
from headrace.version import __version__

if TYPE_CHECKING:
    from headrace.ml.adapters.group_shift import GroupShift
    from headrace.ml.prediction.model import Model

_PARITY_ROWS = 2_000
_PACKAGES = ("numpy", "polars", "onnxruntime", "onnx", "scikit-learn", "lightgbm", "xgboost-cpu", "catboost", "optuna")


@dataclass(frozen=True)
class BuiltModel:
    """The compiled model as it will ship, its folder, and what was measured of it."""

    model: Model
    folder: Path
    facts: Mapping[str, Any]


def versions() -> dict[str, str]:
    """Return the versions of Headrace, Python and the libraries that matter."""
    found = {"headrace": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def build_model(
    folder: Path,
    options: Options,
    table: Table,
    dataset: Dataset,
    preparation: Preparation,
    framing: ProblemFraming,
    training: Training,
    threshold: Threshold | None,
    shift: GroupShift | None = None,
) -> BuiltModel:
    """Compile the members into one graph, write it with manifest and baseline, and check it against training."""
    from headrace.ml.compiler import check_parity, compile_model, describe_inputs, describe_outputs, write_model
    from headrace.ml.compiler.explanation import compile_explanation
    from headrace.ml.prediction import load
    from headrace.ml.prediction.baseline import measure_baseline
    from headrace.ml.prediction.manifest import Manifest

    calibrator = training.calibration.calibrator if training.calibration else None
    conformal = training.conformal
    band = conformal.band if isinstance(conformal, Intervals) else None
    sets = conformal.rule if isinstance(conformal, PredictionSets) else None
    bound = threshold.value if threshold is not None else None
    proto = compile_model(
        training.plan, training.members, framing.task, framing.classes, bound, band, calibrator, shift
    )
    codes = None
    if bound is not None:
        codes = (training.held_out[:, 1].astype(np.float32) >= np.float32(bound)).astype(np.int64)
    learnt_from = np.union1d(preparation.train, preparation.validation)
    baseline = measure_baseline(
        preparation.frame[learnt_from], training.plan.columns, training.held_out,
        classes=framing.classes, codes=codes, private=set(dataset.personal),
    )  # fmt: skip
    provenance = {
        "source": shown_source(table.source), "sha256": table.sha256, "rows": preparation.frame.height,
        "seed": options.seed, "versions": versions(), "columns": table.frame.columns,
    }  # fmt: skip
    manifest = Manifest(
        task=framing.task, target=framing.target, inputs=describe_inputs(proto, training.plan.columns),
        outputs=describe_outputs(proto), classes=framing.classes, threshold=bound,
        interval=conformal.half_width if isinstance(conformal, Intervals) else None,
        coverage=conformal.coverage if conformal and (band or sets) else None, sets=sets, provenance=provenance,
        joins=tuple(joined.plan for joined in table.joins),
    )  # fmt: skip
    origins = feature_origins(training.plan, View.TREES) if View.TREES in training.plan.doubles else ()
    outputs = max(1, len(framing.classes))
    trees = None  # with a shift by group, the trees' own contributions do not add up to what is predicted
    if shift is None:
        trees = compile_explanation(training.plan, training.members, origins, outputs, calibrator, proto.ByteSize())
    written = write_model(folder, proto, manifest, baseline, trees)
    model = load(folder)
    sample = preparation.frame.sample(min(_PARITY_ROWS, preparation.frame.height), seed=options.seed)
    difference = check_parity(model, training.plan, training.members, sample, calibrator=calibrator, shift=shift)
    return BuiltModel(model, folder, _facts(model, written, table, preparation, difference))


def _facts(model: Model, manifest: Any, table: Table, preparation: Preparation, difference: float) -> dict[str, Any]:
    """Measure one row (a dict in, a label out) and a batch, and note size and checksum."""
    seconds = []
    for row in table.frame.select([column.name for column in model.columns]).head(100).to_dicts() * 3:
        start = time.perf_counter()
        try:
            model.predict(row)
        except InputError:  # a value that a single row is refused for, such as text among numbers
            continue
        seconds.append(time.perf_counter() - start)
    batch = preparation.frame.head(20_000)
    start = time.perf_counter()
    model.predict_frame(batch)
    rate = batch.height / (time.perf_counter() - start)
    record = manifest.files["model.onnx"]
    return {
        "bytes": record.size, "sha256": record.sha256, "predict_microseconds": median(seconds or [0.0]) * 1e6,
        "rows_per_second": rate, "parity_difference": difference,
    }  # fmt: skip


def write_results(
    partial: Path,
    options: Options,
    steps: Mapping[str, Any],
    built: BuiltModel,
    timings: Mapping[str, float],
    progress: Progress,
) -> dict[str, Any]:
    """Write the manifest's metrics, predictions.csv, report.json and report.html; return report.json's document."""
    from headrace.ml.prediction.manifest import Manifest
    from headrace.ml.report import report_document, write_report

    progress.tell("writing the report")
    keep_for_monitoring(built, steps)
    preparation, metrics = steps["preparation"], steps["evaluation"].metrics
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest.read(built.folder)
    finite = {part: {k: v for k, v in values.items() if np.isfinite(v)} for part, values in metrics.items()}
    provenance = {**manifest.provenance, "created": created}
    replace(manifest, metrics=finite, provenance=provenance).write(built.folder)
    rows = pl.Series("row", preparation.source_rows[preparation.test], dtype=pl.Int64)
    predictions = built.model.predict_columns(preparation.frame[preparation.test.tolist()], proba=True)
    with writing(partial):
        predictions.insert_column(0, rows).sort("row").write_csv(partial / "predictions.csv")
    run = {
        "timings": {**timings, "total": progress.elapsed()}, "seed": options.seed, "versions": versions(),
        "source": shown_source(options.source),
        "options": asdict(options) | {"source": None, "test": None, "charter": None}, "created": created,
        "budget": options.budget, "model": built.facts,
    }  # fmt: skip
    document = report_document(steps, run=run)
    with writing(partial):
        write_report(partial, document)
    return document
