"""Requests in JSON and JSON Lines: `features` or `data.features` of each instance, dense or sparse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.soundness import WIDEST, Source, check_width, float32, sound, sparse

NUMBERS = {int, float}


def read_json(body: bytes, source: Source, *, width: int | None = None) -> Rows:
    """Return the rows of `{"instances": [...]}`."""
    document = _parsed(body, str(source))
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise ClientError('A JSON request needs a list of "instances": {"instances": [{"features": [1.5, 16.0]}]}.')
    return _rows(instances, source, width)


def read_json_lines(body: bytes, source: Source, *, width: int | None = None) -> Rows:
    """Return the rows of one instance a line."""
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    return _rows([_parsed(line, f"line {number} of {source}") for number, line in lines], source, width)


def _parsed(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ClientError(f"The JSON of {where} is nested too deeply.") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is no UTF-8, or has an endless number"
        raise ClientError(f"Unable to parse the JSON of {where}: {reason}.") from None


def _rows(instances: Sequence[Any], source: Source, width: int | None) -> Rows:
    if not instances:
        raise ClientError(f"There are no rows in {source}.")
    vectors = [_vector(instance, number, source) for number, instance in enumerate(instances)]
    if any(isinstance(vector, dict) for vector in vectors):
        return sound(_sparse(vectors, source, width), source)
    found = len(vectors[0])
    if not found:
        raise source.error(0, "has no features")
    for number, vector in enumerate(vectors):
        if len(vector) != found:
            raise source.error(number, f"has {len(vector)} features, and the first has {found}")
    check_width(found, width, source)
    return sound(Rows(_matrix(vectors, source)), source)


def _vector(instance: Any, number: int, source: Source) -> Any:
    """Return the features of an instance: a checked list of numbers, or a dict of keys, shape and values."""
    if type(instance) is dict:
        features = instance.get("features")
        if features is None and isinstance(data := instance.get("data"), dict):
            features = data.get("features")
        if type(features) is dict:
            if "keys" in features or "shape" in features:
                return features
            features = features.get("values")
    else:
        features = instance
    if type(features) is not list:
        raise source.error(number, 'has no "features": [numbers], nor "data": {"features": {"values": [numbers]}}')
    kinds = set(map(type, features))
    if not kinds <= NUMBERS:
        if not kinds <= NUMBERS | {type(None)}:
            wrong = next(value for value in features if value is not None and type(value) not in NUMBERS)
            shown = (
                f"a {type(wrong).__name__}" if isinstance(wrong, list | dict) else f"the value {json.dumps(wrong)[:50]}"
            )
            raise source.error(number, f"has {shown} among its features, which is no number")
        features = [float("nan") if value is None else value for value in features]
    return features


def _matrix(vectors: list[Any], source: Source) -> Any:
    try:
        return float32(np.array(vectors, dtype=np.float64))
    except OverflowError:
        raise ClientError(f"A number of {source} is infinite or too large for float32.") from None


def _sparse(vectors: list[Any], source: Source, width: int | None) -> Rows:
    values: list[float] = []
    keys: list[int] = []
    counts: list[int] = []
    widths: list[int] = []
    for number, vector in enumerate(vectors):
        if isinstance(vector, dict):
            given, indices = vector.get("values", []), vector.get("keys", [])
            widths.append(_size(vector.get("shape"), number, source))
            if type(indices) is not list or not all(type(key) is int and 0 <= key < widths[-1] for key in indices):
                raise source.error(number, f'has "keys" that are no list of whole numbers from 0 to {widths[-1] - 1}')
            if type(given) is not list or len(given) != len(indices):
                raise source.error(
                    number, f'has "values" that are no list of one number for each of {len(indices)} keys'
                )
            given = _vector(given, number, source)
        else:
            given, indices = vector, range(len(vector))
            widths.append(len(vector))
        if widths[-1] != widths[0]:
            raise source.error(number, f"has {widths[-1]} features, and the first has {widths[0]}")
        values += given
        keys += indices
        counts.append(len(given))
    check_width(widths[0], width, source)
    return Rows(sparse(_matrix(values, source), np.array(keys, np.int64), np.array(counts), widths[0], source))


def _size(shape: Any, number: int, source: Source) -> int:
    if type(shape) is list and len(shape) == 1 and type(shape[0]) is int and 0 < shape[0] <= WIDEST:
        return int(shape[0])
    raise source.error(number, f'has keys and no "shape" of one whole number from 1 to {WIDEST}')
