"""From a fitted plan and its weighted models to one ONNX graph: raw columns in, prediction out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.compiler.optimisation import optimise
from headrace.ml.compiler.parts import Band, Member, Plan
from headrace.ml.contract import Form, Task
from headrace.ml.errors import ModelError
from headrace.ml.prediction.manifest import Input, Output, output_name
from headrace.ml.tables.columns import Column, ColumnKind

if TYPE_CHECKING:
    import onnx

    from headrace.ml.adapters.group_shift import GroupShift
    from headrace.ml.adapters.onnx_graph import OnnxGraph

_FLOAT, _BYTE, _STRING, _DOUBLE = 1, 2, 8, 11  # ONNX's numbers of element types
_ELEMENTS = {
    ColumnKind.NUMBER: _DOUBLE,
    ColumnKind.DATE: _DOUBLE,
    ColumnKind.CATEGORY: _STRING,
    ColumnKind.TEXT: _STRING,
    ColumnKind.PICTURE: _BYTE,
}
_KINDS = {_FLOAT: "float", _STRING: "string", _DOUBLE: "double"}


def compile_model(
    plan: Plan,
    members: Sequence[Member],
    task: Task,
    classes: Sequence[str],
    threshold: float | None = None,
    interval: Band | float | None = None,
    calibrator: Form | None = None,
    shift: GroupShift | None = None,
) -> onnx.ModelProto:
    """Write the plan, each model, their weighted average, its calibration and a shift by group into one graph.

    Inputs, named as the columns: double [rows, 1] with NaN for missing (numbers, dates as seconds since 1970), string
    [rows, 1] with "" for missing. Outputs: `probabilities` float [rows, classes] and `prediction` string [rows] (for
    binary by `threshold` on the last class, .5 without it; else the likeliest class), or for regression `prediction`
    float [rows, 1] and, where `interval` is given, `lower` and `upper`, that far below and above it; `output_name`
    tells them from columns of the same name. Columns that no model turns out to read are not inputs.
    """
    from headrace.ml.adapters.onnx_graph import OnnxGraph

    graph = OnnxGraph()
    inputs = plan_inputs(graph, plan)
    band = Band(interval) if isinstance(interval, float | int) else interval
    views = [member.view for member in members] + ([band.view] if band and band.view else [])
    matrices = {view: plan.to_onnx(graph, inputs, view) for view in dict.fromkeys(views)}
    average = average_of(
        graph, [(member.form.to_onnx(graph, matrices[member.view]), member.weight) for member in members]
    )
    if classes:
        average = calibrator.to_onnx(graph, average) if calibrator else average
        average = shift.to_onnx(graph, inputs[shift.column], average) if shift else average
        graph.output(output_name("probabilities", inputs), average, _FLOAT, ["rows", len(classes)])
        labels = _binary_label if task == Task.BINARY else _likeliest_label
        graph.output(output_name("prediction", inputs), labels(graph, average, classes, threshold), _STRING, ["rows"])
    else:
        graph.output(output_name("prediction", inputs), average, _FLOAT, ["rows", 1])
        if task is Task.ANOMALY_DETECTION:
            bound = graph.constant(np.array(threshold, np.float32), "threshold")
            alert = graph.node("Cast", [graph.node("GreaterOrEqual", [average, bound])], to=_FLOAT)
            graph.output(output_name("is_anomaly", inputs), alert, _FLOAT, ["rows", 1])
        if band is not None:
            width = _width(graph, band, matrices[band.view] if band.view else average)
            graph.output(output_name("lower", inputs), graph.node("Sub", [average, width]), _FLOAT, ["rows", 1])
            graph.output(output_name("upper", inputs), graph.node("Add", [average, width]), _FLOAT, ["rows", 1])
    return optimise(graph.model(f"headrace {task}"))


def _width(graph: OnnxGraph, band: Band, features: str) -> str:
    factor = graph.constant(np.array(band.factor, np.float32), "interval")
    return factor if band.difficulty is None else graph.node("Mul", [factor, band.difficulty.to_onnx(graph, features)])


def plan_inputs(graph: OnnxGraph, plan: Plan) -> dict[str, str]:
    """Declare an input for each column that the plan reads, [rows, 1] or [rows, pixels]: column → tensor."""
    return {
        column.name: graph.input(column.name, _ELEMENTS[column.kind], ["rows", math.prod(column.shape)])
        for column in plan.columns
    }


def average_of(graph: OnnxGraph, outputs: Sequence[tuple[str, float]]) -> str:
    """Write the weighted average of the models' outputs (tensor, weight)."""
    total = math.fsum(weight for _, weight in outputs)
    if not outputs or not math.isfinite(total) or total <= 0 or min(weight for _, weight in outputs) < 0:
        raise ModelError(
            f"the weights of the models sum to {total:g}; they must be at least 0 and sum to more than that"
        )
    counted = [(output, weight / total) for output, weight in outputs if weight > 0]
    if len(counted) == 1:
        return counted[0][0]
    weighted = [
        graph.node("Mul", [output, graph.constant(np.array(weight, np.float32), "weight")])
        for output, weight in counted
    ]
    return graph.node("Sum", weighted)


def _binary_label(graph: OnnxGraph, probabilities: str, classes: Sequence[str], threshold: float | None) -> str:
    column = graph.constant(np.array(1, np.int64), "positive")
    positive = graph.node("Gather", [probabilities, column], axis=1)
    bound = graph.constant(np.array(0.5 if threshold is None else threshold, np.float32), "threshold")
    decision = graph.node("GreaterOrEqual", [positive, bound])
    negative_label, positive_label = (graph.constant(np.array([name], object), "label") for name in classes)
    return graph.node("Where", [decision, positive_label, negative_label])


def _likeliest_label(graph: OnnxGraph, probabilities: str, classes: Sequence[str], threshold: float | None) -> str:
    del threshold
    code = graph.node("ArgMax", [probabilities], axis=1, keepdims=0)
    return graph.node("Gather", [graph.constant(np.array(list(classes), object), "labels"), code], axis=0)


def describe_inputs(model: onnx.ModelProto, columns: Sequence[Column]) -> tuple[Input, ...]:
    """Return the manifest's inputs: the plan's columns, of which those that the graph does not read are optional."""
    read = {item.name for item in model.graph.input}
    return tuple(Input(column, required=column.name in read) for column in columns)


def describe_outputs(model: onnx.ModelProto) -> tuple[Output, ...]:
    """Return the manifest's outputs: name, element type and shape of each output of the graph."""
    return tuple(
        Output(
            item.name,
            _KINDS[item.type.tensor_type.elem_type],
            tuple(size.dim_param or size.dim_value for size in item.type.tensor_type.shape.dim),
        )
        for item in model.graph.output
    )
