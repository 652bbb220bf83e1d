"""Rows of a training job's channels, and the sentences about those that an algorithm cannot learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError, Floats, Rows, TrainingRun
from headrace.server.containers.formats import read_channel

DENSE_CELLS = 2_000_000
"""Cells of a sparse matrix that are written out at once."""
AI_ALGORITHMS_TYPES = ("application/x-recordio-protobuf", "text/csv")
"""What AWS's own algorithms read; the first is their default."""


def read_labelled(
    run: TrainingRun, name: str, accepted: Sequence[str], *, weighted: bool = False, width: int | None = None
) -> Rows:
    """Return the rows of a channel; raises ClientError where there is no channel, row or label."""
    if name not in run.channels:
        raise ClientError(f"Missing required channel: {name}; add it to InputDataConfig")
    channel = run.channels[name]
    rows = read_channel(channel, accepted=accepted, label_size=1, weighted=weighted, width=width)
    if rows.labels is None:
        raise ClientError(
            f"Channel '{name}' has no label column (content type '{channel.content_type}'); the first column must be "
            "the label"
        )
    if rows.labels.ndim > 1 and rows.labels.shape[1] != 1:
        raise ClientError(
            f"{channel.content_type} is not an accepted ContentType of channel '{name}': label_size must be 1"
        )
    return Rows(rows.features, rows.labels.reshape(-1), rows.weights, rows.names, rows.groups)


def read_unlabelled(run: TrainingRun, name: str, *, width: int) -> Floats:
    """Return the features of a channel, dense and complete; CSV must say `label_size=0`, labels are ignored."""
    if name not in run.channels:
        raise ClientError(f"Missing required channel: {name}; add it to InputDataConfig")
    rows = read_channel(run.channels[name], accepted=AI_ALGORITHMS_TYPES, label_size=0)
    check_feature_dim(rows, width, name)
    return complete(rows.features, name)


def check_feature_dim(rows: Rows, feature_dim: int, name: str) -> None:
    """Raise ClientError where rows have another number of features than the hyperparameter says."""
    found = rows.features.shape[1]
    if found != feature_dim:
        raise ClientError(
            f"The hyperparameter feature_dim is {feature_dim}, and the rows of channel '{name}' have {found} features "
            "(CSV of an algorithm without labels needs the content type 'text/csv;label_size=0'); change one of them"
        )


def complete(features: Any, name: str) -> Floats:
    """Return features dense, absent values of sparse ones as zeros; raises ClientError where any is missing."""
    matrix = features if isinstance(features, np.ndarray) else features.toarray()
    missing = np.isnan(matrix)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise ClientError(
            f"Row {row + 1} of channel '{name}' has no value in feature {column + 1}; this algorithm does not take "
            "missing values, so fill them in"
        )
    return np.ascontiguousarray(matrix, np.float32)


def class_codes(labels: Floats, classes: int, what: str, name: str) -> npt.NDArray[np.int64]:
    """Return labels as class codes 0 to classes - 1; raises ClientError on any other label.

    `what` names the hyperparameter that asks for them, with its value.
    """
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ClientError(
            f"The label {labels[row]:g} in row {row + 1} of channel '{name}' does not fit {what}; labels must be whole "
            f"numbers from 0 to {classes - 1}"
        )
    return labels.astype(np.int64)


def dense_blocks(features: Any, *, absent: float = 0.0) -> Iterator[Floats]:
    """Yield features as dense rows, sparse ones block by block with `absent` where they have no value."""
    if isinstance(features, np.ndarray):
        yield features
        return
    size = max(1, DENSE_CELLS // max(1, features.shape[1]))
    for start in range(0, features.shape[0], size):
        block = features[start : start + size].tocoo()
        dense = np.full(block.shape, absent, np.float32)
        dense[block.row, block.col] = block.data
        yield dense
