"""The compiled loops of the random cut forest; importing this module imports numba.

Nothing here checks its input: `Forest` does. Boxes and points are named by their rows in `state.values`: no array is
sliced, for a slice costs more than what is done with it. All is in one file, for numba sees changes only in that of the
function whose code it has kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headrace.ml.adapters.compiling import compiled_freely
from headrace.ml.algorithms.random_cut_forest.state import State

STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@compiled_freely
def uniform(state: State, t: int) -> float:
    """Return the next random number of tree `t` in [0, 1) (SplitMix64)."""
    bits = state.trees[t].random + STEP
    state.trees[t].random = bits
    bits = (bits ^ (bits >> SHIFTS[0])) * FIRST
    bits = (bits ^ (bits >> SHIFTS[1])) * SECOND
    return float((bits ^ (bits >> SHIFTS[2])) >> SHIFTS[3]) * 2.0**-53


@compiled_freely
def outside(state: State, node: int, point: Any) -> float:
    """Return the sum over dimensions of how far the point (float32 [D]) lies outside of the node's box."""
    values, low, high = state.values, state.nodes[node].low, state.nodes[node].high
    total = np.float32(0)
    for i in range(point.size):
        total += max(values[low, i] - point[i], point[i] - values[high, i], np.float32(0))
    return float(total)


@compiled_freely
def child(state: State, node: int, point: Any) -> int:
    """Return the child on the point's side of the node's cut."""
    here = state.nodes[node]
    return int(here.left if point[here.dimension] <= here.cut else here.right)


@compiled_freely
def score_tree(state: State, root: int, point: Any) -> float:
    """Return 1 / the expected depth at which the point would be cut off, times log2(1 + the tree's mass).

    A point that the tree holds scores by its leaf's depth and mass. Score, damping and factor are AWS's library's.
    """
    nodes, node, depth = state.nodes, root, 0
    while nodes[node].left >= 0:
        node = child(state, node, point)
        depth += 1
    factor = math.log2(1.0 + nodes[root].mass)
    if outside(state, node, point) == 0:
        mass = nodes[node].mass
        damping = 1.0 - mass / (2.0 * nodes[root].mass)
        return float(damping / (depth + math.log2(1.0 + mass)) * factor)
    score, node = 1.0 / (depth + 1), nodes[node].parent
    while node >= 0:
        beyond = outside(state, node, point)
        if beyond == 0:  # all boxes above hold the point too
            break
        score += beyond / (nodes[node].range + beyond) * (1.0 / depth - score)
        node, depth = nodes[node].parent, depth - 1
    return score * factor


@compiled_freely
def join(state: State, node: int, one: int, other: int) -> bool:
    """Make the node's box that of two other nodes; return whether it changed."""
    values, low, high = state.values, state.nodes[node].low, state.nodes[node].high
    low_1, high_1 = state.nodes[one].low, state.nodes[one].high
    low_2, high_2 = state.nodes[other].low, state.nodes[other].high
    change, lengths = np.float32(0), np.float32(0)
    for i in range(values.shape[1]):
        least, most = min(values[low_1, i], values[low_2, i]), max(values[high_1, i], values[high_2, i])
        change += abs(values[low, i] - least) + abs(values[high, i] - most)
        values[low, i], values[high, i] = least, most
        lengths += most - least
    state.nodes[node].range = lengths
    return bool(change != 0)


@compiled_freely
def stretch(state: State, node: int, point: Any) -> None:
    """Make the node's box hold the point too."""
    values, low, high = state.values, state.nodes[node].low, state.nodes[node].high
    lengths = np.float32(0)
    for i in range(point.size):
        least, most = min(values[low, i], point[i]), max(values[high, i], point[i])
        values[low, i], values[high, i] = least, most
        lengths += most - least
    state.nodes[node].range = lengths


