"""The fitted plan: what it reads, what it makes, and its two executions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from headrace.ml.contract import Features, Graph, View
from headrace.ml.process.feature_engineering.execution import Block, Execution, Part
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution
from headrace.ml.tables.columns import Column

CHUNK = 50_000
"""Rows that are transformed at a time, which bounds memory."""
LARGEST = 1e30
"""No feature is larger, whatever goes in: infinities become this."""


@dataclass(frozen=True, eq=False)
class FittedPlan:
    """The plan, fitted on some rows: executes on frames, and writes itself into an ONNX graph.

    `columns` are the columns it was offered. `doubles` are the parts computed in double and cast to float32 at the end,
    `floats` those that are float32 from the start; a view's matrix has them in this order. A plan keeps statistics of
    the rows that it was fitted on and none of the rows, but for the reference sample of nearest-neighbour imputation.
    """

    columns: tuple[Column, ...]
    doubles: Mapping[View, tuple[Part, ...]]
    floats: Mapping[View, tuple[Part, ...]]

    def parts(self, view: View) -> tuple[Part, ...]:
        """Return the parts of a view, in the order of its matrix."""
        if view not in self.doubles:
            raise KeyError(f"the plan was not fitted for the view '{view}'; it has {', '.join(self.doubles)}")
        return (*self.doubles[view], *self.floats[view])

    def names(self, view: View) -> list[str]:
        """Names of the matrix's columns."""
        return [name for part in self.parts(view) for name in part.names]

    def columns_of(self, view: View) -> tuple[Column, ...]:
        """Return the columns that reach a view's matrix."""
        used = {source for part in self.parts(view) for source in part.sources}
        return tuple(column for column in self.columns if column.name in used)

    @property
    def columns_used(self) -> tuple[Column, ...]:
        """The columns that reach any view's matrix: the inputs that a graph needs."""
        used = {column.name for view in self.doubles for column in self.columns_of(view)}
        return tuple(column for column in self.columns if column.name in used)

    def transform(self, frame: pl.DataFrame, view: View) -> Features:
        """Turn typed columns into a float32 matrix [rows, features], as serving will."""
        matrix = np.empty((frame.height, len(self.names(view))), dtype=np.float32)
        for start in range(0, frame.height, CHUNK):
            run = NumpyExecution(frame.slice(start, CHUNK))
            matrix[start : start + CHUNK] = self.execute(run, view)
        return matrix

    def to_onnx(self, graph: Graph, inputs: Mapping[str, str], view: View) -> str:
        """Write the plan into `graph`; `inputs` maps a column to a tensor [rows, 1] (double, or string).

        Returns the matrix's name. Views written into the same graph share what they have in common.
        """
        from headrace.ml.process.feature_engineering.onnx_execution import OnnxExecution

        return str(self.execute(OnnxExecution(graph, inputs), view).name)

    def execute(self, run: Execution, view: View) -> Block:
        """Compute a view's matrix in either execution."""
        with np.errstate(all="ignore"):
            doubles = [run.of(part) for part in self.doubles[view]]
            blocks = [run.of(part) for part in self.floats[view]]
            if doubles:
                blocks.insert(0, run.convert(run.clip(run.join(doubles), -LARGEST, LARGEST), np.float32))
            return run.join(blocks)
