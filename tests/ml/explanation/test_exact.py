"""Exact explanations of saved ensembles add up in the space that is shown, and belong to the raw columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.adapters.calibrators import BetaCalibrator, Calibrator, IsotonicCalibrator, TemperatureCalibrator
from headrace.ml.algorithms import find_algorithm
from headrace.ml.compiler import check_parity, compile_model, describe_inputs, describe_outputs, write_model
from headrace.ml.compiler import explanation as files
from headrace.ml.contract import Form, Task, View
from headrace.ml.errors import ModelError
from headrace.ml.explanation import explain
from headrace.ml.prediction import load
from headrace.ml.prediction.baseline import measure_baseline
from headrace.ml.prediction.explanation import explained_class
from headrace.ml.prediction.manifest import EXPLANATION_ARRAYS, Manifest
from headrace.ml.prediction.model import Model
from headrace.ml.prediction.session import tensors
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.origins import feature_origins
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = (
    Column("width", ColumnKind.NUMBER),
    Column("height", ColumnKind.NUMBER),
    Column("colour", ColumnKind.CATEGORY),
    Column("features", ColumnKind.NUMBER),  # has the name of an output, and decides nothing
)
CLASSES = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("a", "b", "c"), Task.REGRESSION: ()}
Make = Callable[..., Model]


@dataclass(frozen=True)
class Member:
    """A fitted model with its weight."""

    weight: float
    view: View
    form: Form


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    random = np.random.default_rng(0)
    numbers = {c.name: random.normal(size=300) for c in COLUMNS if c.kind is ColumnKind.NUMBER}
    return pl.DataFrame(numbers | {"colour": random.choice(["red", "green", "blue", ""], 300)})


@pytest.fixture(scope="module")
def make(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Fit, compile, save and load an ensemble of a task; `weights` by algorithm."""

    def build(task: Task, weights: dict[str, float], calibrator: Calibrator | None = None) -> Model:
        classes = CLASSES[task]
        signal = frame["width"].to_numpy() * frame["height"].to_numpy() + (frame["colour"] == "red").to_numpy()
        target: Any = np.digitize(signal, [0.5] if len(classes) == 2 else [-0.5, 0.7]) if classes else signal * 100
        families = (
            Family("number pairs", View.TREES, (("product", "width", "height"),)),
            Family("target encodings", View.TREES),
        )
        plan, matrices = fit_plan(
            frame, target, columns=COLUMNS, classes=len(classes), families=families, imputation="median",
            indicators=True, views=tuple(View), seed=0,
        )  # fmt: skip
        members = []
        for name, weight in weights.items():
            kind = find_algorithm(name)
            fitted = kind(task, len(classes), **kind.quick).fit(matrices[kind.view], target)
            members.append(Member(weight, kind.view, fitted.form))
        proto = compile_model(plan, members, task, classes, calibrator=calibrator)
        manifest = Manifest(task, "target", describe_inputs(proto, COLUMNS), describe_outputs(proto), classes)
        outputs = np.eye(len(classes))[target] if classes else target
        baseline = measure_baseline(frame, COLUMNS, outputs, classes=classes)
        origins = feature_origins(plan, View.TREES)
        trees = files.compile_explanation(plan, members, origins, max(1, len(classes)), calibrator, proto.ByteSize())
        folder = tmp_path_factory.mktemp("models") / "model"
        write_model(folder, proto, manifest, baseline, trees)
        model = load(folder, threads=1)
        check_parity(model, plan, members, frame, calibrator=calibrator)
        return model

    return build


CASES: list[tuple[Task, dict[str, float], Calibrator | None]] = [
    (Task.REGRESSION, {"gradient_boosting_lightgbm": 0.6, "gradient_boosting_catboost": 0.4}, None),
    (Task.BINARY, {"gradient_boosting_lightgbm": 1.0}, None),
    (Task.BINARY, {"gradient_boosting_lightgbm": 0.5, "random_forest": 0.5}, BetaCalibrator(1.4, 0.8, 0.2)),
    (
        Task.BINARY,
        {"gradient_boosting_xgboost": 1.0},
        IsotonicCalibrator(np.array([-1.0, 0.0, 1.0]), np.array([-3.0, 0.5, 1.0])),
    ),
    (Task.MULTICLASS, {"gradient_boosting_catboost": 0.5, "random_forest": 0.5}, TemperatureCalibrator(1.5)),
    (Task.BINARY, {"gradient_boosting_lightgbm": 0.5, "linear_logistic": 0.5}, BetaCalibrator(1.2, 1.0, 0.0)),
]


