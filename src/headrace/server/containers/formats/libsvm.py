"""libsvm text: `label[:weight] [qid:group] index:value ...`, one row a line, as XGBoost reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.soundness import WIDEST, Source, check_width, float32, shown, sound, sparse

LARGE = 8 * 1024
SPACE, COLON, NEWLINE = 32, 58, 10
GROUP = -1.0
LARGEST_GROUP = 2**53
NUMERIC = bytes(set(range(256)) - {SPACE, COLON, NEWLINE})


def read_libsvm(data: bytes, source: Source, *, width: int | None = None, labelled: bool = True) -> Rows:
    """Return the rows of complete lines of libsvm text, sparse, as wide as the largest index or `width` asks.

    Indices count from zero. With a `width`, text whose smallest index is at least 1 and whose largest is exactly
    `width` counts from one. A group (`qid:3`) goes into `groups`. Raises ClientError naming line and value.
    """
    parsed = _read_large(data) if len(data) > LARGE else None
    labels, weights, groups, counts, indices, values = parsed or _read_carefully(data, source)
    if not labels.size:
        raise ClientError(f"There are no rows in {source}.")
    if indices.size:
        low, high = float(indices.min()), float(indices.max())
        if low < 0 or high >= WIDEST or (indices != np.floor(indices)).any():
            raise ClientError(
                f"{str(source).capitalize()} has an index that is no whole number from 0 to {WIDEST - 1}."
            )
        if width is not None and low >= 1 and high == width:
            indices = indices - 1
    found = int(indices.max()) + 1 if indices.size else 0
    if width is None or found > width:
        check_width(max(found, width or 0), width, source)
    matrix = sparse(float32(values), indices.astype(np.int64), counts, found if width is None else width, source)
    rows = Rows(
        matrix,
        float32(labels) if labelled else None,
        None if weights is None or not labelled else float32(weights),
        groups=groups,
    )
    return sound(rows, source)


Parsed = tuple[Any, Any, Any, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


def _read_large(data: bytes) -> Parsed | None:
    """Return labels, weights, groups, pairs a row, indices and values, or None where the text is not regular."""
    data = _regular(data)
    grouped = b"qid:" in data
    if b"#" in data or (grouped and b" -1:" in data):
        return None
    if grouped:
        data = data.replace(b" qid:", b" -1:")
    marks = np.frombuffer(data.translate(None, delete=NUMERIC), dtype=np.uint8)
    newlines, colons = np.flatnonzero(marks == NEWLINE), np.flatnonzero(marks == COLON)
    labels = np.concatenate([[0], newlines[:-1] + 1])
    weighing = marks[labels] == COLON
    if weighing.any():
        colons = np.setdiff1d(colons, labels, assume_unique=True)
    regular = 2 * len(colons) + len(newlines) + int(weighing.sum()) == len(marks) and (colons > 0).all()
    if not regular or (marks[colons - 1] != SPACE).any():
        return None
    numbers = _numbers(data, len(marks))
    if numbers is None:
        return None
    weights = np.ones(len(labels))
    weights[weighing] = numbers[labels[weighing] + 1]
    indices, values, counts = numbers[colons], numbers[colons + 1], (newlines - labels - weighing) // 2
    groups = None
    if grouped:
        first = np.cumsum(counts) - counts
        if not counts.all() or not np.array_equal(np.flatnonzero(indices == GROUP), first):
            return None
        groups = values[first]
        if not ((groups >= 0) & (groups < LARGEST_GROUP) & (groups == np.floor(groups))).all():
            return None
        groups, counts = groups.astype(np.int64), counts - 1
        indices, values = np.delete(indices, first), np.delete(values, first)
    return numbers[labels], weights if weighing.any() else None, groups, counts, indices, values


def _regular(data: bytes) -> bytes:
    """Return the text with single spaces, none at the end of a line, no blank lines, and a newline at the end."""
    for odd, plain in ((b"\t", b" "), (b"\r", b" "), (b"  ", b" "), (b" \n", b"\n"), (b"\n ", b"\n"), (b"\n\n", b"\n")):
        while odd in data:
            data = data.replace(odd, plain)
    return data.strip() + b"\n"


def _numbers(data: bytes, count: int) -> npt.NDArray[np.float64] | None:
    import polars

    try:
        table = polars.read_csv(
            data.translate(bytes.maketrans(b":\n", b"  ")),
            has_header=False,
            eol_char=" ",
            quote_char=None,
            schema={"number": polars.Float64},
        )
    except polars.exceptions.PolarsError:
        return None
    return table["number"].to_numpy() if len(table) == count and not table["number"].null_count() else None


def _read_carefully(data: bytes, source: Source) -> Parsed:
    labels: list[float] = []
    weights: list[float] = []
    groups: list[int] = []
    counts: list[int] = []
    indices: list[float] = []
    values: list[float] = []
    read = _strictly if b"_" in data else float
    for number, line in enumerate(data.split(b"\n")):
        fields = line.partition(b"#")[0].split()
        if not fields:
            continue
        token = fields[0]
        try:
            label, _, weight = token.partition(b":")
            labels.append(read(label))
            weights.append(read(weight) if weight else 1.0)
            before = len(indices)
            for token in fields[1:]:
                index, colon, value = token.partition(b":")
                if index == b"qid" and len(indices) == before:
                    groups.append(_group(read(value)))
                    continue
                if not colon:
                    raise ValueError
                indices.append(read(index))
                values.append(read(value))
            counts.append(len(indices) - before)
        except ValueError:
            raise ClientError(
                f"Line {source.lines + number + 1} of {source} is not 'LIBSVM' format: "
                f"'{shown(token)}' is no label[:weight] or index:value."
            ) from None
    if groups and len(groups) != len(labels):
        raise ClientError(f"Some rows of {source} have a qid and some have none; every row or none needs one.")
    return (
        np.array(labels),
        np.array(weights) if any(weight != 1 for weight in weights) else None,
        np.array(groups, dtype=np.int64) if groups else None,
        np.array(counts, dtype=np.int64),
        np.array(indices),
        np.array(values),
    )


def _group(number: float) -> int:
    if not (0 <= number < LARGEST_GROUP and number.is_integer()):
        raise ValueError
    return int(number)


def _strictly(text: bytes) -> float:
    if b"_" in text:
        raise ValueError
    return float(text)
