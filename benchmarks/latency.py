"""The compiled models of the demo table: one row and 100,000 rows, for what `make demo` chose and for each algorithm alone."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import polars as pl
from benchmarks.automl.systems import model_speed

HERE = Path(__file__).parent
ALONE = (
    "gradient_boosting_lightgbm",
    "gradient_boosting_xgboost",
    "gradient_boosting_catboost",
    "linear_logistic",
    "neural_network",
)


def main() -> None:
    """Measure, and keep the rows in results/latency.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="OUT/model of `make demo`")
    arguments = parser.parse_args()
    table = HERE.parent / "examples" / "telco_churn.csv"
    frame = pl.read_csv(table, infer_schema=False)
    rows = {"what make demo chose": model_speed(arguments.model, table)}
    for name in ALONE:
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = model_speed(compile_alone(name, table, Path(folder)), table)
        print(name, rows[name], flush=True)
    results = HERE / "results" / "latency.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(rows | {"load": os.getloadavg()[0], "columns": frame.width}, indent=1))
    print(json.dumps(rows, indent=1))


def compile_alone(algorithm: str, table: Path, folder: Path) -> Path:
    """Fit one algorithm's first configuration through the steps, without search or ensemble; return its model folder.

    Boosting and networks stop by the validation rows, as in the main job.
    """
    from headrace.ml.algorithms import find_algorithm
    from headrace.ml.compiler import compile_model, describe_inputs, describe_outputs, write_model
    from headrace.ml.prediction.manifest import Manifest
    from headrace.ml.process.business_problem import define_business_problem
    from headrace.ml.process.datasets import develop_datasets
    from headrace.ml.process.exploration import explore_data
    from headrace.ml.process.feature_engineering import engineer_features
    from headrace.ml.process.preparation import prepare_data
    from headrace.ml.process.problem_framing import frame_problem
    from headrace.ml.process.progress import Progress
    from headrace.ml.process.training import Member
    from headrace.ml.tables import read_table

    source, business = read_table(table), define_business_problem(None)
    framing = frame_problem(source, "Churn", business)
    dataset = develop_datasets(source, business, framing, exclude=("customerID",))
    preparation = prepare_data(dataset, framing, seed=0, budget=60.0)
    exploration = explore_data(dataset, preparation, framing, seed=0)
    engineering = engineer_features(preparation, framing, exploration, seed=0, progress=Progress())
    kind = find_algorithm(algorithm)
    learn = preparation.train
    plan, matrices = engineering.fit_transform(
        preparation.frame[learn.tolist()], preparation.target[learn], views=[kind.view], seed=0
    )
    held = preparation.validation
    validation = plan.transform(preparation.frame[held.tolist()], kind.view), preparation.target[held]
    fitted = kind(framing.task, len(framing.classes), **kind.portfolio[0]).fit(
        matrices[kind.view], preparation.target[learn], validation
    )
    proto = compile_model(plan, [Member(algorithm, 1.0, kind.view, fitted.form)], framing.task, framing.classes, 0.5)
    manifest = Manifest(
        task=framing.task, target="Churn", inputs=describe_inputs(proto, plan.columns), outputs=describe_outputs(proto),
        classes=framing.classes, threshold=0.5,
    )  # fmt: skip
    write_model(folder / "model", proto, manifest, None)
    return folder / "model"


if __name__ == "__main__":
    main()
