"""Frequent item sets by pattern growth: depth first, each set with its own baskets, as FP-growth does.

Where FP-growth holds a set's baskets as a prefix tree (Han, Pei and Yin 2000), they are bits here (Zaki's Eclat, 2000):
a set's extensions are counted by one AND and one count of bits for all items at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
ItemSets = dict[tuple[int, ...], int]
"""Sets of item codes, in rising order → baskets that hold them all."""


class TooManySets(Exception):  # noqa: N818 (a reason to ask for less, not an error of the user's)
    """More sets are frequent than were allowed."""


def pack(held: npt.NDArray[np.bool_]) -> Bits:
    """Pack baskets [baskets, items] into bits [items, words]."""
    baskets, items = held.shape
    padded = np.zeros((items, -(-baskets // 64) * 64), bool)
    padded[:, :baskets] = held.T
    return np.packbits(padded, axis=1).view(np.uint64)


def frequent_sets(held: npt.NDArray[np.bool_], least: int, *, longest: int, most: int) -> ItemSets:
    """Find all sets of at most `longest` items that at least `least` baskets of `held` [baskets, items] hold.

    Raises `TooManySets` where there are more than `most`.

    >>> held = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool)
    >>> sorted(frequent_sets(held, 2, longest=3, most=99).items())
    [((0,), 2), ((0, 1), 2), ((1,), 3), ((1, 2), 2), ((2,), 2)]
    """
    counts = held.sum(axis=0)
    frequent = np.flatnonzero(counts >= least)
    order = frequent[np.argsort(counts[frequent], kind="stable")]  # rare items first: their sets are small
    bits = pack(held[:, order])
    found: ItemSets = {(int(i),): int(counts[i]) for i in order}

    def grow(prefix: tuple[int, ...], candidates: npt.NDArray[np.int64], rows: Bits) -> None:
        """Extend `prefix` by the items at `candidates`, each with the baskets `rows` that hold both."""
        for place, item in enumerate(candidates.tolist()):
            later = slice(place + 1, None)
            if len(candidates) == place + 1 or len(prefix) + 2 > longest:
                continue
            joint = rows[later] & rows[place]
            sizes = np.bitwise_count(joint).sum(axis=1)
            kept = sizes >= least
            if not kept.any():
                continue
            extended = (*prefix, item)
            together, heads = candidates[later][kept], [int(order[i]) for i in extended]
            for other, size in zip(together.tolist(), sizes[kept].tolist(), strict=True):
                found[tuple(sorted((*heads, int(order[other]))))] = int(size)
            if len(found) > most:
                raise TooManySets
            grow(extended, together, joint[kept])

    if len(found) > most:
        raise TooManySets
    grow((), np.arange(len(order)), bits)
    return found
