"""Features of pictures: oriented edges, colours by place and in all, projected onto their principal axes.

Source of the edges: N. Dalal and B. Triggs, Histograms of oriented gradients for human detection (2005).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.process.feature_engineering.execution import Block, Execution

if TYPE_CHECKING:
    from headrace.ml.contract import Graph

DIRECTIONS = 8
CELLS = 7
"""Edges are gathered in 7 × 7 cells."""
PLACES = {1: 14, 3: 8}
"""Brightness is averaged in 14 × 14 places, colours in 8 × 8."""
TONES = 8
AXES = 150
SAMPLE = 5_000
"""Axes are learnt on at most so many rows, evenly spaced."""
BATCH = 512

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PictureFeatures:
    """What pictures show, as coordinates along `axes` [measures, names] from the `mean` [measures]."""

    column: str
    shape: Shape
    mean: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, column: str, pixels: pl.Series, shape: Shape) -> PictureFeatures:
        """Learn the axes along which pictures differ most; an axis is scaled by the root of its deviation."""
        sample = pixels.gather_every(max(1, -(-len(pixels) // SAMPLE)))
        measures = np.concatenate(list(measure_pictures(sample, shape))).astype(np.float64)
        mean = measures.mean(axis=0)
        centred = measures - mean
        variances, axes = np.linalg.eigh(centred.T @ centred / max(1, len(measures)))
        order = np.argsort(-variances, kind="stable")[: max(1, min(AXES, len(measures) - 1))]
        order = order[variances[order] > 1e-9 * max(float(variances.max()), 1e-9)]
        order = order if len(order) else np.array([0])
        spread = np.maximum(variances[order], 1e-12) ** 0.25
        scale = spread * np.sqrt(np.mean(spread**2))
        return cls(column, shape, mean, np.ascontiguousarray(axes[:, order] / scale))

    @property
    def sources(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """One name an axis."""
        return tuple(f"{self.column}: axis {i + 1}" for i in range(self.axes.shape[1]))

    def apply(self, run: Execution) -> Block:
        """Measure the pictures and project what was measured, in double so that no batch's size shows."""
        measured = run.convert(run.pictures(self.column, self.shape), np.float64)
        return run.convert(run.dot(measured - self.mean, self.axes), np.float32)


def write_measures(graph: Graph, pixels: str, shape: Shape) -> str:
    """Write the measures of pictures into a graph: `pixels` uint8 [rows, pixels] → float32 [rows, measures].

    For each cell the strength of edges in each direction (its root, the whole of length 1), the mean of each channel by
    place, and for colours how much of each tone each channel has.
    """
    height, width, channels = shape

    def node(operator: str, *inputs: Any, **attributes: Any) -> str:
        names = [each if isinstance(each, str) else graph.constant(np.asarray(each)) for each in inputs]
        return graph.node(operator, names, **attributes)

    def pooled(name: str, cells: int) -> str:
        size = [max(1, height // cells), max(1, width // cells)]
        return node("Flatten", node("AveragePool", name, kernel_shape=size, strides=size))

    image = node("Reshape", node("Cast", pixels, to=1), np.array([-1, height, width, channels]))
    image = node("Mul", node("Transpose", image, perm=[0, 3, 1, 2]), np.float32(1 / 255))
    bordered = node("Pad", image, np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode="edge")
    edges = node("Relu", node("Conv", bordered, edge_filters(channels)))
    strength = node("Sqrt", pooled(edges, CELLS))
    square = node("ReduceSum", node("Mul", strength, strength), np.array([1]), keepdims=1)
    parts = [node("Div", strength, node("Sqrt", node("Add", square, np.float32(1e-3))))]
    places = PLACES[channels]
    parts.append(node("Mul", pooled(image, places), np.float32(1 / places)))
    if channels > 1:
        steps = np.arange(TONES, dtype=np.float32) / (TONES - 1)
        distance = node("Abs", node("Sub", node("Unsqueeze", image, np.array([2])), steps[None, None, :, None, None]))
        near = node("Relu", node("Sub", np.float32(1), node("Mul", distance, np.float32(TONES - 1))))
        share = node("ReduceMean", near, np.array([3, 4]), keepdims=0)
        parts.append(node("Mul", node("Sqrt", node("Flatten", share)), np.float32(0.5)))
    return node("Concat", *parts, axis=1)


def edge_filters(channels: int) -> npt.NDArray[np.float32]:
    """Return the filters of brightness that rises in each direction [directions, channels, 3, 3]."""
    across = np.array([[-1, 0, 1]] * 3) / 3
    turns = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    filters = np.stack([np.cos(turn) * across + np.sin(turn) * across.T for turn in turns])
    return np.repeat(filters[:, None] / channels, channels, axis=1).astype(np.float32)


def measure_pictures(pixels: pl.Series, shape: Shape) -> Iterator[npt.NDArray[np.float32]]:
    """Measure pictures in batches, by the graph that serving will have: float32 [rows, measures] each."""
    from headrace.ml.adapters.onnx_graph import OnnxGraph
    from headrace.ml.prediction.session import open_session, tensors

    graph = OnnxGraph()
    source = graph.input("pixels", 2, ["rows", int(np.prod(shape))])
    graph.output("measures", write_measures(graph, source, shape), 1, ["rows", "measures"])
    session = open_session(graph.model().SerializeToString(), "the measures of pictures")
    for start in range(0, max(1, len(pixels)), BATCH):
        batch = tensors(pixels.slice(start, BATCH).alias("pixels").to_frame())
        yield session.run(["measures"], batch)[0]
