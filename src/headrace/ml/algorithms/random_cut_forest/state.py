"""The memory of a random cut forest: flat arrays of a size that is fixed when the forest is made."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BOUND = 1.3e30
"""The largest magnitude of a value: sums of ten thousand of them stay finite in single precision."""

NODE = np.dtype(
    [
        ("parent", np.int32),  # -1 at the root
        ("left", np.int32),  # -1 in a leaf
        ("right", np.int32),
        ("mass", np.int32),  # how many sampled points lie below
        ("dimension", np.int32),
        ("cut", np.float32),  # to the left go points whose value in `dimension` is at most this
        ("low", np.int32),  # the row of `values` with the lowest values below; a leaf's point
        ("high", np.int32),
        ("range", np.float32),  # the sum of the box's lengths
    ]
)
SAMPLE = np.dtype([("weight", np.float64), ("leaf", np.int32)], align=True)
TREE = np.dtype(
    [
        ("random", np.uint64),
        ("root", np.int32),  # -1 where the tree is empty
        ("size", np.int32),  # sampled points, duplicates included
        ("free_node", np.int32),  # heads of the lists of unused nodes and leaves, which `parent` links
        ("free_leaf", np.int32),
    ],
    align=True,
)
SLOT = np.dtype([("holders", np.int32), ("next_free", np.int32)])
STREAM = np.dtype(
    [
        ("rows", np.int64),
        ("seen", np.int64),  # complete shingles
        ("output_after", np.int64),
        ("time_decay", np.float64),
        ("initial_accept_fraction", np.float64),
        ("free_slot", np.int64),
    ]
)


class State(NamedTuple):
    """All that a forest of T trees of S samples over D dimensions is made of.

    The T·(S-1) nodes that can have children come first, those of a tree side by side; then the T·S leaves.
    """

    nodes: NDArray[Any]
    """NODE [T·(2S-1)]."""
    values: NDArray[np.float32]
    """[2·T·(S-1) + T·S + 1, D]: lowest and highest values of each box, then the points, which the trees share.

    Memory that no point has needed yet is not taken from the system.
    """
    slots: NDArray[Any]
    """SLOT [T·S + 1]: how many leaves hold each point."""
    samples: NDArray[Any]
    """SAMPLE [T, S]: a heap in each tree, the largest weight first, which is the next to go."""
    trees: NDArray[Any]
    """TREE [T]."""
    shingle: NDArray[np.float32]
    """[D]: the last rows, oldest first."""
    stream: NDArray[Any]
    """STREAM [1]."""


def empty_state(trees: int, samples: int, dimensions: int, seed: int) -> State:
    """Return the state of a forest that has seen nothing; settings in `stream` are the caller's to fill."""
    inner, leaves = trees * (samples - 1), trees * samples
    state = State(
        nodes=np.zeros(inner + leaves, NODE),
        values=np.zeros((2 * inner + leaves + 1, dimensions), np.float32),
        slots=np.zeros(leaves + 1, SLOT),
        samples=np.zeros((trees, samples), SAMPLE),
        trees=np.zeros(trees, TREE),
        shingle=np.zeros(dimensions, np.float32),
        stream=np.zeros(1, STREAM),
    )
    state.nodes["left"] = state.nodes["right"] = -1
    state.nodes["low"][:inner] = np.arange(inner) * 2
    state.nodes["high"][:inner] = state.nodes["low"][:inner] + 1
    state.trees["random"] = np.random.SeedSequence(seed).generate_state(trees, np.uint64)
    state.trees["root"] = -1
    link_unused(state, np.ones(inner + leaves, bool), np.ones(leaves + 1, bool))
    return state


def link_unused(state: State, nodes: NDArray[np.bool_], slots: NDArray[np.bool_]) -> None:
    """Link the unused nodes, leaves and slots into lists, in order."""
    trees, samples = state.samples.shape
    inner = trees * (samples - 1)
    parents = state.nodes["parent"]
    state.trees["free_node"] = _link(parents[:inner].reshape(trees, -1), nodes[:inner].reshape(trees, -1), 0)
    state.trees["free_leaf"] = _link(parents[inner:].reshape(trees, -1), nodes[inner:].reshape(trees, -1), inner)
    state.stream["free_slot"] = _link(state.slots["next_free"][None], slots[None], 0)


def _link(links: NDArray[np.int32], unused: NDArray[np.bool_], first: int) -> NDArray[np.int32]:
    """Let each unused place name the next in its line, the last -1; return the lines' first ones."""
    heads = np.full(len(links), -1, np.int32)
    for line, (row, marks) in enumerate(zip(links, unused, strict=True)):
        places = np.flatnonzero(marks)
        numbers = np.append(places + first + line * links.shape[1], -1)
        row[places] = numbers[1:]
        heads[line] = numbers[0]
    return heads
