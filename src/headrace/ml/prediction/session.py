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

BLOCK = 4096
"""Rows that a thread takes from the frame at once."""
CHUNK = 512
"""Rows that go through the graph at once: trees, networks and sums were as fast on 256 to 8,192, but symmetric trees
twice as fast on 512 as on 8,192, and the distances of a neighbour or kernel model take memory by the row."""
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
    frame = frame.select(names)
    fitting = max(1, _CELLS // max(1, len(names)))
    share = max(CHUNK, -(-frame.height // threads))
    block, size = min(BLOCK, share, fitting), min(CHUNK, fitting)

    def run_block(start: int) -> list[list[npt.NDArray[Any]]]:
        feed = tensors(frame.slice(start, block))
        within = range(0, max(1, min(block, frame.height - start)), size)
        return [run(outputs, {name: rows[at : at + size] for name, rows in feed.items()}, None) for at in within]

    starts = range(0, max(1, frame.height), block)
    if threads == 1 or len(starts) == 1:
        blocks = [run_block(start) for start in starts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            blocks = list(pool.map(run_block, starts))
    parts = [part for parts in blocks for part in parts]
    return parts[0] if len(parts) == 1 else [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def tensors(frame: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Turn typed columns into input tensors [rows, 1]: doubles with NaN for missing, strings with "" for missing.

    Pictures become bytes [rows, pixels].
    """
    import polars as pl

    def tensor(series: pl.Series) -> npt.NDArray[Any]:
        if series.dtype == pl.Binary:
            return np.frombuffer(b"".join(series.to_list()), np.uint8).reshape(len(series), -1)
        if series.dtype == pl.String:
            return series.fill_null("").to_numpy().reshape(-1, 1)
        return series.cast(pl.Float64).to_numpy().reshape(-1, 1)

    return {series.name: tensor(series) for series in frame.iter_columns()}
