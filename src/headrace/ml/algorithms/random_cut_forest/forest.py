"""A random cut forest over a stream: score rows, learn rows, save and go on."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.ml.adapters.cut_forest import CutForest
from headrace.ml.adapters.forms import load_form, save_form
from headrace.ml.algorithms.random_cut_forest.restoring import form_of, state_of
from headrace.ml.algorithms.random_cut_forest.state import BOUND, empty_state
from headrace.ml.contract import Integer, Predictions, Real
from headrace.ml.errors import DataError, HyperparameterError, InputError, ModelError

LIMITS: dict[str, Integer | Real] = {
    "dimensions": Integer(1, 10_000),
    "num_trees": Integer(1, 1000),
    "num_samples_per_tree": Integer(1, 2048),
    "shingle_size": Integer(1, 10_000),
    "time_decay": Real(0, 1),
    "output_after": Integer(0, 2**40),
    "initial_accept_fraction": Real(1e-9, 1),
    "seed": Integer(0, 2**64 - 1),
}


class Forest:
    """A robust random cut forest (Guha et al. 2016) with the scores and defaults of AWS's open library.

    Each tree keeps a weighted reservoir sample of the points seen; a point is `shingle_size` rows one after another.
    The score of a point is about 1 in its midst and grows with how soon random cuts part it from the sample.
    Memory is bounded by 12 bytes · num_trees · num_samples_per_tree · dimensions · shingle_size.
    `time_decay`: what each point's odds lose, in nats of age, against newer ones; 0.1 / num_samples_per_tree unless
    given, 0 for a uniform sample. Scores are 0 until `output_after` points are learnt (1 + num_samples_per_tree // 4
    unless given). A sample takes every point until it has `initial_accept_fraction` of its size, and then ever fewer.
    The same seed and rows give the same scores. Threads may share a forest.

    >>> import numpy as np
    >>> forest = Forest(2, seed=1)
    >>> forest.update(np.random.default_rng(0).normal(size=(500, 2)))
    >>> usual, strange = forest.score([[0.1, 0.2], [9.0, -9.0]])
    >>> usual < 1 < 3 * usual < strange
    np.True_
    """

    def __init__(
        self,
        dimensions: int,
        *,
        num_trees: int = 50,
        num_samples_per_tree: int = 256,
        shingle_size: int = 1,
        time_decay: float | None = None,
        output_after: int | None = None,
        initial_accept_fraction: float = 0.125,
        seed: int = 0,
    ) -> None:
        """Make a forest that has seen nothing; raises HyperparameterError on values out of range."""
        values = {
            "dimensions": dimensions,
            "num_trees": num_trees,
            "num_samples_per_tree": num_samples_per_tree,
            "shingle_size": shingle_size,
            "time_decay": 0 if time_decay is None else time_decay,
            "output_after": 0 if output_after is None else output_after,
            "initial_accept_fraction": initial_accept_fraction,
            "seed": seed,
        }
        for name, value in values.items():
            if problem := LIMITS[name].problem(value):
                raise HyperparameterError(f"'{name}' of a random cut forest {problem}")
        self.shingle_size = shingle_size
        try:
            self._state = empty_state(num_trees, num_samples_per_tree, dimensions * shingle_size, seed)
        except MemoryError as error:
            size = 12e-9 * num_trees * num_samples_per_tree * dimensions * shingle_size
            raise HyperparameterError(
                f"a random cut forest of {num_trees} trees of {num_samples_per_tree} samples over {dimensions} columns "
                f"in shingles of {shingle_size} takes {size:,.0f} GB, more than there is; ask for less of one of them"
            ) from error
        self._lock = threading.Lock()
        stream = self._state.stream
        stream["time_decay"] = 0.1 / num_samples_per_tree if time_decay is None else time_decay
        stream["output_after"] = 1 + num_samples_per_tree // 4 if output_after is None else output_after
        stream["initial_accept_fraction"] = initial_accept_fraction

    @property
    def dimensions(self) -> int:
        """The columns of a row."""
        return len(self._state.shingle) // self.shingle_size

    @property
    def rows(self) -> int:
        """How many rows were learnt."""
        return int(self._state.stream["rows"][0])

    def update(self, rows: ArrayLike) -> None:
        """Learn rows [n, dimensions] in their order; raises DataError where they can't be."""
        self._run(self._checked(rows, DataError), scored=False, learn=True)

    def score(self, rows: ArrayLike) -> Predictions:
        """Return the scores [n] of rows [n, dimensions], each as the next after the rows learnt; nothing is learnt.

        Rows [n, dimensions · shingle_size] are taken as whole shingles, oldest first. Raises InputError on other rows.
        """
        return self._run(self._checked(rows, InputError, self.dimensions * self.shingle_size), scored=True, learn=False)

    def score_and_update(self, rows: ArrayLike) -> Predictions:
        """Score each of rows [n, dimensions] and then learn it, before the next; return the scores [n]."""
        return self._run(self._checked(rows, DataError), scored=True, learn=True)

    def form(self) -> CutForest:
        """Return all that was learnt as plain arrays."""
        with self._lock:
            return form_of(self._state, self.shingle_size)

    @classmethod
    def of(cls, form: CutForest) -> Forest:
        """Return a forest that goes on as the one that gave `form`; raises ModelError where it is damaged."""
        forest = cls.__new__(cls)
        forest._state, forest._lock, forest.shingle_size = state_of(form), threading.Lock(), form.shingle_size
        return forest

    def save(self, path: Path) -> None:
        """Write the forest to `path` (.npz, plain arrays)."""
        save_form(self.form(), path)

    @classmethod
    def load(cls, path: Path) -> Forest:
        """Read a forest that `save` wrote; raises ModelError where the file is absent, damaged or another model."""
        form = load_form(path)
        if not isinstance(form, CutForest):
            raise ModelError(f"{path} holds a {type(form).__name__} and no random cut forest; check the path")
        return cls.of(form)

    def _run(self, rows: NDArray[np.float32], *, scored: bool, learn: bool) -> Predictions:
        from headrace.ml.algorithms.random_cut_forest.kernels import run

        scores = np.zeros(len(rows) if scored else 0)
        with self._lock:
            run(self._state, rows, scores, learn)
        return scores

    def _checked(self, rows: ArrayLike, error: type[Exception], *widths: int) -> NDArray[np.float32]:
        """Return the rows as float32; raise `error` on what is no table of numbers or has other columns."""
        try:
            table = np.ascontiguousarray(rows, np.float32)
        except (TypeError, ValueError) as cause:
            raise error("a random cut forest takes rows of numbers; encode text and fill gaps first") from cause
        if table.ndim != 2 or table.shape[1] not in (self.dimensions, *widths):
            raise error(
                f"a random cut forest was given rows of shape {np.shape(rows)}; give [rows, columns] "
                f"with {' or '.join(str(width) for width in dict.fromkeys((self.dimensions, *widths)))} columns"
            )
        if not (np.abs(table) <= BOUND).all():
            row, column = np.argwhere(~(np.abs(table) <= BOUND))[0]
            raise error(
                f"a random cut forest takes finite numbers up to {BOUND:.1g}, and row {row + 1} has "
                f"{table[row, column]} in column {column + 1}; fill gaps and scale or drop such rows first"
            )
        return table
