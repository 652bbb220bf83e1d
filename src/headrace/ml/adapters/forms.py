"""Saving, loading and running fitted forms: arrays in an .npz, no pickle."""

from __future__ import annotations

import importlib
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from headrace.ml.contract import Features, Form, Predictions
from headrace.ml.errors import ModelError, OutputError

FORMS: Mapping[str, str] = {
    "Constant": "constant",
    "PresentClasses": "present_classes",
    "Linear": "linear",
    "TreeEnsemble": "trees",
    "SymmetricTrees": "symmetric_trees",
    "Gaussian": "bayes",
    "Kernel": "kernel",
    "Neighbors": "neighbors",
    "Neural": "neural",
    "CutForest": "cut_forest",
    "BetaCalibrator": "calibrators",
    "IsotonicCalibrator": "calibrators",
    "TemperatureCalibrator": "calibrators",
    "OneVersusRestCalibrator": "calibrators",
    "Piecewise": "piecewise",
}
"""Every class of form and the module of this folder that holds it."""

_KIND = "form"


def form_arrays(form: Form, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
    """Return the form as named arrays; the fields of an inner form follow its name and a dot."""
    arrays: dict[str, np.ndarray[Any, Any]] = {prefix + _KIND: np.array(type(form).__name__)}
    for field in fields(form):  # type: ignore[arg-type]
        value = getattr(form, field.name)
        if isinstance(value, Form):
            arrays |= form_arrays(value, f"{prefix}{field.name}.")
        elif value is not None:
            arrays[prefix + field.name] = np.asarray(value)
    return arrays


def form_of_arrays(arrays: Mapping[str, np.ndarray[Any, Any]], prefix: str = "") -> Form:
    """Build the form that `form_arrays` took apart; raises ModelError where a part is unknown or absent."""
    kind = str(arrays[prefix + _KIND]) if prefix + _KIND in arrays else ""
    if kind not in FORMS:
        raise ModelError(f"the saved model has a form '{kind}' that this version does not know; retrain or upgrade")
    form_class = getattr(importlib.import_module(f"headrace.ml.adapters.{FORMS[kind]}"), kind)
    hints = get_type_hints(form_class)
    values: dict[str, Any] = {}
    for field in fields(form_class):
        name = prefix + field.name
        if name in arrays:
            array = arrays[name]
            values[field.name] = array if array.ndim else array.item()
        elif f"{name}.{_KIND}" in arrays:
            values[field.name] = form_of_arrays(arrays, f"{name}.")
        elif type(None) in getattr(hints[field.name], "__args__", ()):
            values[field.name] = None
        else:
            raise ModelError(f"the saved {kind} lacks its '{field.name}'; the file is damaged, so train again")
    form: Form = form_class(**values)
    return form


def save_form(form: Form, path: Path) -> None:
    """Write the form to `path` (.npz) by way of a temporary file beside it; equal forms give equal bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **form_arrays(form))
    path = Path(path)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(buffer.getbuffer())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"the model cannot be written to {path} ({error.strerror}); free space or choose another place"
        ) from error


def load_form(path: Path) -> Form:
    """Read a form that `save_form` wrote; raises ModelError where the file is absent, damaged or foreign."""
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise ModelError(f"there is no saved model at {path}; check the path") from error
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not a model saved by headrace, or is damaged ({error}); train again") from error
    return form_of_arrays(arrays)


def form_predictor(form: Form, columns: int, threads: int = 1) -> Callable[[Features], Predictions]:
    """Compile the form for `columns` features and return its predict: [rows, classes] or, for values, [rows, 1].

    Rows go through in blocks of `ROWS_A_BLOCK`, which bounds the memory of kernel and neighbour models.
    """
    import onnxruntime
    from onnx import TensorProto

    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    output = form.to_onnx(graph, graph.input("features", TensorProto.FLOAT, ["rows", columns]))
    graph.output("prediction", output, TensorProto.FLOAT, ["rows", "outputs"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        graph.model().SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def predict(features: Features) -> Predictions:
        rows = np.ascontiguousarray(features, dtype=np.float32)
        starts = range(0, max(len(rows), 1), ROWS_A_BLOCK)
        blocks = [session.run(None, {"features": rows[start : start + ROWS_A_BLOCK]})[0] for start in starts]
        return np.concatenate(blocks).astype(np.float64)

    return predict


ROWS_A_BLOCK = 512


def form_predict(form: Form, features: Features, classes: int = 0) -> Predictions:
    """Predict with ONNX Runtime: probabilities [rows, classes], or values [rows] where `classes` is 0."""
    predictions = form_predictor(form, np.shape(features)[1])(features)
    return predictions if classes else predictions[:, 0]
