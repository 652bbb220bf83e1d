"""What every format promises of the rows that it reads, and where an error says that a row stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError, Floats, Rows

WIDEST = 2**31 - 1
LONGEST_RECORD = 2**29 - 1
LONGEST_SHOWN = 50


@dataclass(frozen=True)
class Source:
    """Where rows come from: `file` is empty for a request; `rows` and `lines` count what was read of it before."""

    file: str = ""
    rows: int = 0
    lines: int = 0

    def __str__(self) -> str:
        return f"file '{self.file}'" if self.file else "the request"

    def error(self, row: int, problem: str) -> ClientError:
        """Return the error that a row (counted from 0 in what is being read) has a problem."""
        return ClientError(f"Row {self.rows + row + 1} of {self} {problem}.")


def shown(text: bytes) -> str:
    r"""Return the start of a text as a sentence may show it, on one line and with what can't be printed escaped.

    >>> shown(b"caf\xc3\xa9\x00\xff")
    'café\\x00\\xff'
    """
    start = text.strip()[:LONGEST_SHOWN].decode("utf-8", "backslashreplace")
    line = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in start)
    return line if len(text) <= LONGEST_SHOWN else f"{line}..."


def float32(values: Any) -> Floats:
    """Return numbers as float32; those too large for it become infinite, which `sound` refuses."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32)


def sound(rows: Rows, source: Source) -> Rows:
    """Return the rows; raises ClientError on infinite features, missing labels, and weights that are no weights."""
    features = rows.features if isinstance(rows.features, np.ndarray) else rows.features.data
    if np.isinf(features).any():
        raise source.error(_row_of(rows.features, np.isinf), "holds a number that is infinite or too large for float32")
    if rows.labels is not None and not np.isfinite(rows.labels).all():
        row = int(np.flatnonzero(~np.isfinite(rows.labels).reshape(len(rows.labels), -1).all(axis=1))[0])
        raise source.error(row, "has no label, or one that is not a finite number")
    if rows.weights is not None:
        wrong = ~((rows.weights >= 0) & np.isfinite(rows.weights))
        if wrong.any():
            raise source.error(int(np.argmax(wrong)), "has a weight that is not a finite number from 0")
    return rows


def check_width(found: int, width: int | None, source: Source) -> None:
    """Raise ClientError where rows have another number of features than the model was trained with."""
    if width is not None and found != width:
        raise ClientError(
            f"Feature size of {source} {found} is not consistent with feature size of trained model {width}."
        )


def sparse(values: Floats, keys: npt.NDArray[Any], counts: npt.NDArray[Any], width: int, source: Source) -> Any:
    """Return a CSR matrix of [len(counts), width] from the keys and values of its rows, one after another.

    Raises ClientError on a key outside the width or one that a row has twice.
    """
    from scipy.sparse import csr_matrix

    ends = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if keys.size and keys.max() >= width:
        place = int(np.argmax(keys >= width))
        row = int(np.searchsorted(ends, place, side="right")) - 1
        raise source.error(row, f"has the key {keys[place]}, and keys go from 0 to {width - 1}")
    kind = np.int32 if values.size <= WIDEST else np.int64
    matrix = csr_matrix((values, keys.astype(kind), ends.astype(kind)), shape=(len(counts), width))
    matrix.sort_indices()
    twice = np.flatnonzero(matrix.indices[1:] == matrix.indices[:-1]) + 1
    if twice.size and (within := twice[~np.isin(twice, ends)]).size:
        row = int(np.searchsorted(ends, within[0], side="right")) - 1
        raise source.error(row, f"has the key {matrix.indices[within[0]]} twice")
    return matrix


def _row_of(features: Any, condition: Any) -> int:
    if isinstance(features, np.ndarray):
        return int(np.argmax(condition(features).any(axis=1)))
    return int(np.searchsorted(features.indptr, np.argmax(condition(features.data)), side="right")) - 1
