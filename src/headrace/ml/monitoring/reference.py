"""What a run keeps for monitoring: how the compiled model fared on the untouched test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Predictions, Target
from headrace.ml.monitoring.performance import error_bins, expected_performance, fit_calibration
from headrace.ml.prediction.baseline import Baseline, PerformanceBaseline, PredictionBaseline, measure_predictions
from headrace.ml.prediction.manifest import BASELINE_FILE, Manifest, record_content, write_text

if TYPE_CHECKING:
    from headrace.ml.prediction.model import Model


def measure_reference(
    model: Model,
    target: Target,
    predictions: Predictions,
    trained: Predictions,
    metric: str,
    metrics: Sequence[tuple[str, float, float, float]],
    seed: int = 0,
) -> PerformanceBaseline:
    """Measure the compiled model's predictions for the test rows and for rows it was trained on.

    `target` holds the test rows' class codes or values; `metrics` are (name, value, low, high) on them.
    """
    manifest = model.manifest
    threshold = 0.5 if manifest.threshold is None else manifest.threshold
    classification = manifest.task in CLASSIFICATION
    calibration = fit_calibration(np.asarray(target, np.int64), predictions) if classification else ()
    errors = () if classification else error_bins(np.asarray(target, np.float64), predictions)
    expected = expected_performance(manifest.task, predictions, threshold, seed, calibration=calibration, errors=errors)
    return PerformanceBaseline(
        rows=len(target),
        predictions=describe_predictions(model, predictions),
        trained=describe_predictions(model, trained),
        target=describe_target(manifest.classes, target),
        metric=metric,
        metrics=tuple(metrics),
        expected=tuple((name, float(values.mean()), float(values.std())) for name, values in expected),
        calibration=calibration,
        errors=errors,
    )


def describe_predictions(model: Model, predictions: Predictions) -> PredictionBaseline:
    """Measure predictions with the decisions that the model takes by them."""
    classes = model.manifest.classes
    codes = model.labels(predictions) if classes and len(predictions) else None
    return measure_predictions(predictions, classes, codes)


def describe_target(classes: Sequence[str], target: Target) -> PredictionBaseline:
    """Measure true class codes or values in the same terms."""
    if not classes:
        return measure_predictions(np.asarray(target, np.float64))
    codes = np.asarray(target, np.int64)
    known = np.eye(len(classes))[codes]
    return replace(measure_predictions(known, classes, codes), points=(), quantiles=(), mean=None, std=None)


def keep_reference(folder: Path, reference: PerformanceBaseline) -> None:
    """Write the reference into the baseline of a model folder, and its checksum into the manifest."""
    manifest = Manifest.read(folder)
    path = folder / BASELINE_FILE
    text = replace(Baseline.from_json(path.read_bytes(), path), test=reference).to_json()
    write_text(path, text)
    files = {**manifest.files, BASELINE_FILE: record_content(text.encode())}
    replace(manifest, files=files).write(folder)
