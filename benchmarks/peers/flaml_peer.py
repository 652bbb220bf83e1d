"""Fits FLAML's AutoML on train.csv and writes its predictions and speed; runs in its own environment."""

import json
import sys
import time
from pathlib import Path

import pandas as pd


def main() -> None:
    """Arguments: train.csv test.csv target metric positive seconds folder."""
    train, test, target, metric, positive, seconds, folder = sys.argv[1:8]
    out = Path(folder)
    from flaml import AutoML

    begin = time.monotonic()
    learn = pd.read_csv(train)
    automl = AutoML()
    task = "classification" if metric == "roc_auc" else "regression"
    automl.fit(
        learn.drop(columns=[target]),
        learn[target],
        task=task,
        metric=metric,
        time_budget=float(seconds),
        seed=0,
        verbose=0,
    )
    fit_seconds = time.monotonic() - begin
    judged = pd.read_csv(test).drop(columns=[target])

    def predict(frame: pd.DataFrame) -> object:
        if metric == "roc_auc":
            return automl.predict_proba(frame)[:, list(automl.classes_).index(positive)]
        return automl.predict(frame)

    pd.DataFrame({"prediction": predict(judged)}).to_csv(out / "predictions.csv", index=False)
    singles = []
    for i in range(30):
        row = judged.iloc[[i]]
        start = time.perf_counter()
        predict(row)
        singles.append(time.perf_counter() - start)
    many = pd.concat([judged] * (100_000 // len(judged) + 1)).head(100_000)
    batches = []
    for _ in range(3):
        start = time.perf_counter()
        predict(many)
        batches.append(time.perf_counter() - start)
    facts = {
        "fit_seconds": fit_seconds,
        "single_ms": sorted(singles)[15] * 1e3,
        "rows_per_second": 100_000 / sorted(batches)[1],
        "estimator": str(automl.best_estimator),
    }
    (out / "facts.json").write_text(json.dumps(facts))


main()