@compiled_freely
def replace(state: State, t: int, node: int, other: int) -> None:
    """Put `other` where `node` hangs in tree `t`."""
    above = state.nodes[node].parent
    state.nodes[other].parent = above
    if above < 0:
        state.trees[t].root = other
    elif state.nodes[above].left == node:
        state.nodes[above].left = other
    else:
        state.nodes[above].right = other


@compiled_freely
def new_leaf(state: State, t: int, place: int) -> int:
    """Return an unused leaf of tree `t`, made to hold the point in row `place`."""
    leaf = state.trees[t].free_leaf
    here = state.nodes[leaf]
    state.trees[t].free_leaf = here.parent
    here.parent, here.mass, here.low, here.high = -1, 1, place, place
    state.slots[place - (state.values.shape[0] - state.slots.size)].holders += 1
    return int(leaf)


@compiled_freely
def release(state: State, place: int) -> None:
    """Let go of a point once; a row that nothing holds is free for another point."""
    number = place - (state.values.shape[0] - state.slots.size)
    state.slots[number].holders -= 1
    if state.slots[number].holders == 0:
        state.slots[number].next_free = state.stream[0].free_slot
        state.stream[0].free_slot = number


@compiled_freely
def split(state: State, t: int, node: int, place: int, point: Any, offset: float) -> int:
    """Part the point from the node's box by a cut `offset` into the gaps between the two; return the new leaf."""
    values, nodes, low, high = state.values, state.nodes, state.nodes[node].low, state.nodes[node].high
    dimension = 0
    for i in range(point.size):
        gap = max(values[low, i] - point[i], point[i] - values[high, i])
        if gap > 0:
            dimension = i
            if offset < gap:
                break
            offset -= gap
    left = point[dimension] < values[low, dimension]
    near = point[dimension] if left else values[high, dimension]
    far = values[low, dimension] if left else point[dimension]
    cut = np.float32(near + offset)
    branch, leaf = state.trees[t].free_node, new_leaf(state, t, place)
    state.trees[t].free_node = nodes[branch].parent
    replace(state, t, node, branch)
    nodes[node].parent = nodes[leaf].parent = branch
    nodes[branch].left, nodes[branch].right = (leaf, node) if left else (node, leaf)
    nodes[branch].dimension = dimension
    nodes[branch].cut = cut if near <= cut < far else near
    nodes[branch].mass = nodes[node].mass + 1
    join(state, branch, node, leaf)
    return int(leaf)


@compiled_freely
def insert(state: State, t: int, place: int, point: Any) -> int:
    """Add the point in row `place` to tree `t`; return its leaf, which may hold a point of equal values already."""
    nodes, node = state.nodes, state.trees[t].root
    if node < 0:
        leaf = new_leaf(state, t, place)
        state.trees[t].root = leaf
        return int(leaf)
    while True:
        beyond = outside(state, node, point)
        if beyond > 0:
            is_leaf = nodes[node].left < 0
            offset = beyond * uniform(state, t) if is_leaf else (nodes[node].range + beyond) * uniform(state, t)
            if is_leaf or offset < beyond:
                return split(state, t, node, place, point, offset)
            stretch(state, node, point)
        nodes[node].mass += 1
        if nodes[node].left < 0:
            return int(node)
        node = child(state, node, point)


@compiled_freely
def remove(state: State, t: int, leaf: int) -> None:
    """Take one point out of a leaf, and the leaf out of tree `t` where it was the last."""
    nodes, above = state.nodes, state.nodes[leaf].parent
    nodes[leaf].mass -= 1
    shrinks = nodes[leaf].mass == 0
    if shrinks:
        release(state, nodes[leaf].low)
        nodes[leaf].parent = state.trees[t].free_leaf
        state.trees[t].free_leaf = leaf
        if above < 0:
            state.trees[t].root = -1
            return
        branch, above = above, nodes[above].parent
        replace(state, t, branch, nodes[branch].right if nodes[branch].left == leaf else nodes[branch].left)
        nodes[branch].parent, nodes[branch].left = state.trees[t].free_node, -1
        state.trees[t].free_node = branch
    while above >= 0:
        nodes[above].mass -= 1
        if shrinks:
            shrinks = join(state, above, nodes[above].left, nodes[above].right)
        above = nodes[above].parent


