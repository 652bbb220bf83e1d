"""`--write`: the model, the predictions and the report follow a decision, and the earlier one is kept."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.applications.deciding.request import Request
from headrace.ml.applications.deciding.revision import revise
from headrace.ml.errors import ModelError, OutputError, SourceError
from headrace.ml.process.business_goals.evidence import Evidence

PREDICTIONS_FILE = "predictions.csv"


def write_decision(
    folder: Path, document: Mapping[str, Any], evidence: Evidence, found: Mapping[str, Any], request: Request
) -> None:
    """Write the decision `found` into the run's `folder`: all of it first, beside it, and then each into its place."""
    from headrace.ml.applications.automl.output import output_folder, writing
    from headrace.ml.prediction.manifest import write_text
    from headrace.ml.report import write_report

    threshold = float(found["threshold"]["value"])
    revised = revise(document, evidence, found, request)
    predictions = _predictions(folder / PREDICTIONS_FILE, document, threshold)
    with output_folder(folder.absolute() / "model") as partial:
        revised["model"] = dict(revised["model"]) | _model(folder / "model", partial, evidence, revised, threshold)
        beside = partial / "beside"
        with writing(folder):
            beside.mkdir()
        if predictions is not None:
            write_text(beside / PREDICTIONS_FILE, predictions)
        write_report(beside, revised)
        with writing(folder):
            for path in beside.iterdir():
                path.replace(folder / path.name)
            beside.rmdir()


def _predictions(path: Path, document: Mapping[str, Any], threshold: float) -> str | None:
    """Return predictions.csv with the labels that the threshold gives; None where the file was taken away."""
    import polars as pl

    if not path.is_file():
        return None
    negative, positive = document["steps"]["problem_framing"]["classes"]
    try:
        table = pl.read_csv(path, infer_schema=False)
        acted = table[f"probability_{positive}"].cast(pl.Float64) >= float(np.float32(threshold))
        labels = pl.Series("prediction", [positive if each else negative for each in acted], dtype=pl.String)
        table = table.with_columns(labels)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise SourceError(f"{path} is not what the run wrote ({error}); restore or delete it") from error
    content = io.BytesIO()
    table.write_csv(content)
    return content.getvalue().decode()


def _model(
    source: Path, partial: Path, evidence: Evidence, document: Mapping[str, Any], threshold: float
) -> dict[str, Any]:
    """Make the model folder with another threshold in `partial`; return its size and checksum."""
    from headrace.ml.compiler.threshold import replace_threshold
    from headrace.ml.prediction import load
    from headrace.ml.prediction.manifest import BASELINE_FILE, MODEL_FILE, Manifest, read_content, record_content

    manifest = Manifest.read(source)
    try:
        for path in source.iterdir():
            if path.is_file():
                shutil.copy2(path, partial / path.name)
        content = read_content(source / MODEL_FILE)
        if record_content(content) != manifest.files[MODEL_FILE]:
            raise ModelError(
                f"'{source / MODEL_FILE}' is not what its manifest has the checksum of; copy the model again"
            )
        content = replace_threshold(content, threshold)
        (partial / MODEL_FILE).write_bytes(content)
        record = record_content(content)
        metrics = {
            part: {name: value for name, value in values.items() if value is not None}
            for part, values in document["metrics"].items()
        }
        files = {**manifest.files, MODEL_FILE: record}
        replace(manifest, threshold=threshold, metrics=metrics, files=files).write(partial)
        if BASELINE_FILE in manifest.files:
            _keep_baseline(load(partial), evidence, document)
    except OSError as error:
        raise OutputError(f"the model cannot be written beside {source} ({error.strerror}); free some space") from error
    return {"bytes": record.size, "sha256": record.sha256}


def _keep_baseline(model: Any, evidence: Evidence, document: Mapping[str, Any]) -> None:
    """Let what later monitoring compares with follow the threshold: shares of the labels, and the test metrics."""
    from headrace.ml.monitoring.reference import keep_reference, measure_reference
    from headrace.ml.prediction.baseline import PredictionBaseline
    from headrace.ml.prediction.manifest import BASELINE_FILE, Manifest, record_content, write_text

    negative, positive = model.manifest.classes
    threshold = float(np.float32(model.manifest.threshold))

    def labelled(part: PredictionBaseline, scores: Any, weights: Any = None) -> PredictionBaseline:
        if not len(scores):
            return part
        share = float(np.average(np.asarray(scores) >= threshold, weights=weights))
        return replace(part, labels=((negative, 1.0 - share), (positive, share)))

    baseline = model.baseline
    text = replace(baseline, predictions=labelled(baseline.predictions, evidence.held_out)).to_json()
    write_text(model.folder / BASELINE_FILE, text)
    manifest = Manifest.read(model.folder)
    files = {**manifest.files, BASELINE_FILE: record_content(text.encode())}
    replace(manifest, files=files).write(model.folder)
    if baseline.test is None:
        return
    known = document["metrics_interval"]
    metrics = [
        (name, value, *known[name])
        for name, value in document["metrics"]["test"].items()
        if value is not None and None not in known.get(name, [None])
    ]
    test = np.column_stack([1.0 - evidence.test, evidence.test])
    measured = measure_reference(model, evidence.test_target, test, test[:0], baseline.test.metric, metrics)
    points = np.array(baseline.test.trained.points).reshape(-1, 2)  # values, and how many rows have at most each
    trained = labelled(baseline.test.trained, points[:, 0], np.diff(points[:, 1], prepend=0.0))
    keep_reference(model.folder, replace(measured, trained=trained))
