"""The tables of the benchmark and their splits: 80 % to learn from, 20 % to be judged on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

LOSSES = {"roc_auc": "1 - AUC", "log_loss": "log loss", "rmse": "RMSE"}


@dataclass(frozen=True)
class Table:
    """A table, its target, the metric it is judged by, and what is not to be learnt from: identifiers and leaks."""

    name: str
    file: str
    target: str
    metric: str
    positive: str = ""
    excluded: tuple[str, ...] = ()
    separator: str = ","
    header: bool = True


TABLES = (
    Table("telco_churn", "Telco-Customer-Churn.csv", "Churn", "roc_auc", "Yes", ("customerID",)),
    Table("adult", "adult.csv.gz", "income", "roc_auc", ">50K"),
    Table("bank_marketing", "bank-additional-full.csv", "y", "roc_auc", "yes", ("duration",), ";"),
    Table("german_credit", "german.csv", "column_21", "roc_auc", "2", header=False),
    Table("titanic", "train.csv", "Survived", "roc_auc", "1", ("PassengerId",)),
    Table("vehicle_insurance_fraud", "fraud_oracle.csv", "FraudFound_P", "roc_auc", "1", ("PolicyNumber",)),
    Table("penguins", "penguins_raw.csv", "Species", "log_loss", excluded=("Individual ID", "Comments")),
    Table("image_segmentation", "segment.csv", "category", "log_loss"),
    Table("ames_housing", "ames.csv", "price", "rmse", excluded=("Order", "PID")),
    Table("california_housing", "housing.csv", "median_house_value", "rmse"),
    Table("bike_sharing", "bike_hour.csv", "cnt", "rmse", excluded=("instant", "casual", "registered")),
)
SHORT = ("telco_churn", "adult", "german_credit", "image_segmentation", "ames_housing", "california_housing")
"""One or two of each task, small and large: the tables of the short profile."""


def split(data: Path, table: Table, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write train.csv and test.csv, stratified by the target for classes; excluded columns are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = folder / "train.csv", folder / "test.csv"
    if train.exists() and test.exists():
        return train, test
    frame = pl.read_csv(
        data / table.name / table.file, separator=table.separator, has_header=table.header, infer_schema=False
    )
    if not table.header:
        frame.columns = [f"column_{number}" for number in range(1, frame.width + 1)]
    frame = frame.drop(table.excluded)
    order = np.random.default_rng(seed).permutation(frame.height)
    if table.metric == "rmse":
        held = order[: round(frame.height / 5)]
    else:
        labels = frame[table.target].to_numpy()[order]
        parts = [order[labels == label] for label in np.unique(labels)]
        held = np.concatenate([part[: round(len(part) / 5)] for part in parts])
    in_test = np.zeros(frame.height, bool)
    in_test[held] = True
    frame.filter(pl.Series(~in_test)).write_csv(train)
    frame.filter(pl.Series(in_test)).write_csv(test)
    return train, test


def truth(table: Table, test: Path) -> np.ndarray:
    """Return the target of the test rows: 0 or 1, the number of the class in sorted order, or the value."""
    target = pl.read_csv(test, columns=[table.target], infer_schema=False)[table.target]
    if table.metric == "rmse":
        return target.cast(pl.Float64).to_numpy()
    if table.metric == "roc_auc":
        return (target == table.positive).to_numpy().astype(np.int64)
    return np.searchsorted(classes(table, test), target.to_numpy().astype(str))


def classes(table: Table, test: Path) -> np.ndarray:
    """Return the labels in sorted order."""
    target = pl.read_csv(test, columns=[table.target], infer_schema=False)[table.target]
    return np.unique(target.to_numpy().astype(str))
