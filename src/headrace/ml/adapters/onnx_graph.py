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
    """The graph under construction; everything is written where it stays, for forests have millions of numbers."""

    def __init__(self) -> None:
        """Start empty."""
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="headrace", opset_import=opsets)
        self._graph = self._model.graph
        self._graph.name = "headrace"
        self._constants: dict[bytes, str] = {}
        self._count = 0
        self._taken: set[str] = set()

    def input(self, name: str, kind: int, shape: list[int | str]) -> str:
        """Declare a graph input of an ONNX element type (`TensorProto.STRING`, …)."""
        self._graph.input.append(helper.make_tensor_value_info(name, kind, shape))
        self._taken.add(name)
        return name

    def output(self, name: str, source: str, kind: int, shape: list[int | str]) -> str:
        """Publish the tensor `source` as the graph output `name`."""
        self._graph.node.append(helper.make_node("Identity", [source], [name]))
        self._graph.output.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def node(self, operator: str, inputs: list[str], *, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node; its outputs are NAME, NAME_1, NAME_2…, and NAME is returned.

        Attributes that are lists of many numbers or words are quickest as one-dimensional arrays.
        """
        name = self._free_name(operator, outputs)
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        long = {key: value for key, value in attributes.items() if isinstance(value, np.ndarray)}
        short = {key: value for key, value in attributes.items() if key not in long}
        self._graph.node.append(helper.make_node(operator, inputs, names, name=f"node_{name}", domain=domain, **short))
        for key, value in long.items():
            _fill(self._graph.node[-1].attribute.add(name=key), value)
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
            self._graph.initializer.append(tensor)
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
        self._model.doc_string = description
        onnx.checker.check_model(self._model)
        return self._model


def _fill(attribute: onnx.AttributeProto, values: npt.NDArray[Any]) -> None:
    """Write a list without onnx's check of every element."""
    if values.dtype.kind == "f":
        attribute.type = onnx.AttributeProto.FLOATS
        attribute.floats.extend(values.tolist())
    elif values.dtype.kind in "iub":
        attribute.type = onnx.AttributeProto.INTS
        attribute.ints.extend(values.tolist())
    else:
        attribute.type = onnx.AttributeProto.STRINGS
        attribute.strings.extend(np.char.encode(values.astype(str)).tolist())
