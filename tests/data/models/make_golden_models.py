"""Makes the golden models of the current format, once: what a later release must load and predict the same.

Run `python tests/data/models/make_golden_models.py` when FORMAT_VERSION is raised, and never again for that format.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headrace.ml.adapters.calibrators import BetaCalibrator, Calibrator, TemperatureCalibrator
from headrace.ml.adapters.piecewise import Piecewise
from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.compiler import check_parity, compile_model, describe_inputs, describe_outputs, write_model
from headrace.ml.compiler.explanation import compile_explanation
from headrace.ml.compiler.parts import Band
from headrace.ml.contract import Form, Task, View
from headrace.ml.explanation import explain
from headrace.ml.prediction import load
from headrace.ml.prediction.baseline import measure_baseline
from headrace.ml.prediction.manifest import FORMAT_VERSION, Input, Manifest
from headrace.ml.prediction.model import Model
from headrace.ml.prediction.reader import read_rows
from headrace.ml.prediction.sets import LEAST_AMBIGUOUS, REGULARISED, SetRule
from headrace.ml.process.feature_engineering.fitting import Family, fit_plan
from headrace.ml.process.feature_engineering.origins import feature_origins
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = (
    Column("tenure", ColumnKind.NUMBER, missing=("n/a",)),
    Column("charges", ColumnKind.NUMBER, decimal=",", thousands=".", affixes=("€",)),
    Column("since", ColumnKind.DATE, date_formats=("%d.%m.%Y",)),
    Column("contract", ColumnKind.CATEGORY, missing=("?",)),
    Column("city", ColumnKind.CATEGORY),
    Column("comment", ColumnKind.TEXT),
)
FAMILIES = (
    Family("frequencies", View.TREES),
    Family("target encodings", View.TREES),
    Family("missing count", View.TREES),
)
MODELS = {
    Task.BINARY: (("no", "yes"), {"gradient_boosting_lightgbm": 0.7, "linear_logistic": 0.3}),
    Task.MULTICLASS: (("bronze", "silver", "gold"), {"decision_tree": 1.0, "linear_logistic": 1.0}),
    Task.REGRESSION: ((), {"gradient_boosting_lightgbm": 0.6, "linear_square": 0.4}),
}
CALIBRATORS: dict[Task, Calibrator] = {
    Task.BINARY: BetaCalibrator(0.9, 1.1, 0.1),
    Task.MULTICLASS: TemperatureCalibrator(1.3),
}
SETS = {Task.BINARY: SetRule(LEAST_AMBIGUOUS, 0.7), Task.MULTICLASS: SetRule(REGULARISED, 0.9, 0.1, 1)}
BAND = Band(1.5, Piecewise(np.array([50.0, 200.0, 400.0]), np.array([10.0, 20.0, 15.0])))


@dataclass(frozen=True)
class Member:
    """A fitted model with its weight."""

    weight: float
    view: View
    form: Form


def raw_rows(count: int) -> list[dict[str, str | None]]:
    """Make raw rows with every kind of value, missing ones among them."""
    generator = np.random.default_rng(7)
    words = ["good", "bad", "slow", "line", "price", "support", "friendly", "never", "again"]
    rows = []
    for i in range(count):
        amount = f"{generator.uniform(5, 2500):,.2f}".translate(str.maketrans(",.", ".,"))
        day = np.datetime64("2019-01-01") + int(generator.integers(0, 1500))
        year, month, date = str(day).split("-")
        rows.append(
            {
                "tenure": "n/a" if i % 17 == 0 else str(generator.integers(0, 72)),
                "charges": None if i % 23 == 0 else f"{amount} €",
                "since": "" if i % 29 == 0 else f"{date}.{month}.{year}",
                "contract": str(generator.choice(["monthly", "yearly", "two years", "?"])),
                "city": str(generator.choice(["Köln", "Zürich", "東京", "Łódź", "Oslo"])),
                "comment": " ".join(generator.choice(words, 5)),
            }
        )
    return rows


def contributions(model: Model, rows: list[dict[str, str | None]]) -> dict[str, float]:
    """Explain the first row: column → contribution."""
    (explained,) = explain(model, read_rows(rows[:1], model.manifest.inputs).frame, [0])
    return {item["column"]: item["contribution"] for item in explained["contributions"]}


def make(folder: Path, task: Task, rows: list[dict[str, str | None]]) -> None:
    """Fit, compile and save the model of a task, and record what it predicts for the first rows."""
    classes, weights = MODELS[task]
    columns = read_rows(rows, [Input(column) for column in COLUMNS]).frame
    generator = np.random.default_rng(0)
    signal = columns["tenure"].fill_null(30).to_numpy() / 20 + (columns["contract"] == "monthly").to_numpy()
    signal = signal + columns["comment"].str.contains("bad").to_numpy() + generator.normal(0, 0.3, len(rows))
    edges = np.quantile(signal, np.linspace(0, 1, len(classes) + 1)[1:-1]) if classes else []
    target = np.digitize(signal, edges) if classes else signal * 100
    plan, matrices = fit_plan(
        columns, target, columns=COLUMNS, classes=len(classes), families=FAMILIES, imputation="median", indicators=True,
        views=tuple(View), seed=0,
    )  # fmt: skip
    members = []
    for name, weight in weights.items():
        algorithm = ALGORITHMS[name]
        small = {"num_iterations": 15, "num_leaves": 8, "min_data_in_leaf": 5}
        chosen = {key: value for key, value in small.items() if key in algorithm.hyperparameters}
        fitted = algorithm(task, len(classes), **chosen).fit(matrices[algorithm.view], target)
        members.append(Member(weight, algorithm.view, fitted.form))
    threshold, band = (0.4 if task == Task.BINARY else None), (BAND if task == Task.REGRESSION else None)
    calibrator = CALIBRATORS.get(task)
    proto = compile_model(plan, members, task, classes, threshold, band, calibrator)
    outputs = np.eye(len(classes))[target] if classes else target
    manifest = Manifest(
        task=task, target="target", inputs=describe_inputs(proto, COLUMNS), outputs=describe_outputs(proto),
        classes=classes, threshold=threshold, interval=25.0 if band else None, coverage=0.9,
        sets=SETS.get(task),
        metrics={"test": {"example": 0.5}}, provenance={"source": "make_golden_models.py", "rows": len(rows), "seed": 0},
    )  # fmt: skip
    origins = feature_origins(plan, View.TREES)
    trees = compile_explanation(plan, members, origins, max(1, len(classes)), calibrator, proto.ByteSize())
    write_model(folder / "model", proto, manifest, measure_baseline(columns, COLUMNS, outputs, classes=classes), trees)
    model = load(folder / "model")
    check_parity(model, plan, members, columns, calibrator=calibrator)
    predictions = model.predict(rows[:40], proba=True, sets=bool(classes))
    recorded = {"rows": rows[:40], "predictions": predictions.to_dict(as_series=False)}
    recorded["contributions"] = contributions(model, rows)
    text = json.dumps(recorded, ensure_ascii=False, indent=0) + "\n"
    (folder / "recorded.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    place = Path(__file__).parent / f"format_{FORMAT_VERSION}"
    for task in MODELS:
        make(place / task, task, raw_rows(400))
