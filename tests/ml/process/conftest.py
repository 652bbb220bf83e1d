"""A small world whose truth is known: rows, a real compiled model, and the records that lead up to evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.adapters.constant import Constant
from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.compiler import describe_inputs, describe_outputs, write_model
from headrace.ml.contract import Task, View
from headrace.ml.prediction import load
from headrace.ml.prediction.baseline import measure_baseline
from headrace.ml.prediction.manifest import Manifest
from headrace.ml.prediction.model import Model
from headrace.ml.process.business_problem import Charter, define_business_problem
from headrace.ml.process.feature_engineering import FittedPlan
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import frame_problem
from headrace.ml.process.training import Candidate, Member, Training
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.table import Table

COLUMNS = (
    Column("income", ColumnKind.NUMBER),
    Column("noise", ColumnKind.NUMBER),
    Column("city", ColumnKind.CATEGORY),
)
EFFECT = {"north": 1.0, "south": -1.0}
LABELS = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("high", "low", "middle"), Task.REGRESSION: ()}


@dataclass(frozen=True)
class World:
    """The records of the steps before evaluation, and the compiled model."""

    charter: Charter
    business: Any
    framing: Any
    preparation: Preparation
    training: Training
    model: Any


def _graph(task: Task, signal: float) -> Any:
    graph = OnnxGraph()
    income = graph.node("Cast", [graph.input("income", 11, ["rows", 1])], to=1)
    noise = graph.node("Cast", [graph.input("noise", 11, ["rows", 1])], to=1)
    city = graph.node(
        "LabelEncoder",
        [graph.input("city", 8, ["rows", 1])],
        domain="ai.onnx.ml",
        keys_strings=list(EFFECT),
        values_floats=list(EFFECT.values()),
        default_float=0.0,
    )
    unread = graph.node("Mul", [noise, graph.constant(np.array(0, np.float32))])
    value = graph.node("Mul", [graph.node("Sum", [income, city, unread]), graph.constant(np.array(signal, np.float32))])
    if task is Task.REGRESSION:
        graph.output("prediction", value, 1, ["rows", 1])
        half = graph.constant(np.array(1.645, np.float32))
        graph.output("lower", graph.node("Sub", [value, half]), 1, ["rows", 1])
        graph.output("upper", graph.node("Add", [value, half]), 1, ["rows", 1])
        return graph.model()
    steps = np.array([[0, 1]] if task is Task.BINARY else [[1, -1, 0]], np.float32)
    probabilities = graph.node("Softmax", [graph.node("MatMul", [value, graph.constant(steps)])], axis=1)
    graph.output("probabilities", probabilities, 1, ["rows", steps.shape[1]])
    return graph.model()


def _compiled(place: Path, frame: pl.DataFrame, task: Task, signal: float, threshold: float) -> Model:
    folder, proto, classes = place / f"model-{len(list(place.iterdir()))}", _graph(task, signal), LABELS[task]
    manifest = Manifest(
        task=task,
        target="target",
        inputs=describe_inputs(proto, COLUMNS),
        outputs=describe_outputs(proto),
        classes=classes,
        threshold=threshold if task is Task.BINARY else None,
        interval=1.645 if task is Task.REGRESSION else None,
        coverage=0.9 if task is Task.REGRESSION else None,
    )
    any_predictions = np.full((len(frame), len(classes)), 1 / len(classes)) if classes else np.zeros(len(frame))
    write_model(folder, proto, manifest, measure_baseline(frame, COLUMNS, any_predictions, classes=classes))
    return load(folder)


def _draw(task: Task, predictions: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if task is Task.REGRESSION:
        return predictions + generator.normal(size=len(predictions))
    return (predictions.cumsum(axis=1) < generator.random((len(predictions), 1))).sum(axis=1).astype(np.int64)


def _training(preparation: Preparation, predictions: np.ndarray, task: Task, algorithm: str) -> Training:
    held_out = np.sort(np.concatenate([preparation.train, preparation.validation]))
    known = preparation.target[held_out]
    answer = np.array([known.mean()]) if task is Task.REGRESSION else np.bincount(known) / len(known)
    rows = (len(held_out),) if task is Task.REGRESSION else (len(held_out), 1)
    candidate = Candidate("best", algorithm, {}, View.SCALED, "fitted", 0.8, (0.8,), 0.9, 1.0, 10.0, len(held_out))
    curve = tuple(
        {"rows": n, "train_score": 0.9, "validation_score": 0.7 + i / 100} for i, n in enumerate((50, 100, 200))
    )
    return Training(
        candidates=(candidate,),
        members=(Member("best", 1.0, View.SCALED, Constant(answer)),),
        plan=FittedPlan(COLUMNS, {}, {}),
        held_out_rows=held_out,
        held_out=predictions[held_out],
        in_sample=predictions[preparation.train],
        baseline_held_out=np.tile(answer, rows),
        baseline_form=Constant(answer),
        learning_curve=curve,
        bias_variance={"bias": 0.1, "variance": 0.3},
        refitted=True,
        notes=(),
    )


@pytest.fixture
def make_world(tmp_path):
    """Make a world: `signal` 0 is pure noise; `charter` as in the YAML file."""

    def make(
        task: Task = Task.BINARY,
        rows: int = 1000,
        signal: float = 1.5,
        charter: dict[str, Any] | None = None,
        algorithm: str = "linear_logistic",
        seed: int = 0,
        threshold: float = 0.5,
        true_signal: float | None = None,
    ) -> World:
        generator = np.random.default_rng(seed)
        frame = pl.DataFrame(
            {
                "income": generator.normal(size=rows),
                "noise": generator.normal(size=rows),
                "city": generator.choice(["north", "south", "south", ""], rows),
            }
        )
        model = _compiled(tmp_path, frame, task, signal, threshold)
        predictions = model.predict_frame(frame)
        truth = predictions
        if true_signal is not None:
            truth = _compiled(tmp_path, frame, task, true_signal, threshold).predict_frame(frame)
        target = _draw(task, truth, generator)
        labels = [LABELS[task][code] for code in target] if LABELS[task] else target.tolist()
        business = define_business_problem(Charter.model_validate(charter or {}))
        table = Table(frame.with_columns(target=pl.Series(labels)), np.arange(1, rows + 1), "world", "frame")
        places = np.arange(rows)
        preparation = Preparation(
            task=task,
            columns=COLUMNS,
            frame=frame,
            target=target,
            source_rows=places + 1,
            train=places[: int(rows * 0.7)],
            validation=places[int(rows * 0.7) : int(rows * 0.8)],
            test=places[int(rows * 0.8) :],
            folds=((places[: int(rows * 0.5)], places[int(rows * 0.5) : int(rows * 0.7)]),),
            split="at random",
            cleaning=(),
            dropped={},
            imputation="median",
            indicators=False,
            imputation_scores={},
            aside=pl.DataFrame({"gender": generator.choice(["f", "m"], rows), "age": generator.normal(40, 9, rows)}),
        )
        return World(
            charter=business.charter,
            business=business,
            framing=frame_problem(table, "target", business, task=task),
            preparation=preparation,
            training=_training(preparation, predictions, task, algorithm),
            model=model,
        )

    return make
