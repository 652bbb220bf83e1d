"""Which classes are taken for one another most often, with the pictures that it happened to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions
from headrace.ml.process.evaluation.allowance import Allowance
from headrace.ml.process.exploration.pictures import picture_columns, show_rows
from headrace.ml.process.preparation import Preparation

PAIRS = 6


def confused_pictures(
    preparation: Preparation,
    predictions: Predictions,
    classes: Sequence[str],
    threshold: float,
    private: frozenset[str],
    allowance: Allowance,
) -> tuple[dict[str, Any], ...]:
    """Return {title, rows, image} for the pairs of classes that are confused most often on the test part."""
    columns = picture_columns(preparation, private)
    if not columns or not classes or not allowance.allows("Pictures of confused classes"):
        return ()
    test, target = preparation.test, preparation.target[preparation.test].astype(np.int64)
    answers = predictions.argmax(axis=1) if len(classes) > 2 else (predictions[:, 1] >= threshold).astype(np.int64)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (target, answers), 1)
    np.fill_diagonal(counts, 0)
    pairs = [divmod(int(place), len(classes)) for place in np.argsort(-counts, axis=None, kind="stable")[:PAIRS]]
    return tuple(
        {
            "title": f"{column.name}: {classes[actual]} taken for {classes[answer]}",
            "rows": int(counts[actual, answer]),
            "image": show_rows(preparation, column, test[(target == actual) & (answers == answer)]),
        }
        for column in columns
        for actual, answer in pairs
        if counts[actual, answer]
    )