@pytest.mark.parametrize(("task", "weights", "calibrator"), CASES)
def test_contributions_add_up_and_are_those_of_the_columns_that_decide(
    make: Make, frame: pl.DataFrame, task: Task, weights: dict[str, float], calibrator: Calibrator | None
) -> None:
    model = make(task, weights, calibrator)
    found = explain(model, frame, [0, 5, 9], samples=4)
    for row, each in zip((0, 5, 9), found, strict=True):
        answer = model.predict_frame(frame[row]).reshape(-1)
        assert each["prediction"] == answer[explained_class(model, frame[row]) or 0]
    size = dict.fromkeys([column.name for column in COLUMNS], 0.0)
    for each in found:
        assert each["method"] == ("tree_shap and sampled" if "linear_logistic" in weights else "tree_shap")
        parts = {item["column"]: item["contribution"] for item in each["contributions"]}
        assert sum(parts.values()) == pytest.approx(each["prediction"] - each["base"], abs=1e-9)
        size = {name: size[name] + abs(parts[name]) for name in size}
    assert size["features"] < min(size["width"], size["height"])


def test_of_one_booster_the_probability_is_shared_as_the_log_odds_are(make: Make, frame: pl.DataFrame) -> None:
    from headrace.ml.explanation import exact

    model = make(Task.BINARY, {"gradient_boosting_lightgbm": 1.0})
    (found,) = explain(model, frame, [3])
    ensemble = exact._load(model)
    matrix = ensemble.run(ensemble.outputs, tensors(frame[3]), None)[0]
    raw, base = exact.tree_shap(ensemble.members[0].trees, matrix)
    odds = raw[0, 0] @ ensemble.shares
    start, end = (1 / (1 + np.exp(-score)) for score in (base[0], base[0] + odds.sum()))
    parts = {item["column"]: item["contribution"] for item in found["contributions"]}
    expected = odds * (end - start) / odds.sum()
    assert [parts[column.name] for column in COLUMNS] == pytest.approx(expected.tolist(), abs=1e-6)
    assert found["base"] == pytest.approx(start, abs=1e-6)


def test_a_model_without_room_for_its_trees_is_sampled(
    make: Make, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    model = make(Task.BINARY, {"gradient_boosting_lightgbm": 1.0})
    assert EXPLANATION_ARRAYS not in model.manifest.files
    assert explain(model, frame, [0], samples=2)[0]["method"] == "sampled"
    assert explain(model, frame, []) == []


def test_damaged_trees_are_refused_when_they_are_read(make: Make, frame: pl.DataFrame) -> None:
    model = make(Task.BINARY, {"gradient_boosting_lightgbm": 1.0})
    (model.folder / EXPLANATION_ARRAYS).write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"explanation\.npz' is damaged"):
        explain(model, frame, [0])
    with pytest.raises(ModelError, match="damaged"):
        load(model.folder)


def test_explaining_imports_nothing_that_trains() -> None:
    folder = Path(__file__).parents[2] / "data/models/format_2/binary"
    script = (
        "import sys, json, headrace\n"
        "from headrace.ml.explanation import explain\n"
        "from headrace.ml.prediction.reader import read_rows\n"
        f"model = headrace.load({str(folder / 'model')!r})\n"
        f"rows = json.load(open({str(folder / 'recorded.json')!r}))['rows'][:1]\n"
        "found = explain(model, read_rows(rows, model.manifest.inputs).frame, [0], samples=2)\n"
        "assert found[0]['method'] == 'tree_shap and sampled'\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & "
        "{'sklearn', 'lightgbm', 'xgboost', 'catboost', 'onnx', 'optuna', 'scipy', 'numba'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
