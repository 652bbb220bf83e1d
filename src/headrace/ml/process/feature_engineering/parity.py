"""The check that the two executions of a plan agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.plan import FittedPlan
from headrace.ml.tables.columns import ColumnKind


def compare_executions(plan: FittedPlan, frame: pl.DataFrame, views: Sequence[View]) -> float:
    """Return the largest difference between the executions on `frame`, relative for values beyond 1.

    Infinite where one of the executions gives a missing value and the other does not.
    """
    import onnxruntime
    from onnx import TensorProto

    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    inputs: dict[str, str] = {}
    feeds: dict[str, np.ndarray] = {}
    for i, column in enumerate(plan.columns_used):
        text = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
        name = graph.input(f"input_{i}", TensorProto.STRING if text else TensorProto.DOUBLE, ["rows", 1])
        inputs[column.name] = name
        values = frame[column.name]
        filled = values.fill_null("") if text else values.cast(pl.Float64).fill_null(float("nan"))
        feeds[name] = filled.to_numpy().astype(object if text else np.float64)[:, None]
    for view in views:
        matrix = plan.to_onnx(graph, inputs, view)
        graph.output(view.value, matrix, TensorProto.FLOAT, ["rows", len(plan.names(view))])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.model().SerializeToString(), options)
    served = session.run(None, feeds)
    return max((difference(plan.transform(frame, view), s) for view, s in zip(views, served, strict=True)), default=0.0)


def difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference of two matrices, relative to the expected value where that is beyond 1."""
    if expected.shape != found.shape or (np.isnan(expected) != np.isnan(found)).any():
        return float("inf")
    left, right = expected.astype(np.float64), found.astype(np.float64)
    return float(np.nanmax(np.abs(left - right) / np.maximum(1.0, np.abs(left)), initial=0.0))
