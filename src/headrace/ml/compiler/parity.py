"""The last gate before a model ships: its compiled graph must say what the training execution says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.compiler.graph import plan_inputs
from headrace.ml.compiler.parts import Member, Plan
from headrace.ml.contract import Features, Form, Predictions, View
from headrace.ml.errors import ParityError
from headrace.ml.prediction.model import Model
from headrace.ml.prediction.session import direct_run, open_session, run_frame

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.adapters.calibrators import Calibrator
    from headrace.ml.adapters.group_shift import GroupShift


def check_parity(
    model: Model,
    plan: Plan,
    members: Sequence[Member],
    frame: pl.DataFrame,
    tolerance: float = 1e-5,
    calibrator: Calibrator | None = None,
    shift: GroupShift | None = None,
) -> float:
    """Compare the compiled graph with the training execution on the typed rows of `frame`.

    The training execution is `plan.transform` in NumPy, each model on its matrix, and their average, calibrated, in
    double precision. Differences count in probability (before its calibration, where that stretches them), or for
    regression relative to the value (or to the median size of the values, where that is larger). Returns the
    largest difference; raises `ParityError` naming the row, the prediction and the feature that is furthest off
    when it is beyond `tolerance` or not finite.
    """
    matrices = {view: plan.transform(frame, view) for view in {member.view for member in members}}
    average = training_predictions(matrices, members)
    expected = calibrator.apply(average) if calibrator else average
    compiled = model.predict_frame(frame)
    if shift is not None:
        compiled = shift.inverse().apply(frame, compiled)
    classification = bool(model.manifest.classes)
    expected = expected if classification else expected.reshape(-1)
    if compiled.shape != expected.shape:
        raise ParityError(
            f"the compiled model gives predictions of shape {compiled.shape} where training gave {expected.shape}; "
            "it was not saved"
        )
    if compiled.size == 0:
        return 0.0
    with np.errstate(invalid="ignore"):
        size = np.abs(expected)
        scale: Any = np.maximum(size, np.median(size)) + np.finfo(np.float32).tiny
        if classification:
            scale = stretch(calibrator, average, expected, tolerance) if calibrator else 1.0
        difference = np.abs(compiled - expected) / scale
    difference[~np.isfinite(compiled) | ~np.isfinite(expected)] = np.inf
    largest = float(difference.max())
    if largest > tolerance:
        place = np.unravel_index(int(difference.argmax()), difference.shape)
        raise ParityError(
            f"the compiled model differs from training by {largest:.3g} (more than {tolerance:g}) in row "
            f"{int(place[0]) + 1}: {compiled[place]:.9g} instead of {expected[place]:.9g}"
            f"{_furthest_feature(plan, matrices, frame)}; it was not saved"
        )
    return largest


def stretch(calibrator: Calibrator, average: Predictions, expected: Predictions, step: float) -> Predictions:
    """Return how much a calibrator stretches differences at each probability [rows, classes], at least 1."""
    classes = average.shape[1]
    moved = np.zeros(average.shape)
    for code in range(classes):
        corner = np.eye(classes)[code]
        moved = np.maximum(moved, np.abs(calibrator.apply(average + step * (corner - average)) - expected))
    return np.maximum(1.0, moved / step)


def training_predictions(matrices: dict[View, Features], members: Sequence[Member]) -> Predictions:
    """Return the weighted average of the models' outputs on their matrices: [rows, classes], or [rows, 1]."""
    total = sum(member.weight for member in members)
    outputs = [run_form(m.form, matrices[m.view]).astype(np.float64) * (m.weight / total) for m in members if m.weight]
    return np.asarray(np.sum(outputs, axis=0))


def run_form(form: Form, features: Features) -> npt.NDArray[np.float32]:
    """Run one fitted model alone on a float32 matrix [rows, features]."""
    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    matrix = graph.input("features", 1, ["rows", features.shape[1]])
    graph.output("output", form.to_onnx(graph, matrix), 1, ["rows", "width"])
    session = open_session(graph.model().SerializeToString(), type(form).__name__)
    output: npt.NDArray[np.float32] = session.run(["output"], {"features": features})[0]
    return output


def run_plan(plan: Plan, frame: pl.DataFrame, view: View) -> Features:
    """Run the plan's ONNX execution alone on typed rows."""
    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    inputs = plan_inputs(graph, plan)
    graph.output("features", plan.to_onnx(graph, inputs, view), 1, ["rows", "width"])
    session = open_session(graph.model().SerializeToString(), "the feature plan")
    matrix: Any = run_frame(direct_run(session), frame, list(inputs), ["features"], 1)[0]
    return np.asarray(matrix, np.float32)


def _furthest_feature(plan: Plan, matrices: dict[View, Features], frame: pl.DataFrame) -> str:
    worst, found = 0.0, ""
    for view, native in matrices.items():
        served = run_plan(plan, frame, view)
        both_missing = np.isnan(native) & np.isnan(served)
        with np.errstate(invalid="ignore"):
            difference = np.abs(served - native) / np.maximum(1, np.abs(native))
        difference = np.where(both_missing, 0, np.nan_to_num(difference, nan=np.inf))
        if difference.size and (largest := float(difference.max())) > worst:
            row, column = np.unravel_index(int(difference.argmax()), difference.shape)
            name, one, other = plan.names(view)[int(column)], served[row, column], native[row, column]
            worst = largest
            found = f", where feature '{name}' is {one:.9g} instead of {other:.9g} in row {row + 1}"
    return found
