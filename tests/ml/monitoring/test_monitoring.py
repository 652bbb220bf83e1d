"""A model monitored: nothing found where nothing changed, each change found and named, the performance told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.compiler import describe_inputs, describe_outputs, write_model
from headrace.ml.contract import Task
from headrace.ml.errors import InputError
from headrace.ml.metrics import METRICS, bootstrap_intervals
from headrace.ml.monitoring import Level, Verdict, monitor_model
from headrace.ml.monitoring.reference import keep_reference, measure_reference
from headrace.ml.prediction import load
from headrace.ml.prediction.baseline import measure_baseline
from headrace.ml.prediction.manifest import Manifest
from headrace.ml.prediction.reader import read_rows
from headrace.ml.tables import table_from_frame
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = (
    Column("age", ColumnKind.NUMBER),
    Column("since", ColumnKind.DATE, date_formats=("%Y-%m-%d",)),
    Column("plan", ColumnKind.CATEGORY),
    Column("note", ColumnKind.TEXT),
)
CLASSES = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("low", "middle", "high"), Task.REGRESSION: ()}
PLANS = {"basic": -1.0, "plus": 0.0, "pro": 1.0}
ROWS = 2000


def sample(seed: int, rows: int = ROWS) -> pl.DataFrame:
    """Raw rows of one kind; the target `y` follows from age and plan, and so does the model's answer."""
    random = np.random.default_rng(seed)
    age, plan = random.normal(40, 10, rows).round(1), random.choice([*PLANS], rows, p=[0.5, 0.3, 0.2])
    score = (age - 40) / 10 + np.array([PLANS[each] for each in plan])
    return pl.DataFrame(
        {
            "age": age,
            "since": [f"20{year}-0{month}-01" for year, month in random.integers([20, 1], [24, 9], (rows, 2))],
            "plan": plan,
            "note": [" ".join(["word"] * count) for count in random.integers(1, 20, rows)],
            "score": score,
            "yes": random.random(rows) < 1 / (1 + np.exp(-score)),
            "level": np.clip(np.round(score + random.normal(0, 0.5, rows)), -1, 1),
            "value": score + random.normal(0, 0.5, rows),
        }
    )


def truth(frame: pl.DataFrame, task: Task) -> pl.Series:
    """The target of a task, as it would stand in a table."""
    if task is Task.REGRESSION:
        return frame["value"]
    codes = frame["yes"].cast(int) if task is Task.BINARY else (frame["level"] + 1).cast(int)
    return pl.Series(CLASSES[task]).gather(codes)


def graph(task: Task) -> Any:
    """(age - 40) / 10 and the plan's value: as it is, through a logistic, or as the logits of three classes."""
    made = OnnxGraph()
    age = made.input("age", 11, ["rows", 1])
    filled = made.node("Where", [made.node("IsNaN", [age]), made.constant(np.array(40.0)), age])
    centred = made.node(
        "Div", [made.node("Sub", [filled, made.constant(np.array(40.0))]), made.constant(np.array(10.0))]
    )
    label = made.node(
        "LabelEncoder", [made.input("plan", 8, ["rows", 1])], domain="ai.onnx.ml",
        keys_strings=[*PLANS], values_floats=[*PLANS.values()], default_float=0.0,
    )  # fmt: skip
    value = made.node("Add", [made.node("Cast", [centred], to=1), label])
    if task is Task.REGRESSION:
        made.output("prediction", value, 1, ["rows", 1])
        return made.model()
    steps = np.array([[0, 1]] if task is Task.BINARY else [[-3, 0, 3]], np.float32)
    logits = made.node("MatMul", [value, made.constant(steps)])
    if task is Task.MULTICLASS:  # as the level is drawn, so that the probabilities are calibrated
        logits = made.node("Add", [logits, made.constant(np.array([0, 1.45, 0], np.float32))])
    probabilities = made.node("Softmax", [logits], axis=1)
    code = made.node("ArgMax", [probabilities], axis=1, keepdims=0)
    made.output("probabilities", probabilities, 1, ["rows", steps.shape[1]])
    made.output("prediction", made.node("Gather", [made.constant(np.array(CLASSES[task], object)), code]), 8, ["rows"])
    return made.model()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Any]:
    """Loaded models by task, each monitored against rows of its own."""
    made: dict[Task, Any] = {}

    def build(task: Task) -> Any:
        if task not in made:
            made[task] = _build(tmp_path_factory.mktemp("models") / task, task)
        return made[task]

    return build


