"""A small builder of ONNX graphs: nodes, constants, inputs and outputs under unique names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
ML_OPSET = 3
IR_VERSION = 10
ML = "ai.onnx.ml"


class OnnxGraph:
    """The graph under construction."""

    def __init__(self) -> None:
        """Start empty."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[bytes, str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0
        self._taken: set[str] = set()

    def input(self, name: str, kind: int, shape: list[int | str]) -> str:
        """Declare a graph input of an ONNX element type (`TensorProto.STRING`, …)."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        self._taken.add(name)
        return name

    def output(self, name: str, source: str, kind: int, shape: list[int | str]) -> str:
        """Publish the tensor `source` as the graph output `name`."""
        self._nodes.append(helper.make_node("Identity", [source], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def node(self, operator: str, inputs: list[str], *, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node; its outputs are NAME, NAME_1, NAME_2…, and NAME is returned.

        Attributes that are lists of many numbers or words are quickest as one-dimensional arrays.
        """
        name = self._free_name(operator, outputs)
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        long = {key: value for key, value in attributes.items() if isinstance(value, np.ndarray)}
        short = {key: value for key, value in attributes.items() if key not in long}
        node = helper.make_node(operator, inputs, names, name=f"node_{name}", domain=domain, **short)
        node.attribute.extend(_long_attribute(key, value) for key, value in long.items())
        self._nodes.append(node)
        return name

    def constant(self, value: npt.NDArray[Any], name: str = "constant") -> str:
        """Add an initializer, or find the equal one that is there."""
        array = np.asarray(value)
        if array.dtype.kind in "UO":
            words: list[Any] = [str(value).encode() for value in array.ravel()]
            tensor = helper.make_tensor("", TensorProto.STRING, array.shape, words)
        else:
            tensor = numpy_helper.from_array(np.asarray(array, order="C"))
        key = tensor.SerializeToString()
        if key not in self._constants:
            tensor.name = self._free_name(name)
            self._constants[key] = tensor.name
            self._initializers.append(tensor)
        return self._constants[key]

    def _free_name(self, stem: str, outputs: int = 1) -> str:
        """Return a new name; inputs are named by people, who may call one label_2."""
        self._count += 1
        name = f"{stem}_{self._count}"
        if self._taken.isdisjoint([name, *(f"{name}_{i}" for i in range(1, outputs))]):
            return name
        return self._free_name(stem, outputs)

    def model(self, description: str = "") -> onnx.ModelProto:
        """Return the finished, checked model."""
        graph = helper.make_graph(self._nodes, "headrace", self._inputs, self._outputs, self._initializers)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="headrace")
        model.doc_string = description
        onnx.checker.check_model(model)
        return model


def _long_attribute(name: str, values: npt.NDArray[Any]) -> onnx.AttributeProto:
    """Make a list attribute without onnx's check of every element: forests have millions."""
    if values.dtype.kind == "f":
        return onnx.AttributeProto(name=name, type=onnx.AttributeProto.FLOATS, floats=values.tolist())
    if values.dtype.kind in "iub":
        return onnx.AttributeProto(name=name, type=onnx.AttributeProto.INTS, ints=values.tolist())
    words = np.char.encode(values.astype(str)).tolist()
    return onnx.AttributeProto(name=name, type=onnx.AttributeProto.STRINGS, strings=words)
