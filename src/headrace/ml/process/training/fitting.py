"""One fit, run in a worker: matrices in, predictions, the fitted form and its figures out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.contract import Algorithm, Features, Form, Predictions, Target, Task

MEASURED_RUNS = 40
MEASURED_NODES = 50_000
"""The nodes of a forest whose latency is measured: ONNX Runtime needs 400 bytes for each of them while it reads it."""
CALL_MICROSECONDS, OPERATIONS_A_MICROSECOND = 8.0, 100.0
"""What one row's prediction takes, by a model's operations."""
INT64 = 7  # TensorProto.INT64
CACHED_NODES = 1500
"""A tree of so many nodes takes twice as long a step as a small one: it is fetched from memory, and deeper."""
FEWEST_SCORED_ROWS = 20
"""On fewer rows than these nothing is decided by a fold's score: neither when to stop early nor who is given up."""


@dataclass(frozen=True)
class Fit:
    """What is to be fitted, all of it plain JSON data.

    `data` is the folder of a `matrices.Matrices` below the workspace, named by the fingerprint of its content. Only the
    first `rows` rows of its sampling order are fitted on, or a bootstrap `resample` of them. `keep` saves the form and
    the predictions of the rows fitted on, and measures the cost of a prediction.
    """

    algorithm: str
    task: str
    classes: int
    seed: int
    hyperparameters: Mapping[str, Any]
    data: str
    view: str
    metric: str
    rows: int | None = None
    resample: int | None = None
    stop_early: bool = True
    keep: bool = False

    @property
    def identity(self) -> str:
        """A name for the result: equal fits of equal data have equal names."""
        return hashlib.blake2b(
            json.dumps(dataclasses.asdict(self), sort_keys=True).encode(), digest_size=16
        ).hexdigest()

    def request(self) -> dict[str, Any]:
        """The fit as it is sent to a worker."""
        return dataclasses.asdict(self)


def result_folder(workspace: Path, fit: Fit) -> Path:
    """Where the result of `fit` is, once it exists."""
    return workspace / "fits" / fit.identity


def find_result(workspace: Path, fit: Fit) -> dict[str, Any] | None:
    """Return the figures of a finished fit, from this run or one that was broken off."""
    path = result_folder(workspace, fit) / "result.json"
    return json.loads(path.read_text()) if path.exists() else None


def run_fit(fit: Fit, workspace: Path) -> dict[str, Any]:
    """Fit, write `held.npy`, `in_sample.npy`, `form.npz` and `result.json`, and return the latter."""
    from headrace.ml.adapters.forms import save_form
    from headrace.ml.adapters.renumbering import renumbered
    from headrace.ml.metrics import find_metric

    folder, data = result_folder(workspace, fit), workspace / "data" / fit.data
    metric, task = find_metric(fit.metric, Task(fit.task)), Task(fit.task)
    everything, target = _fitting_rows(fit, data)
    held, places = _read(data / f"{fit.view}-held.npy"), _columns_read(fit, data)
    features = everything if places is None else np.ascontiguousarray(everything[:, places])
    held = held if places is None else held[:, places]
    scored = np.load(data / "scored.npy")
    held_target = np.load(data / "held-target.npy")[scored]
    stops_early = fit.stop_early and len(scored) >= FEWEST_SCORED_ROWS
    validation = (np.ascontiguousarray(held[scored]), held_target) if stops_early else None
    started, processor = time.perf_counter(), time.process_time()
    fitted = _algorithm(fit, task).fit(features, target, validation)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    del validation

    temporary = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    predictions = _checked(fitted.predict(held), len(held), fit) if len(held) else None
    result: dict[str, Any] = {"seconds": seconds, "processor_seconds": processor}
    result |= {"rows": len(features), "columns": features.shape[1]}
    result["hyperparameters"] = {key: _plain(value) for key, value in fitted.hyperparameters.items()}
    if predictions is not None:
        np.save(temporary / "held.npy", predictions)
        result["score"] = float(metric.score(held_target, predictions[scored], 0.5)) if len(scored) else None
    if fit.keep:
        in_sample = _checked(fitted.predict(features), len(features), fit)
        np.save(temporary / "in_sample.npy", in_sample)
        result["train_score"] = float(metric.score(target, in_sample, 0.5))
        form = fitted.form if places is None else renumbered(fitted.form, places)
        del fitted, predictions, in_sample  # a forest and its graph are the most that a worker holds
        save_form(form, temporary / "form.npz")
        result |= measure(form, everything)
    (temporary / "result.json").write_text(json.dumps(result))
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return result


def _algorithm(fit: Fit, task: Task) -> Algorithm:
    from headrace.ml.algorithms import find_algorithm

    return find_algorithm(fit.algorithm)(task, fit.classes, seed=fit.seed, threads=1, **fit.hyperparameters)