def _build(folder: Path, task: Task) -> Any:
    proto, classes = graph(task), CLASSES[task]
    manifest = Manifest(
        task=task, target="y", inputs=describe_inputs(proto, COLUMNS), outputs=describe_outputs(proto), classes=classes,
        threshold=0.5 if task is Task.BINARY else None, provenance={"columns": [c.name for c in COLUMNS]},
    )  # fmt: skip
    known, tested = sample(1), sample(2)
    typed = read_rows(known.select(c.name for c in COLUMNS), manifest.inputs).frame
    write_model(
        folder,
        proto,
        manifest,
        measure_baseline(typed, COLUMNS, np.zeros((ROWS, max(1, len(classes)))).squeeze(), classes=classes),
    )
    model = load(folder)
    answers = [
        model.predict_frame(read_rows(f.select(c.name for c in COLUMNS), manifest.inputs).frame)
        for f in (tested, known)
    ]
    labels = truth(tested, task)
    codes = labels.to_numpy() if not classes else np.array([classes.index(each) for each in labels])
    judged = {Task.BINARY: "roc_auc", Task.MULTICLASS: "accuracy", Task.REGRESSION: "rmse"}[task]
    scored = [METRICS[judged], METRICS["mae" if task is Task.REGRESSION else "log_loss"]]
    bounds = bootstrap_intervals(scored, codes, answers[0], replicates=100)
    metrics = [(m.name, m.score(codes, answers[0]), *bounds[m.name]) for m in scored]
    keep_reference(folder, measure_reference(model, codes, answers[0], answers[1], judged, metrics))
    return load(folder)


Models = Callable[[Task], Any]
HIDDEN = ["score", "yes", "level", "value"]


def monitor(model: Any, frame: pl.DataFrame, target: pl.Series | None = None) -> Any:
    rows = frame.drop(HIDDEN, strict=False)
    if target is not None:
        rows = rows.with_columns(target.alias("y"))
    return monitor_model(model, table_from_frame(rows), target=None if target is None else "y")


def kinds(record: Any, *levels: Level) -> set[tuple[str, str | None]]:
    return {(f.kind, f.column) for f in record.findings if f.level in (levels or tuple(Level))}


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_nothing_is_found_where_nothing_changed(models: Models, task: Task) -> None:
    alarms = 0
    for seed in range(20):
        frame = sample(100 + seed, 300)
        record = monitor(models(task), frame, truth(frame, task) if seed % 2 else None)
        alarms += record.changed
        assert not kinds(record, Level.BROKEN)
    assert alarms <= 2


def test_a_million_rows_do_not_alarm_over_nothing(models: Models) -> None:
    frame = sample(7, 200_000)
    record = monitor(models(Task.BINARY), frame.with_columns(pl.col("age") + 1))
    assert record.judgement.verdict is Verdict.KEEP
    assert ("distribution", "age") in kinds(record, Level.NOTE), "it is significant, and said, and too little to matter"


