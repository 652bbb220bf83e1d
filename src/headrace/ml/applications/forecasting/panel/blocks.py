"""Items of unequal length in one block: where each begins, and which positions belong to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def offsets_of(lengths: Integers) -> Integers:
    """Return where each of n blocks begins, and where the last ends, [n + 1]."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def ranges(first: Integers, lengths: Integers) -> Integers:
    """Return the positions first[i], first[i] + 1, …, `lengths[i]` of each, of all i after each other.

    >>> ranges(np.array([10, 0]), np.array([2, 3])).tolist()
    [10, 11, 0, 1, 2]
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(first - before, lengths) + np.arange(int(lengths.sum()))
