"""What exact explanations need beside the graph: the trees as arrays, and a graph for all that is not a tree."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.ml.adapters.forms import form_arrays
from headrace.ml.adapters.present_classes import PresentClasses
from headrace.ml.adapters.symmetric_trees import SymmetricTrees
from headrace.ml.adapters.trees import TreeEnsemble
from headrace.ml.compiler.graph import average_of, plan_inputs
from headrace.ml.compiler.optimisation import optimise
from headrace.ml.compiler.parts import Member, Plan
from headrace.ml.contract import Form, View
from headrace.ml.prediction.manifest import EXPLANATION_ARRAYS, EXPLANATION_GRAPH, output_name

if TYPE_CHECKING:
    from headrace.ml.adapters.calibrators import Calibrator

LARGEST = 20_000_000
"""Bytes that the whole model may take with these files; without them, explanations are sampled."""


def compile_explanation(
    plan: Plan,
    members: Sequence[Member],
    origins: Sequence[tuple[str, ...]],
    outputs: int,
    calibrator: Calibrator | None,
    used: int,
) -> dict[str, bytes]:
    """Return the files for exact explanations by name; none where no member is made of trees, or no room is left.

    `origins` are the columns of each feature of the trees' view, `outputs` the number of classes (or 1), `used` the
    bytes of the graph. The graph gives `features` (the trees' matrix) and `others`, the weighted sum of the members
    that are not trees; both left out where there are none. The arrays hold each tree member's form and weight, the
    calibrator, and the share of each feature that belongs to each column.
    """
    total = sum(member.weight for member in members)
    counted = [member for member in members if member.weight > 0]
    trees = [member for member in counted if trees_of(member.form) is not None and member.view is View.TREES]
    others = [member for member in counted if member not in trees]
    if not trees:
        return {}
    files = {
        EXPLANATION_ARRAYS: _arrays(plan, [(m.form, m.weight / total) for m in trees], origins, calibrator),
        EXPLANATION_GRAPH: _graph(plan, others, sum(m.weight for m in others) / total, outputs),
    }
    return files if used + sum(map(len, files.values())) <= LARGEST else {}


def trees_of(form: Form) -> TreeEnsemble | None:
    """Return the trees of a form that is made of nothing else and knows their cover, else None."""
    inner = form.inner if isinstance(form, PresentClasses) else form
    if isinstance(inner, SymmetricTrees):
        return None if inner.cover is None else inner.as_trees()
    return inner if isinstance(inner, TreeEnsemble) and inner.cover is not None else None


def _arrays(
    plan: Plan, trees: Sequence[tuple[Form, float]], origins: Sequence[tuple[str, ...]], calibrator: Calibrator | None
) -> bytes:
    places = {column.name: place for place, column in enumerate(plan.columns)}
    links = [(i, places[name], 1 / len(names)) for i, names in enumerate(origins) for name in names]
    arrays: dict[str, Any] = {
        "weights": np.array([weight for _, weight in trees]),
        "feature": np.array([feature for feature, _, _ in links], np.int32),
        "column": np.array([column for _, column, _ in links], np.int32),
        "share": np.array([share for _, _, share in links]),
        "columns": np.array([column.name for column in plan.columns]),
        "features": np.array(len(origins)),
    }
    for number, (form, _) in enumerate(trees):
        arrays |= _small(form_arrays(form, f"member.{number}."))
    if calibrator is not None:
        arrays |= form_arrays(calibrator, "calibrator.")
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _small(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Hold leaves in single precision, as the graph does."""
    return {name: a.astype(np.float32) if name.endswith("leaf_values") else a for name, a in arrays.items()}


def _graph(plan: Plan, others: Sequence[Member], weight: float, outputs: int) -> bytes:
    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    inputs = plan_inputs(graph, plan)
    graph.output(output_name("features", inputs), plan.to_onnx(graph, inputs, View.TREES), 1, ["rows", "features"])
    if others:
        matrices = {view: plan.to_onnx(graph, inputs, view) for view in dict.fromkeys(m.view for m in others)}
        average = average_of(graph, [(m.form.to_onnx(graph, matrices[m.view]), m.weight) for m in others])
        share = graph.constant(np.array(weight, np.float32), "share")
        graph.output(output_name("others", inputs), graph.node("Mul", [average, share]), 1, ["rows", outputs])
    content: bytes = optimise(graph.model("headrace explanation")).SerializeToString(deterministic=True)
    return content