def change(name: str, values: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(values.alias(name))


some = pl.int_range(pl.len()) % 5 == 0


@pytest.mark.parametrize(
    ("changed", "found", "level", "said"),
    [
        (change("age", pl.col("age") + 5), "distribution", Level.DRIFT, "the middle value is 4"),
        (change("age", 40 + (pl.col("age") - 40) * 2), "distribution", Level.DRIFT, "column 'age' moved"),
        (change("age", pl.col("age") * 1000), "unit", Level.BROKEN, "about 1,000 times what they were"),
        (change("age", pl.when(some).then(None).otherwise("age")), "missing values", Level.BROKEN, "misses 20.0%"),
        (change("age", pl.when(some).then(pl.lit(900.0)).otherwise("age")), "range", Level.DRIFT, "(farthest: 900)"),
        (change("age", pl.lit("abc")), "type", Level.BROKEN, "only values that are not numbers"),
        (change("age", pl.when(some).then(pl.lit("x")).otherwise(pl.col("age").cast(str))), "type", Level.BROKEN, "'x' in row 1"),
        (change("plan", pl.when(some).then(pl.lit("gold")).otherwise("plan")), "new label", Level.DRIFT, "('gold')"),
        (change("plan", pl.when(some).then(pl.lit("pro")).otherwise("plan")), "distribution", Level.DRIFT, "'pro' makes"),
        (change("note", pl.col("note") + " and many more words behind it, as it seems"), "distribution", Level.DRIFT, "length of the texts"),
        (lambda frame: frame.drop("plan"), "absent column", Level.BROKEN, "is absent, and the model reads it"),
        (change("extra", pl.lit(1)), "new column", Level.NOTE, "column 'extra' is new"),
        (change("since", pl.lit("2026-05-01")), "dates", Level.NOTE, "100% of the dates in 'since' lie after"),
    ],
)  # fmt: skip
def test_a_change_is_found_named_and_said(
    models: Models, changed: Callable[[pl.DataFrame], pl.DataFrame], found: str, level: Level, said: str
) -> None:
    record = monitor(models(Task.BINARY), changed(sample(3, 1000)))
    (finding,) = [each for each in record.findings if each.kind == found and each.column is not None]
    assert finding.level is level
    assert said in finding.sentence
    assert record.changed == (level is not Level.NOTE)
    assert (record.judgement.verdict is Verdict.REPAIR) == (level is Level.BROKEN)
    assert record.judgement.advice


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_a_changed_meaning_is_seen_with_labels_and_ends_in_retraining(models: Models, task: Task) -> None:
    frame = sample(4, 1000)
    labels = truth(frame, task)
    mixed = labels[np.random.default_rng(0).permutation(1000).tolist()]
    record = monitor(models(task), frame, mixed)
    assert record.judgement.verdict is Verdict.RETRAIN
    first = record.measured[0]
    assert first.worse and first.test is not None and first.p_value is not None and first.p_value < 1e-4
    assert "on the test part of the run" in record.judgement.reasons[0]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_the_estimate_is_close_to_the_truth_where_the_rows_changed(models: Models, task: Task) -> None:
    frame = sample(5, 4000).filter(pl.col("score").abs() < 1)
    record = monitor(models(task), frame, truth(frame, task))
    measured = {each.metric: each for each in record.measured}
    for each in record.estimated[:1]:
        real = measured[each.metric]
        assert abs(each.value - real.value) < 0.05
        assert each.test is not None
        assert task is Task.REGRESSION or abs(each.test - real.value) > abs(each.value - real.value)


def test_a_more_frequent_target_is_said_with_what_to_do(models: Models) -> None:
    frame = sample(6, 4000)
    frame = pl.concat([frame.filter("yes"), frame.filter(~pl.col("yes")).head(500)])
    record = monitor(models(Task.BINARY), frame, truth(frame, Task.BINARY))
    assert ("target", None) in kinds(record, Level.DRIFT)
    assert record.target.drifted and record.predictions.drifted


def test_few_rows_are_no_verdict(models: Models) -> None:
    frame = sample(8, 12)
    record = monitor(models(Task.BINARY), frame, truth(frame, Task.BINARY))
    assert record.judgement.verdict is Verdict.UNKNOWN
    assert not record.changed and not record.measured
    assert any("too few to measure by" in note for note in record.notes)


def test_labels_that_the_model_does_not_know_are_found(models: Models) -> None:
    frame = sample(9, 400)
    labels = truth(frame, Task.BINARY).to_list()
    record = monitor(models(Task.BINARY), frame, pl.Series(["maybe", *labels[1:]]))
    (finding,) = [each for each in record.findings if each.kind == "new class"]
    assert "'maybe' in row 1" in finding.sentence


def test_a_target_without_true_values_is_refused(models: Models) -> None:
    frame = sample(10, 50)
    with pytest.raises(InputError, match=r"no row of the target column 'y' holds one of the classes 'no', 'yes'"):
        monitor(models(Task.BINARY), frame, pl.Series(["?"] * 50))
    with pytest.raises(InputError, match="no row of the target column 'y' holds a number"):
        monitor(models(Task.REGRESSION), frame, pl.Series(["a", "b"] * 25))
    with pytest.raises(InputError, match="no column 'plam' with the true values; did you mean 'plan'"):
        monitor_model(models(Task.BINARY), table_from_frame(frame), target="plam")


def test_a_baseline_without_a_reference_still_tells_drift(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(Task.BINARY)
    old = replace(model.baseline, test=None, columns=tuple(replace(c, points=()) for c in model.baseline.columns))
    monkeypatch.setattr(model, "_baseline", old)
    same, moved = sample(11, 1000), sample(12, 1000).with_columns(pl.col("age") + 5)
    assert ("distribution", "age") not in kinds(monitor(model, same), Level.DRIFT)
    record = monitor(model, moved, truth(moved, Task.BINARY))
    assert ("distribution", "age") in kinds(record, Level.DRIFT)
    assert not record.estimated and record.measured[0].test is None
