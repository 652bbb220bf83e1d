"""Panels as sequences: labels become codes, related series and metadata become features."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.networks.sequences import Floats, Sequences
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import ModelError

Labels = Mapping[str, Mapping[str, int]]
"""By column the code of each label that training saw."""
MOST_LABELS = 2_000


def count_labels(panel: Panel) -> dict[str, dict[str, int]]:
    """Number the labels of the dimensions and of the metadata; columns of one label or of too many are left out."""
    columns = {name: [item[place] for item in panel.items] for place, name in enumerate(panel.dimensions)}
    for name, values in panel.metadata.items():
        if not isinstance(values, np.ndarray):
            columns[f"metadata.{name}"] = [label for label in values if label is not None]
    found = {name: sorted(set(labels)) for name, labels in columns.items()}
    return {
        name: {label: code for code, label in enumerate(labels)}
        for name, labels in found.items()
        if 1 < len(labels) <= MOST_LABELS
    }


def sequences_of(panel: Panel, ahead: int, labels: Labels) -> Sequences:
    """Return a panel as sequences with `ahead` periods after each history."""
    lengths = panel.lengths
    owner = np.repeat(np.arange(len(panel)), lengths + ahead)
    known: list[Floats] = []
    past: list[Floats] = []
    for name, related in panel.related.items():
        laid = laid_out(panel, name, ahead)
        (known if related.known_ahead else past).append(tamed(laid, lengths + ahead))
    numbers = [values for values in panel.metadata.values() if isinstance(values, np.ndarray)]
    known += [(np.arcsinh(np.nan_to_num(values)) / 5).astype(np.float32)[owner] for values in numbers]
    codes = [codes_of(panel, name, counted) for name, counted in labels.items()]
    return Sequences(
        frequency=panel.frequency,
        start=panel.start,
        offsets=panel.offsets,
        values=panel.values.astype(np.float32),
        codes=np.stack(codes, axis=1) if codes else np.zeros((len(panel), 0), np.int64),
        known=np.stack(known, axis=1) if known else np.zeros((len(owner), 0), np.float32),
        past=np.stack(past, axis=1) if past else np.zeros((len(owner), 0), np.float32),
        ahead=ahead,
    )


def laid_out(panel: Panel, name: str, ahead: int) -> NDArray[np.float64]:
    """Return related values end to end: each item's history and `ahead` periods, NaN where unknown."""
    values, known = panel.related[name].values, panel.horizon_known
    lengths = panel.lengths
    owner = np.repeat(np.arange(len(panel)), lengths + ahead)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(lengths + ahead) - lengths - ahead, lengths + ahead)
    places = panel.offsets[owner] + owner * known + inside
    there = inside < lengths[owner] + known
    return np.where(there, values[np.where(there, places, 0)], np.nan) if len(values) else np.full(len(owner), np.nan)


def tamed(values: NDArray[np.float64], lengths: Numbers) -> Floats:
    """Return features laid end to end, `lengths` of each item, of a size that a network can read.

    A missing value is the one before it. Flags and shares, all from 0 to 1, stay; others are taken in the item's own
    mean and deviation.
    """
    owner = np.repeat(np.arange(len(lengths)), lengths)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    there = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(there, np.arange(len(values)), -1))
    filled = np.where(last >= first, values[last], np.nan) if len(values) else values
    known = filled[~np.isnan(filled)]
    if len(known) and (known.min() < 0 or known.max() > 1):
        count = np.maximum(np.bincount(owner, there, len(lengths)), 1)
        given = np.where(there, values, 0)
        mean = np.bincount(owner, given, len(lengths)) / count
        away = np.where(there, values - mean[owner], 0)
        spread = np.sqrt(np.bincount(owner, away * away, len(lengths)) / count)
        still = spread <= 1e-9 * np.maximum(np.abs(mean), 1e-300)
        filled = (filled - mean[owner]) / np.where(still, 1, spread)[owner]
        filled[still[owner]] = 0
    return np.asarray(np.clip(np.nan_to_num(filled), -5, 5), np.float32)


def codes_of(panel: Panel, name: str, counted: Mapping[str, int]) -> Numbers:
    """Return each item's code of the label in a column that `count_labels` named: [n], -1 for one not counted."""
    if name in panel.dimensions:
        place = panel.dimensions.index(name)
        return np.array([counted.get(item[place], -1) for item in panel.items], np.int64)
    values = panel.metadata.get(name.removeprefix("metadata."), ())
    if not len(values) or isinstance(values, np.ndarray):
        return np.full(len(panel), -1, np.int64)
    return np.array([counted.get(str(label), -1) for label in values], np.int64)


def labels_to_array(labels: Labels) -> NDArray[np.str_]:
    """Return labels and their codes as a text."""
    return np.array(json.dumps({name: list(counted) for name, counted in labels.items()}))


def labels_from_array(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, int]]:
    """Read what `labels_to_array` wrote from the array "labels"; raises ModelError."""
    try:
        found = json.loads(str(arrays["labels"]))
        return {str(name): {str(label): code for code, label in enumerate(names)} for name, names in found.items()}
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"the labels of a network are damaged ({error}); train it again") from error


def quiet_items(panel: Panel) -> NDArray[np.bool_]:
    """Tell of each item whether all of its values, and there are some, are 0: [n]."""
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    some = np.bincount(owner[panel.values != 0], minlength=len(panel))
    return np.asarray((panel.lengths > 0) & (some == 0))
