"""Datasets made without files: typed columns, a target, and what the steps before would have found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import CLASSIFICATION, Task
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.preparation import Preparation, prepare_data
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column, ColumnKind


def make_dataset(frame: pl.DataFrame, target: Any, task: Task, **fields: Any) -> Dataset:
    kinds = {pl.Float64: ColumnKind.NUMBER, pl.String: ColumnKind.CATEGORY}
    columns = tuple(Column(name, kinds[type(kind)]) for name, kind in frame.schema.items())
    values = np.asarray(target, dtype=np.int64 if task in CLASSIFICATION else np.float64)
    rows = np.arange(1, len(values) + 1)
    plain = {"personal": {}, "excluded": {}, "readiness": ()}
    return Dataset(task=task, columns=columns, frame=frame, target=values, rows=rows, **{**plain, **fields})


def framing_of(dataset: Dataset) -> ProblemFraming:
    classes = tuple(f"class{i}" for i in range(int(dataset.target.max()) + 1)) if dataset.task in CLASSIFICATION else ()
    positive = classes[-1] if dataset.task is Task.BINARY else None
    return ProblemFraming(dataset.task, (), "y", len(dataset.rows), 0, (), classes, positive, "roc_auc", "", ())


@pytest.fixture
def dataset_of() -> Callable[..., Dataset]:
    return make_dataset


@pytest.fixture
def prepare() -> Callable[..., Preparation]:
    def run(dataset: Dataset, *, seed: int = 0, budget: float | None = 10.0, **options: Any) -> Preparation:
        return prepare_data(dataset, framing_of(dataset), seed=seed, budget=budget, **options)

    return run


@pytest.fixture
def numbers() -> Callable[[int], pl.DataFrame]:
    def make(rows: int) -> pl.DataFrame:
        generator = np.random.default_rng(7)
        return pl.DataFrame({"x": generator.normal(size=rows), "z": generator.normal(size=rows)})

    return make
