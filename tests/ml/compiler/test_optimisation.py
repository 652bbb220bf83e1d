"""Optimising a graph: what is merged, what is dropped, and that the answers stay."""

import numpy as np
import onnx
import onnxruntime

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.compiler.optimisation import optimise


def build() -> onnx.ModelProto:
    graph = OnnxGraph()
    x = graph.input("x", 1, ["rows", 2])
    graph.input("unused", 1, ["rows", 2])
    two = graph.constant(np.array(2, np.float32))
    first, second = graph.node("Mul", [x, two]), graph.node("Mul", [x, two])
    graph.node("Add", [first, graph.constant(np.array(9, np.float32))])
    copied = graph.node("Identity", [second])
    # Equal only once the nodes before them are merged.
    left, right = graph.node("Exp", [first]), graph.node("Exp", [copied])
    graph.output("y", graph.node("Sub", [left, right]), 1, ["rows", 2])
    graph.output("z", left, 1, ["rows", 2])
    return graph.model()


def test_equal_nodes_merge_and_what_no_output_needs_goes():
    proto = optimise(build())
    assert sorted(node.op_type for node in proto.graph.node) == ["Exp", "Identity", "Identity", "Mul", "Sub"]
    assert [item.name for item in proto.graph.input] == ["x"]
    assert len(proto.graph.initializer) == 1
    assert [item.name for item in proto.graph.output] == ["y", "z"]


def test_the_answers_stay_and_the_model_given_is_left_alone():
    original = build()
    before = original.SerializeToString(deterministic=True)
    optimised = optimise(original)
    assert original.SerializeToString(deterministic=True) == before
    x = np.array([[1.5, -2.0]], np.float32)
    old, new = (onnxruntime.InferenceSession(p.SerializeToString()) for p in (original, optimised))
    for one, other in zip(old.run(None, {"x": x, "unused": x}), new.run(None, {"x": x}), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nodes_that_differ_in_an_attribute_stay_apart():
    graph = OnnxGraph()
    x = graph.input("x", 1, ["rows", 2])
    graph.output(
        "y", graph.node("Sub", [graph.node("Softmax", [x], axis=0), graph.node("Softmax", [x], axis=1)]), 1, ["rows", 2]
    )
    assert sum(node.op_type == "Softmax" for node in optimise(graph.model()).graph.node) == 2
