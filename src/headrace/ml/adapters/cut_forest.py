"""The form of a random cut forest: the points that its trees sampled and the cuts between them."""

from __future__ import annotations

from dataclasses import dataclass

from numpy import float32, float64, int32, uint64
from numpy.typing import NDArray

from headrace.ml.contract import Form, Graph


@dataclass(frozen=True, eq=False)
class CutForest(Form):
    """T trees of at most S samples over D dimensions; enough to score, and to go on learning as if never saved.

    Nodes are numbered: T·(S-1) that can have children, those of a tree side by side, then T·S leaves. -1 is none.
    """

    shingle_size: int
    time_decay: float
    initial_accept_fraction: float
    output_after: int
    rows: int
    """Rows learnt."""
    seen: int
    """Complete shingles learnt."""
    shingle: NDArray[float32]
    """[D]: the last rows, oldest first."""
    random: NDArray[uint64]
    """[T]: states of the random numbers."""
    roots: NDArray[int32]
    """[T]."""
    left: NDArray[int32]
    """[T·(S-1)]: child with values up to `cut` in `dimension`."""
    right: NDArray[int32]
    dimension: NDArray[int32]
    cut: NDArray[float32]
    lengths: NDArray[float32]
    """[T·(S-1)]: the sum of the lengths of the box around the points below, to its last bit."""
    points: NDArray[float32]
    """[points, D]."""
    leaf_point: NDArray[int32]
    """[T·S]: rows of `points`."""
    sampled: NDArray[int32]
    """[T, S]: the samples' leaves, as heaps by weight, the largest first; duplicates share a leaf."""
    weights: NDArray[float64]
    """[T, S]: the sample of the largest weight is the next to go."""

    def to_onnx(self, graph: Graph, features: str) -> str:
        """Write the forest as it stands: its score of whole shingles [rows, D]; the graph learns nothing more."""
        from headrace.ml.adapters.cut_forest_graph import cut_forest_to_onnx

        return cut_forest_to_onnx(self, graph, features)
