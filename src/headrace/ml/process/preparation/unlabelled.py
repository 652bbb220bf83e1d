"""Preparation without a label: what never changes is dropped, and the rows are split."""

from __future__ import annotations

import numpy as np
import polars as pl

from headrace.ml.errors import ColumnError
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.preparation import Preparation


def prepare_unlabelled(
    dataset: Dataset, *, seed: int, time: str | None = None, group: str | None = None
) -> Preparation:
    """Drop columns that repeat another or never change, and split 70/10/20; rows that repeat stay: they are crowds."""
    from headrace.ml.process.datasets.splitting import Order, split_rows
    from headrace.ml.process.preparation.cleaning import describe_cleaning, find_spellings
    from headrace.ml.process.preparation.duplicates import duplicate_columns

    frame = dataset.frame
    order = Order.of(dataset.frame.hstack(dataset.aside), time, group)
    parts = split_rows(dataset.target, dataset.task, order, seed=seed)
    dropped = duplicate_columns(frame)
    learnt = np.concatenate([parts.train, parts.validation])
    for name, distinct in zip(frame.columns, frame[learnt.tolist()].select(pl.all().n_unique()).row(0), strict=True):
        if distinct <= 1:
            dropped.setdefault(name, "constant in the rows learnt from")
    columns = tuple(column for column in dataset.columns if column.name not in dropped)
    if not columns:
        raise ColumnError("every column holds a single value, so that all rows are alike; add columns that differ")
    frame = frame.select([column.name for column in columns])
    spellings = find_spellings(frame[parts.train.tolist()], columns)
    return Preparation(
        task=dataset.task,
        columns=columns,
        frame=frame,
        target=dataset.target,
        source_rows=dataset.rows,
        train=parts.train,
        validation=parts.validation,
        test=parts.test,
        folds=(),
        split=parts.described,
        cleaning=describe_cleaning(dataset, frame, parts.train, columns, dropped, spellings),
        dropped=dropped,
        imputation="median",
        indicators=False,
        imputation_scores={},
        imputation_reason="without a label there is nothing to choose it by",
        spellings=spellings,
        aside=dataset.aside,
    )
