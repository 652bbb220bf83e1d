"""How data of JumpStart's tabular algorithms lies in its channels, and what task its labels are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import Channel, ChannelRule, ClientError, Floats, Reply, Rows, TrainingRun
from headrace.server.containers.formats import MediaType, read_channel
from headrace.server.containers.serving import RowPredictor

REGRESSION, BINARY, MULTICLASS = "regression", "binary", "multiclass"
CLASSIFICATION = "classification"
CATEGORIES = "categorical_index.json"
HELD_OUT = 0.2
MOST_CLASSES = 1000
ROWS_A_CLASS = 2
CHANNELS: Mapping[str, ChannelRule] = {
    "train": ChannelRule(False, ("text/csv",)),
    "training": ChannelRule(False, ("text/csv",)),
    "validation": ChannelRule(False, ("text/csv",)),
}


@dataclass(frozen=True)
class Table:
    """Training and validation rows, the columns among the features that are categories, and the task."""

    training: Rows
    validation: Rows
    categories: tuple[int, ...]
    task: str
    classes: int


def check_channels(channels: Sequence[str]) -> None:
    """Raise ClientError where there is no training channel, or two."""
    named = [name for name in ("train", "training") if name in channels]
    if len(named) != 1:
        found = "both 'train' and 'training'" if named else "neither 'train' nor 'training'"
        raise ClientError(f"InputDataConfig has {found}; give one channel with the training data")


def read_table(run: TrainingRun, task: str | None) -> Table:
    """Return the rows of `train/` and `validation/` under a channel, or of two channels; a fifth is held out else.

    `task` is regression, classification, or None, which lets the labels tell: whole numbers from 0 without a gap are
    classes. Raises ClientError on labels that do not fit.
    """
    channel = run.channels["train" if "train" in run.channels else "training"]
    inner = {part: channel.folder / part for part in ("train", "training", "validation")}
    folder = next((inner[part] for part in ("train", "training") if inner[part].is_dir()), channel.folder)
    if folder == channel.folder and inner["validation"].is_dir():
        raise ClientError(
            f"Channel '{channel.name}' has a folder validation/ and no train/; put the training data into it"
        )
    training = _rows(replace(channel, folder=folder))
    if "validation" in run.channels:
        beside = run.channels["validation"]
        within = beside.folder / "validation"
        validation = _rows(replace(beside, folder=within if within.is_dir() else beside.folder), training)
    elif inner["validation"].is_dir():
        validation = _rows(replace(channel, name="validation", folder=inner["validation"]), training)
    else:
        training, validation = _held_out(training, run.seed)
    width = training.features.shape[1]
    categories = _categories(channel, width) or _categories(replace(channel, folder=folder), width)
    found, classes = _task(np.concatenate([_labels(training), _labels(validation)]), task)
    if found != REGRESSION and len(np.unique(_labels(training))) < 2:
        raise ClientError("The training data has rows of one class only; a classifier needs at least two")
    return Table(training, validation, categories, found, classes)


def _rows(channel: Channel, like: Rows | None = None) -> Rows:
    width = None if like is None else like.features.shape[1]
    rows = read_channel(channel, accepted=("text/csv",), label_size=1, width=width)
    if rows.labels is None or rows.labels.ndim > 1:
        raise ClientError(f"Channel '{channel.name}' needs one label, which is the first column; remove its label_size")
    return rows


def _labels(rows: Rows) -> Floats:
    assert rows.labels is not None
    return rows.labels


def _held_out(rows: Rows, seed: int) -> tuple[Rows, Rows]:
    count = rows.features.shape[0]
    if count < ROWS_A_CLASS:
        raise ClientError(
            f"The training data has {count} row; give at least {ROWS_A_CLASS}, of which a fifth is held out"
        )
    order = np.random.default_rng(seed).permutation(count)
    held = max(1, round(count * HELD_OUT))
    labels = _labels(rows)
    kept, out = np.sort(order[held:]), np.sort(order[:held])
    return Rows(rows.features[kept], labels[kept]), Rows(rows.features[out], labels[out])


def _categories(channel: Channel, width: int) -> tuple[int, ...]:
    """Return the columns of categorical_index.json among the features, counted from 0."""
    path = channel.folder / CATEGORIES
    if not path.is_file():
        return ()
    try:
        listed = json.loads(path.read_bytes())["cat_index_list"]
        wrong = [index for index in listed if type(index) is not int or not 1 <= index <= width]
    except (ValueError, KeyError, TypeError) as error:
        raise ClientError(f'{CATEGORIES} is not of the form {{"cat_index_list": [3, 4]}} ({error})') from error
    if wrong:
        raise ClientError(
            f"cat_index_list in {CATEGORIES} has {wrong[0]}; it may hold whole numbers from 1 to {width}, and 0 would "
            "be the label"
        )
    return tuple(sorted({index - 1 for index in listed}))


def _task(labels: npt.NDArray[Any], task: str | None) -> tuple[str, int]:
    whole = bool((labels == np.floor(labels)).all() and (labels >= 0).all())
    classes = int(labels.max()) + 1 if whole else 0
    if task is None:
        few = 2 <= classes <= min(MOST_CLASSES, len(labels) // ROWS_A_CLASS)
        task = CLASSIFICATION if few and len(np.unique(labels)) == classes else REGRESSION
    if task == REGRESSION:
        return REGRESSION, 0
    if not whole or classes > MOST_CLASSES:
        worst = labels[np.argmax((labels != np.floor(labels)) | (labels < 0))] if not whole else labels.max()
        raise ClientError(
            f"The label {worst:g} is no class: a classifier's labels must be whole numbers from 0 to {MOST_CLASSES - 1}"
        )
    return (BINARY, 2) if classes <= 2 else (MULTICLASS, classes)


class TablePredictor(RowPredictor):
    """Answers {"probabilities": [[p0, p1]]} of a classifier, {"prediction": [...]} of a regressor.

    `application/json;verbose` adds "labels" and "predicted_label".
    """

    content_types = ("text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf")
    accepts = ("application/json", "text/csv", "application/jsonlines", "application/x-recordio-protobuf")
    task: str

    def answer(self, task: str, values: npt.NDArray[Any], accept: MediaType) -> Reply:
        """Return the reply of values [rows] or probabilities [rows, classes]."""
        key = "prediction" if task == REGRESSION else "probabilities"
        if accept.name != "application/json":
            return Reply({key: values})
        extra: dict[str, Any] = {key: values}
        if task != REGRESSION and accept.flag("verbose"):
            extra |= {"labels": np.arange(values.shape[1]), "predicted_label": values.argmax(axis=1)}
        return Reply({}, extra=extra)
