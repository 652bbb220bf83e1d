"""ONNX Runtime as Headrace uses it: single rows in the caller's thread, large batches in chunks over a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

LARGEST_CHUNK = 8192
"""Rows that go through the graph at once: 5,000 to 25,000 were equally fast, fewer were slower."""
SMALLEST_CHUNK = 1024
_CELLS = 2_000_000

Run = Callable[[list[str], Mapping[str, npt.NDArray[Any]], None], list[npt.NDArray[Any]]]


def default_threads() -> int:
    """Return how many threads share a large batch: the processors this process may use, at most four."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, available)


def open_session(content: bytes, source: str) -> Any:
    """Open a serialised graph; `ModelError` naming `source` when ONNX Runtime refuses it.

    One thread inside the graph: two of them (intra-op) gained nothing on tree ensembles, two chunks at once doubled
    the rate.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the binding raises a dozen unrelated classes
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"'{source}' is not a graph that ONNX Runtime {onnxruntime.__version__} can run ({first_line}); "
            "train the model again or upgrade onnxruntime"
        ) from error


def direct_run(session: Any) -> Run:
    """Return the session's run without the wrapper that checks the names on every call: 40 of 130 µs at 80 inputs."""
    run: Run = getattr(session, "_sess", session).run
    return run


def run_frame(
    run: Run, frame: pl.DataFrame, names: Sequence[str], outputs: list[str], threads: int
) -> list[npt.NDArray[Any]]:
    """Run the columns `names` of a typed frame through a graph, in chunks; returns each output for all rows."""
    share = -(-frame.height // threads)
    size = max(SMALLEST_CHUNK, min(LARGEST_CHUNK, share, _CELLS // max(1, len(names))))
    frame = frame.select(names)

    def chunk(start: int) -> list[npt.NDArray[Any]]:
        return run(outputs, tensors(frame.slice(start, size)), None)

    starts = range(0, max(1, frame.height), size)
    if threads == 1 or len(starts) == 1:
        parts = [chunk(start) for start in starts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(chunk, starts))
    return parts[0] if len(parts) == 1 else [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def tensors(frame: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Turn typed columns into input tensors [rows, 1]: doubles with NaN for missing, strings with "" for missing."""
    import polars as pl

    return {
        series.name: (
            series.fill_null("").to_numpy() if series.dtype == pl.String else series.cast(pl.Float64).to_numpy()
        ).reshape(-1, 1)
        for series in frame.iter_columns()
    }
