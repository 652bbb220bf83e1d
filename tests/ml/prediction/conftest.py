"""Small saved models, one a task, whose predictions are easy to work out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.compiler import describe_inputs, describe_outputs, write_model
from headrace.ml.contract import Task
from headrace.ml.prediction import load
from headrace.ml.prediction.baseline import measure_baseline
from headrace.ml.prediction.manifest import Manifest
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = (
    Column("age", ColumnKind.NUMBER, missing=("n/a",), thousands=","),
    Column("joined", ColumnKind.DATE, date_formats=("%Y-%m-%d",)),
    Column("plan", ColumnKind.CATEGORY, missing=("?",)),
    Column("note", ColumnKind.TEXT),
)
LEVELS = {"basic": 0.0, "plus": 1.0, "pro": 2.0}
CLASSES = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("low", "middle", "high"), Task.REGRESSION: ()}


def score(age: float | None, joined: float | None, plan: str, note: str) -> float:
    """What the graphs compute: a missing number counts as 40, a missing date as 2020-01-01, any other label as -1."""
    days = ((1577836800.0 if joined is None else joined) - 1577836800.0) / 86400
    return ((40.0 if age is None else age) - 40) / 10 + days / 1000 + LEVELS.get(plan, -1.0) + (note == "good")


def _scores(graph: OnnxGraph) -> str:
    def number(name: str, filler: float, unit: float) -> str:
        tensor, middle = graph.input(name, 11, ["rows", 1]), graph.constant(np.array(filler))
        filled = graph.node("Where", [graph.node("IsNaN", [tensor]), middle, tensor])
        centred = graph.node("Div", [graph.node("Sub", [filled, middle]), graph.constant(np.array(unit))])
        return graph.node("Cast", [centred], to=1)

    def label(name: str, levels: dict[str, float], default: float) -> str:
        keys, values = list(levels), list(levels.values())
        return graph.node(
            "LabelEncoder",
            [graph.input(name, 8, ["rows", 1])],
            domain="ai.onnx.ml",
            keys_strings=keys,
            values_floats=values,
            default_float=default,
        )

    parts = [
        number("age", 40.0, 10.0),
        number("joined", 1577836800.0, 86400e3),
        label("plan", LEVELS, -1.0),
        label("note", {"good": 1.0}, 0.0),
    ]
    return graph.node("Sum", parts)


def build(task: Task, threshold: float = 0.6):
    """Build the graph of a task: a logistic of the score, a softmax of three multiples of it, or the score and a band."""
    graph = OnnxGraph()
    value = _scores(graph)
    if task == Task.REGRESSION:
        three = graph.constant(np.array(3, np.float32))
        graph.output("prediction", value, 1, ["rows", 1])
        graph.output("lower", graph.node("Sub", [value, three]), 1, ["rows", 1])
        graph.output("upper", graph.node("Add", [value, three]), 1, ["rows", 1])
        return graph.model()
    steps = np.array([[0, 1]] if task == Task.BINARY else [[-1, 0, 1]], np.float32)
    probabilities = graph.node("Softmax", [graph.node("MatMul", [value, graph.constant(steps)])], axis=1)
    labels = graph.constant(np.array(CLASSES[task], object))
    code = graph.node("ArgMax", [probabilities], axis=1, keepdims=0)
    if task == Task.BINARY:
        positive = graph.node("Gather", [probabilities, graph.constant(np.array(1))], axis=1)
        decision = graph.node("GreaterOrEqual", [positive, graph.constant(np.array(threshold, np.float32))])
        code = graph.node("Cast", [decision], to=7)
    graph.output("probabilities", probabilities, 1, ["rows", steps.shape[1]])
    graph.output("prediction", graph.node("Gather", [labels, code]), 8, ["rows"])
    return graph.model()


@pytest.fixture(scope="session")
def training_rows():
    """Typed rows as the model was trained on."""
    generator = np.random.default_rng(0)
    ages = [None if i % 10 == 0 else float(a) for i, a in enumerate(generator.integers(18, 90, 300))]
    return pl.DataFrame(
        {
            "age": ages,
            "joined": 1577836800.0 + 86400.0 * generator.integers(0, 900, 300),
            "plan": generator.choice([*LEVELS, ""], 300).tolist(),
            "note": generator.choice(["good", "bad", "so so"], 300).tolist(),
        },
        schema={"age": pl.Float64, "joined": pl.Float64, "plan": pl.String, "note": pl.String},
    )


@pytest.fixture(scope="session")
def save(training_rows):
    """Save the model of a task into a folder."""

    def save_into(folder, task: Task = Task.BINARY):
        proto, classes = build(task), CLASSES[task]
        predictions = np.full((300, len(classes)), 1 / max(1, len(classes))) if classes else np.arange(300.0)
        manifest = Manifest(
            task=task,
            target="target",
            inputs=describe_inputs(proto, COLUMNS),
            outputs=describe_outputs(proto),
            classes=classes,
            threshold=0.6 if task == Task.BINARY else None,
            interval=3.0 if task == Task.REGRESSION else None,
            coverage=0.9 if task == Task.REGRESSION else None,
            metrics={"test": {"roc_auc": 0.75}},
            provenance={"source": "rows.csv", "rows": 300, "seed": 0, "versions": {"headrace": "0.1.0"}},
        )
        return write_model(
            folder, proto, manifest, measure_baseline(training_rows, COLUMNS, predictions, classes=classes)
        )

    return save_into


@pytest.fixture
def folder(save, tmp_path):
    """A saved binary model."""
    save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="session")
def models(save, tmp_path_factory):
    """Loaded models by task; not to be written to."""
    place = tmp_path_factory.mktemp("models")
    for task in CLASSES:
        save(place / task, task)
    return {task: load(place / task) for task in CLASSES}


@pytest.fixture(scope="session")
def expected_score():
    """The score of a row by hand."""
    return score