@compiled_freely
def push(state: State, t: int, weight: float, leaf: int) -> None:
    """Add a sample to the heap of tree `t`."""
    heap, i = state.samples, state.trees[t].size
    state.trees[t].size += 1
    while i > 0 and heap[t, (i - 1) // 2].weight < weight:
        heap[t, i] = heap[t, (i - 1) // 2]
        i = (i - 1) // 2
    heap[t, i].weight, heap[t, i].leaf = weight, leaf


@compiled_freely
def pop(state: State, t: int) -> int:
    """Take the sample of the largest weight off the heap of tree `t`; return its leaf."""
    heap, size = state.samples, state.trees[t].size - 1
    state.trees[t].size = size
    leaf, weight, moved = heap[t, 0].leaf, heap[t, size].weight, heap[t, size].leaf
    i, below = 0, 1
    while below < size:
        if below + 1 < size and heap[t, below + 1].weight > heap[t, below].weight:
            below += 1
        if heap[t, below].weight <= weight:
            break
        heap[t, i] = heap[t, below]
        i, below = below, 2 * below + 1
    heap[t, i].weight, heap[t, i].leaf = weight, moved
    return int(leaf)


@compiled_freely
def accepts(state: State, t: int, weight: float) -> bool:
    """Let chance decide whether tree `t` samples a point; makes room for it where the sample is full."""
    size, capacity = state.trees[t].size, state.samples.shape[1]
    if size < capacity:
        fill, start = size / capacity, state.stream[0].initial_accept_fraction
        if fill < start or uniform(state, t) < (1 - fill) / (1 - start):
            return True
    if size == 0 or weight >= state.samples[t, 0].weight:
        return False
    remove(state, t, pop(state, t))
    return True


@compiled_freely
def learn_point(state: State, point: Any) -> None:
    """Offer the point to every tree; newer points have better odds by `time_decay`."""
    stream, number = state.stream[0], state.stream[0].free_slot
    stream.free_slot = state.slots[number].next_free
    state.slots[number].holders = 1
    place = state.values.shape[0] - state.slots.size + number
    for i in range(point.size):
        state.values[place, i] = point[i]
    for t in range(state.trees.size):
        weight = math.log(-math.log(uniform(state, t) + 2.0**-54)) - stream.seen * stream.time_decay
        if accepts(state, t, weight):
            push(state, t, weight, insert(state, t, place, point))
    release(state, place)
    stream.seen += 1


@compiled_freely
def run(state: State, rows: Any, scores: Any, learn: bool) -> None:
    """Go through `rows` (float32 [n, columns]) in order: score each into `scores` [n or 0], then learn it.

    Each row is seen at the end of a shingle with those before it, or fills a whole shingle.
    """
    stream, shingle, columns = state.stream[0], state.shingle, rows.shape[1]
    point = np.empty(shingle.size, np.float32)
    kept = shingle.size - columns
    for r in range(rows.shape[0]):
        for i in range(shingle.size):
            point[i] = shingle[i + columns] if i < kept else rows[r, i - kept]
        if scores.size:
            total = 0.0
            if stream.seen >= stream.output_after:
                for t in range(state.trees.size):
                    if state.trees[t].root >= 0:
                        total += score_tree(state, state.trees[t].root, point)
            scores[r] = total / state.trees.size
        if learn:
            shingle[:] = point
            stream.rows += 1
            if stream.rows * columns >= shingle.size:
                learn_point(state, point)


@compiled_freely
def rebuild_boxes(state: State, order: Any) -> None:
    """Make the boxes of the nodes in `order`, children before parents."""
    for node in order:
        join(state, node, state.nodes[node].left, state.nodes[node].right)
