"""The data sets of the benchmarks and their one split: 80 % to learn from, 20 % to be judged on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl


@dataclass(frozen=True)
class DataSet:
    """A table, its target, what is not to be learnt from, and the metric it is judged by."""

    name: str
    file: str
    target: str
    metric: str
    excluded: tuple[str, ...] = ()
    separator: str = ","


DATA_SETS = (
    DataSet("telco_churn", "Telco-Customer-Churn.csv", "Churn", "roc_auc", ("customerID",)),
    DataSet("adult", "adult.csv.gz", "income", "roc_auc"),
    DataSet("bank_marketing", "bank-additional-full.csv", "y", "roc_auc", ("duration",), ";"),
    DataSet("california_housing", "housing.csv", "median_house_value", "rmse"),
    DataSet("ames_housing", "ames.csv", "price", "rmse", ("Order", "PID")),
)


def split(data: Path, data_set: DataSet, folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write train.csv and test.csv, stratified by the target for classes; excluded columns are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = folder / "train.csv", folder / "test.csv"
    if not (train.exists() and test.exists()):
        frame = pl.read_csv(data / data_set.name / data_set.file, separator=data_set.separator, infer_schema=False)
        frame = frame.drop(data_set.excluded)
        rng = np.random.default_rng(seed)
        order = rng.permutation(frame.height)
        if data_set.metric == "roc_auc":
            labels = frame[data_set.target].to_numpy()
            held = np.concatenate(
                [
                    part[: round(len(part) / 5)]
                    for label in np.unique(labels)
                    if len(part := order[labels[order] == label])
                ]
            )
        else:
            held = order[: round(frame.height / 5)]
        in_test = np.zeros(frame.height, bool)
        in_test[held] = True
        frame.filter(pl.Series(~in_test)).write_csv(train)
        frame.filter(pl.Series(in_test)).write_csv(test)
    return train, test


def score(data_set: DataSet, test: Path, predictions: np.ndarray, positive: str | None = None) -> float:
    """Judge predictions (probability of `positive`, or values) on the test table; scikit-learn is the referee."""
    from sklearn.metrics import roc_auc_score, root_mean_squared_error

    target = pl.read_csv(test, columns=[data_set.target], infer_schema=False)[data_set.target]
    if data_set.metric == "roc_auc":
        return float(roc_auc_score((target == positive).to_numpy(), predictions))
    return float(root_mean_squared_error(target.cast(pl.Float64).to_numpy(), predictions))


def positive_class(data_set: DataSet) -> str | None:
    """Return the label whose probability is judged."""
    return {"telco_churn": "Yes", "adult": ">50K", "bank_marketing": "yes"}.get(data_set.name)
