"""Odds shifted by group: what NumPy says, the graph says too, and it can be undone."""

import numpy as np
import onnxruntime
import polars as pl
import pytest

from headrace.ml.adapters.group_shift import GroupShift
from headrace.ml.adapters.onnx_graph import OnnxGraph

CASES = {
    "text": (GroupShift("sex", {"f": 2.0, "m": 0.5}), pl.Series("sex", ["f", "m", "x", ""] * 5), 8, object),
    "numbers": (GroupShift("sex", {0.0: 2.0, 1.0: 0.5}), pl.Series("sex", [0.0, 1.0, 7.0, None] * 5), 11, np.float64),
}


@pytest.mark.parametrize("case", CASES)
def test_both_executions_agree_and_the_inverse_undoes_it(case):
    shift, values, kind, dtype = CASES[case]
    positive = np.random.default_rng(0).random(20)
    given = np.column_stack([1 - positive, positive])
    shifted = shift.apply(values.to_frame(), given)
    np.testing.assert_allclose(shifted.sum(axis=1), 1.0)
    odds = shifted[:, 1] / shifted[:, 0] / (positive / (1 - positive))
    np.testing.assert_allclose(odds[:4], [2.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(shift.inverse().apply(values.to_frame(), shifted), given)
    graph = OnnxGraph()
    column, matrix = graph.input("sex", kind, ["rows", 1]), graph.input("p", 1, ["rows", 2])
    graph.output("out", shift.to_onnx(graph, column, matrix), 1, ["rows", 2])
    session = onnxruntime.InferenceSession(graph.model().SerializeToString())
    column_values = (
        values.fill_null(float("nan")).to_numpy() if dtype is np.float64 else np.array(values.to_list(), object)
    )
    fed = {"sex": column_values.astype(dtype).reshape(-1, 1), "p": given.astype(np.float32)}
    np.testing.assert_allclose(session.run(None, fed)[0], shifted, atol=1e-6)
