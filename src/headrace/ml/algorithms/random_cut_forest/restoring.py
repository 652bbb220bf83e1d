"""Between a forest's state and its form; a form is checked before compiled code, which checks nothing, runs over it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.ml.adapters.cut_forest import CutForest
from headrace.ml.algorithms.random_cut_forest.state import BOUND, State, empty_state, link_unused
from headrace.ml.errors import ModelError


def form_of(state: State, shingle_size: int) -> CutForest:
    """Return the state as plain arrays that hold nothing twice; boxes can be made again."""
    trees, samples = state.samples.shape
    inner = trees * (samples - 1)
    branches, leaves, stream = state.nodes[:inner], state.nodes[inner:], state.stream[0]
    held = leaves["mass"] > 0
    rows, numbers = np.unique(leaves["low"][held], return_inverse=True)
    leaf_point = np.full(len(leaves), -1, np.int32)
    leaf_point[held] = numbers
    branching = branches["left"] >= 0
    taken = np.arange(samples) < state.trees["size"][:, None]
    return CutForest(
        shingle_size=shingle_size,
        time_decay=float(stream["time_decay"]),
        initial_accept_fraction=float(stream["initial_accept_fraction"]),
        output_after=int(stream["output_after"]),
        rows=int(stream["rows"]),
        seen=int(stream["seen"]),
        shingle=state.shingle.copy(),
        random=state.trees["random"].copy(),
        roots=state.trees["root"].copy(),
        left=branches["left"].copy(),
        right=np.where(branching, branches["right"], -1).astype(np.int32),
        dimension=np.where(branching, branches["dimension"], 0).astype(np.int32),
        cut=np.where(branching, branches["cut"], 0).astype(np.float32),
        lengths=np.where(branching, branches["range"], 0).astype(np.float32),
        points=state.values[rows],
        leaf_point=leaf_point,
        sampled=np.where(taken, state.samples["leaf"], -1).astype(np.int32),
        weights=np.where(taken, state.samples["weight"], 0.0),
    )


def state_of(form: CutForest) -> State:
    """Return the state that gave the form; raises ModelError unless the arrays are those of whole trees."""
    from headrace.ml.algorithms.random_cut_forest.kernels import rebuild_boxes

    check_shapes(form)
    trees, samples = form.sampled.shape
    inner = trees * (samples - 1)
    mass = check_trees(form)
    state = empty_state(trees, samples, form.points.shape[1], 0)
    first_point = len(state.values) - len(state.slots)
    branching, held = np.flatnonzero(form.left >= 0), np.flatnonzero(form.leaf_point >= 0)
    nodes = state.nodes
    nodes["mass"] = mass
    for name in ("left", "right", "dimension", "cut"):
        nodes[name][branching] = getattr(form, name)[branching]
    nodes["low"][inner + held] = nodes["high"][inner + held] = first_point + form.leaf_point[held]
    state.values[first_point : first_point + len(form.points)] = form.points
    state.slots["holders"] = np.bincount(form.leaf_point[held], minlength=len(state.slots))
    link_unused(state, mass == 0, state.slots["holders"] == 0)
    nodes["parent"][form.left[branching]] = nodes["parent"][form.right[branching]] = branching
    nodes["parent"][form.roots[form.roots >= 0]] = -1
    state.trees["random"], state.trees["root"] = form.random, form.roots
    state.trees["size"] = (form.sampled >= 0).sum(axis=1)
    state.samples["leaf"], state.samples["weight"] = form.sampled, form.weights
    state.shingle[:] = form.shingle
    for name in ("rows", "seen", "output_after", "time_decay", "initial_accept_fraction"):
        state.stream[name] = getattr(form, name)
    rebuild_boxes(state, branching[np.argsort(mass[branching], kind="stable")])  # children come before parents
    nodes["range"][branching] = form.lengths[branching]
    return state


def check_shapes(form: CutForest) -> None:
    """Refuse arrays of other shapes or kinds, and numbers out of range."""
    shape = np.shape(form.sampled)
    _require(len(shape) == 2 and min(shape) > 0 and np.ndim(form.points) == 2, "sampled")
    (trees, samples), dimensions = shape, form.points.shape[1]
    inner, leaves = trees * (samples - 1), trees * samples
    expected: dict[str, tuple[tuple[int, ...], type[Any]]] = {
        "shingle": ((dimensions,), np.float32),
        "random": ((trees,), np.uint64),
        "roots": ((trees,), np.int32),
        "left": ((inner,), np.int32),
        "right": ((inner,), np.int32),
        "dimension": ((inner,), np.int32),
        "cut": ((inner,), np.float32),
        "lengths": ((inner,), np.float32),
        "points": ((len(form.points), dimensions), np.float32),
        "leaf_point": ((leaves,), np.int32),
        "sampled": ((trees, samples), np.int32),
        "weights": ((trees, samples), np.float64),
    }
    for field in fields(form):
        value = getattr(form, field.name)
        if field.name in expected:
            of_shape, kind = expected[field.name]
            _require(np.shape(value) == of_shape and value.dtype == kind, field.name)
            _require(value.dtype.kind != "f" or bool(np.isfinite(value).all()), field.name)
        else:
            _require(isinstance(value, int | float) and 0 <= value < 2**62, field.name)
    _require(len(form.points) <= leaves and dimensions > 0, "points")
    _require(0 < form.shingle_size <= dimensions and dimensions % form.shingle_size == 0, "shingle_size")
    _require(0 < form.initial_accept_fraction <= 1, "initial_accept_fraction")
    _require(bool((form.lengths >= 0).all()), "lengths")
    _require(bool((np.abs(form.points) <= BOUND).all() and (np.abs(form.shingle) <= BOUND).all()), "points")


def check_trees(form: CutForest) -> NDArray[np.int32]:
    """Refuse nodes that don't make up one tree each; return every node's mass, 0 where it is unused.

    A node weighs what its children weigh together, so no node can lie below itself.
    """
    trees, samples = form.sampled.shape
    inner, leaves = trees * (samples - 1), trees * samples
    taken = form.sampled >= 0
    _require(bool((taken[:, :-1] >= taken[:, 1:]).all()), "sampled")
    owner = np.append(np.repeat(np.arange(trees), samples - 1), np.repeat(np.arange(trees), samples))
    picked, lines = form.sampled[taken], np.nonzero(taken)[0]
    _require(bool(((picked >= inner) & (picked < inner + leaves)).all()), "sampled")
    _require(bool((owner[picked] == lines).all()), "sampled")
    mass = np.bincount(picked, minlength=inner + leaves).astype(np.int32)
    held = mass[inner:] > 0
    _require(bool((form.leaf_point[~held] == -1).all() and (form.leaf_point[held] >= 0).all()), "leaf_point")
    _require(bool((form.leaf_point < len(form.points)).all()), "leaf_point")

    branching = np.flatnonzero(form.left != -1)
    children = np.concatenate([form.left[branching], form.right[branching]])
    _require(bool(((children >= 0) & (children < inner + leaves)).all()), "left")
    _require(bool((owner[children] == owner[np.tile(branching, 2)]).all()), "left")
    _require(bool(((form.dimension >= 0) & (form.dimension < form.points.shape[1])).all()), "dimension")
    used = np.append(np.zeros(inner, bool), held)
    used[branching] = True
    references = np.bincount(children, minlength=inner + leaves)
    tops = np.flatnonzero(used & (references == 0))
    _require(bool((references[used] <= 1).all() and not references[~used].any()), "left")
    _require(len(np.unique(owner[tops])) == len(tops), "roots")
    roots = np.full(trees, -1, np.int32)
    roots[owner[tops]] = tops
    _require(np.array_equal(roots, form.roots), "roots")
    return _weighed(form, mass, branching)


def _weighed(form: CutForest, mass: NDArray[np.int32], branching: NDArray[np.int64]) -> NDArray[np.int32]:
    """Give nodes their children's mass, level by level; a node that is never reached lies in a circle."""
    waiting = branching
    while len(waiting):
        left, right = mass[form.left[waiting]], mass[form.right[waiting]]
        ready = (left > 0) & (right > 0)
        _require(bool(ready.any()), "left")
        mass[waiting[ready]] = (left + right)[ready]
        waiting = waiting[~ready]
    return mass


def _require(holds: bool, part: str) -> None:
    if not holds:
        raise ModelError(f"the saved random cut forest is damaged in its '{part}'; save it again, or train again")
