"""Tensors and chunks."""

import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import ModelError
from headrace.ml.prediction.session import BLOCK, CHUNK, default_threads, open_session, run_frame, tensors


def test_missing_values_become_nan_and_the_empty_string():
    frame = pl.DataFrame({"n": [1.5, None], "t": ["a", None], "i": [1, None]})
    got = tensors(frame)
    assert {name: array.shape for name, array in got.items()} == dict.fromkeys("nti", (2, 1))
    assert got["n"].dtype == np.float64
    np.testing.assert_array_equal(got["n"][:, 0], [1.5, np.nan])
    assert got["t"][:, 0].tolist() == ["a", ""]
    assert got["i"].dtype == np.float64


@pytest.mark.parametrize("rows", [0, 1, CHUNK, CHUNK + 1, BLOCK, 3 * BLOCK + 1])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_chunks_cover_every_row_once_in_order(rows, threads):
    sizes = []

    def run(outputs, feed, options):
        sizes.append(len(feed["n"]))
        return [feed["n"] * 2 for _ in outputs]

    frame = pl.DataFrame({"n": np.arange(rows, dtype=np.float64), "other": np.zeros(rows)})
    (got,) = run_frame(run, frame, ["n"], ["double"], threads)
    np.testing.assert_array_equal(got[:, 0], 2 * np.arange(rows))
    assert max(sizes) <= CHUNK
    assert sum(sizes) == rows


def test_wide_frames_go_in_smaller_chunks():
    sizes = []

    def run(outputs, feed, options):
        sizes.append(len(feed["c0"]))
        return [feed["c0"]]

    frame = pl.DataFrame({f"c{i}": np.zeros(3000) for i in range(5000)})
    run_frame(run, frame, frame.columns, ["x"], 1)
    assert max(sizes) <= 400
    assert sum(sizes) == 3000


def test_there_is_at_least_one_thread():
    assert 1 <= default_threads() <= 4


def test_bytes_that_are_no_graph_are_refused():
    with pytest.raises(ModelError, match=r"'here\.onnx' is not a graph that ONNX Runtime .* can run"):
        open_session(b"no graph", "here.onnx")


def test_opening_a_graph_keeps_no_events_of_use(tmp_path):
    program = """
from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.prediction.session import open_session
graph = OnnxGraph()
graph.output("prediction", graph.node("Relu", [graph.input("x", 1, ["rows", 1])]), 1, ["rows", 1])
open_session(graph.model().SerializeToString(), "a graph")
"""
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", program], check=True, env=kept | homes)
    assert not list(tmp_path.rglob("*"))
