"""Fits AutoGluon's TabularPredictor on train.csv and writes its predictions and speed; runs in its own environment."""

import json
import sys
import time
from pathlib import Path

import pandas as pd


def main() -> None:
    """Arguments: train.csv test.csv target metric positive seconds folder."""
    train, test, target, metric, positive, seconds, folder = sys.argv[1:8]
    out = Path(folder)
    from autogluon.tabular import TabularPredictor

    eval_metric = {"roc_auc": "roc_auc", "rmse": "root_mean_squared_error"}[metric]
    begin = time.monotonic()
    learn = pd.read_csv(train)
    predictor = TabularPredictor(target, eval_metric=eval_metric, path=str(out / "autogluon"), verbosity=1)
    predictor.fit(learn, time_limit=float(seconds))
    fit_seconds = time.monotonic() - begin
    judged = pd.read_csv(test).drop(columns=[target])

    def predict(frame: pd.DataFrame) -> pd.Series:
        return predictor.predict_proba(frame)[positive] if metric == "roc_auc" else predictor.predict(frame)

    predictor.persist()
    predictions = predict(judged)
    pd.DataFrame({"prediction": predictions}).to_csv(out / "predictions.csv", index=False)
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
    size = sum(f.stat().st_size for f in (out / "autogluon").rglob("*") if f.is_file())
    facts = {
        "fit_seconds": fit_seconds,
        "single_ms": sorted(singles)[15] * 1e3,
        "rows_per_second": 100_000 / sorted(batches)[1],
        "model_mb": size / 1e6,
    }
    (out / "facts.json").write_text(json.dumps(facts))


main()
