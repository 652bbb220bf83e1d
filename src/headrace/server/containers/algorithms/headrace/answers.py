"""What the image answers of each row, by the keys and in the formats of Autopilot's containers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.media_types import CSV, JSON

LABEL, PROBABILITY, PROBABILITIES, LABELS = "predicted_label", "probability", "probabilities", "labels"
BAND = ("lower", "upper")


def supported_keys(*, classes: bool, banded: bool) -> tuple[str, ...]:
    """Return what a model can be asked to answer: with labels, or with numbers, around which there may be a band."""
    if classes:
        return (LABEL, PROBABILITY, PROBABILITIES, LABELS)
    return (LABEL, *BAND) if banded else (LABEL,)


def choose_keys(asked: str, *, classes: bool, banded: bool) -> tuple[str, ...]:
    """Return the keys that SAGEMAKER_INFERENCE_OUTPUT asks for, without it the label or number alone."""
    keys = tuple(key.strip() for key in asked.split(",") if key.strip()) or (LABEL,)
    known = supported_keys(classes=classes, banded=banded)
    foreign = next((key for key in keys if key not in known), None)
    if foreign is not None:
        raise ClientError(
            f"SAGEMAKER_INFERENCE_OUTPUT asks for '{foreign[:50]}', which this model does not answer; choose from "
            f"{', '.join(known)}."
        )
    return keys


def write_answer(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], classes: Sequence[str], name: str) -> bytes:
    """Write what the model said of each row: CSV, JSON `{"predictions": [...]}` or JSON Lines.

    `rows` have `prediction`, and `probability_<class>` of each class or `lower` and `upper`. In CSV the lists of
    probabilities and labels are quoted, as Autopilot writes them.
    """
    items = [_item(row, keys, classes) for row in rows]
    if name == CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([map(_cell, item.values()) for item in items])
        return text.getvalue().encode()
    if name == JSON:
        return json.dumps({"predictions": items}, ensure_ascii=False).encode()
    return "".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in items).encode()


def _item(row: Mapping[str, Any], keys: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    return {key: _value(key, row, classes) for key in keys}


def _value(key: str, row: Mapping[str, Any], classes: Sequence[str]) -> Any:
    if key == LABEL:
        return row["prediction"]
    if key == PROBABILITY:
        return row[f"probability_{row['prediction']}"]
    if key == PROBABILITIES:
        return [row[f"probability_{name}"] for name in classes]
    return list(classes) if key == LABELS else row[key]


def _cell(value: Any) -> Any:
    return str(value) if isinstance(value, list) else value