def _columns_read(fit: Fit, data: Path) -> np.ndarray | None:
    """The columns that the fit reads, None for all: categories as codes, unless its hyperparameters say otherwise."""
    from headrace.ml.adapters.renumbering import LEFT_OUT

    kinds = np.load(data / f"{fit.view}-renderings.npy")
    read = kinds != LEFT_OUT.get(fit.hyperparameters.get("categories", "codes"), -1)
    return None if read.all() else np.flatnonzero(read)


def _read(path: Path) -> Features:
    """Map a matrix as a plain array; workers share its pages, and what a library writes into it stays its own."""
    return np.asarray(np.load(path, mmap_mode="c"))


def _fitting_rows(fit: Fit, data: Path) -> tuple[Features, Target]:
    features, target = _read(data / f"{fit.view}-fit.npy"), np.load(data / "fit-target.npy")
    rows = np.load(data / "order.npy")
    if fit.rows is not None:
        rows = rows[: fit.rows]
    if fit.resample is not None:
        rows = np.random.default_rng(fit.resample).choice(rows, len(rows))
    elif len(rows) == len(features):
        return features, target
    rows = np.sort(rows)
    return np.ascontiguousarray(features[rows]), target[rows]


def _checked(predictions: Predictions, rows: int, fit: Fit) -> Predictions:
    predictions = np.asarray(predictions, dtype=np.float64)
    expected = (rows, fit.classes) if fit.classes else (rows,)
    if predictions.shape != expected:
        raise ValueError(f"predictions have shape {predictions.shape}, not {expected}")
    if not np.isfinite(predictions).all():
        raise ValueError("predictions are not all finite numbers")
    return predictions


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def measure(form: Form, features: Features) -> dict[str, Any]:
    """Measure one row's prediction by the compiled form, in microseconds, and count the operations it needs.

    The operations and the bytes depend on the form alone, so that choices made by them repeat. Of a large forest only
    the first trees are measured, and the others reckoned to take as long.
    """
    import onnxruntime

    from headrace.ml.adapters.trees import first_trees

    model = _graph(form, features.shape[1])
    operations, size = count_operations(model), model.ByteSize()
    part, share = first_trees(form, MEASURED_NODES)
    serialized = (model if part is form else _graph(part, features.shape[1])).SerializeToString()
    del model  # before ONNX Runtime makes its own of it
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])
    samples = [np.ascontiguousarray(features[i : i + 1]) for i in range(min(MEASURED_RUNS, len(features)))]
    times = []
    for index in range(MEASURED_RUNS):
        started = time.perf_counter()
        session.run(None, {"features": samples[index % len(samples)]})
        times.append(time.perf_counter() - started)
    seen = float(np.median(times)) * 1e6
    return {
        "predict_microseconds": seen + max(0.0, seen - CALL_MICROSECONDS) * (1 / share - 1),
        "operations": operations,
        "bytes": size,
    }


def _graph(form: Form, columns: int) -> Any:
    """The form alone as an ONNX model of the features."""
    from onnx import TensorProto

    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    source = graph.input("features", TensorProto.FLOAT, ["rows", columns])
    graph.output("prediction", form.to_onnx(graph, source), TensorProto.FLOAT, ["rows", "outputs"])
    return graph.model()


def count_operations(model: Any) -> int:
    """Count what one row costs, in units of about ten nanoseconds.

    A unit for each level of each tree, more where the trees are large; as measured for what is read otherwise.
    """
    steps = 0.0
    for node in model.graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_treeids" in attributes:
            _, sizes = np.unique(np.asarray(attributes["nodes_treeids"].ints), return_counts=True)
        else:
            trees = max(1, len(attributes["tree_roots"].ints))
            sizes = np.full(trees, 2 * len(attributes["nodes_featureids"].ints) / trees)
        steps += float((np.log2(sizes + 1) * (1 + sizes / CACHED_NODES)).sum())
    reader = {name: node.op_type for node in model.graph.node for name in node.input}
    for tensor in model.graph.initializer:
        numbers, read_by = int(np.prod(tensor.dims)), reader.get(tensor.name)
        if read_by == "GatherElements":  # one of each row's numbers is looked up
            steps += tensor.dims[0]
        else:
            steps += numbers * (
                1 / 50 if read_by in ("Gemm", "MatMul") else 1 / 2 if tensor.data_type == INT64 else 1 / 8
            )
    return int(steps)


def read_predictions(workspace: Path, fit: Fit, name: str = "held") -> Predictions:
    """Read the predictions of a finished fit: `held`, or `in_sample` where it was kept."""
    predictions: Predictions = np.load(result_folder(workspace, fit) / f"{name}.npy")
    return predictions
