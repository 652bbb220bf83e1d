"""The builder of graphs, against the names that people give to columns."""

import numpy as np
import onnxruntime

from headrace.ml.adapters.onnx_graph import OnnxGraph


def test_nothing_in_the_graph_takes_the_name_of_an_input():
    graph = OnnxGraph()
    names = ["Add_1", "constant_2", "StringSplit_3_1", "Add_4"]
    inputs = [graph.input(name, 8 if "Split" in name else 1, ["rows", 1]) for name in names]
    one = graph.constant(np.array(1, np.float32))
    total = graph.node("Add", [graph.node("Add", [inputs[0], inputs[1]]), inputs[3]])
    graph.node("StringSplit", [inputs[2]], outputs=2, delimiter=" ")
    graph.output("sum", graph.node("Add", [total, one]), 1, ["rows", 1])
    session = onnxruntime.InferenceSession(graph.model().SerializeToString())
    numbers = {name: np.full((2, 1), 2.0, np.float32) for name in (names[0], names[1], names[3])}
    texts = {names[2]: np.full((2, 1), "a b", object)}
    np.testing.assert_array_equal(session.run(["sum"], numbers | texts)[0], [[7.0], [7.0]])
