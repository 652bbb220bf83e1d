"""From a fitted plan and its models to one ONNX graph, checked against the training execution."""

from headrace.ml.compiler.graph import compile_model, describe_inputs, describe_outputs
from headrace.ml.compiler.parity import check_parity
from headrace.ml.compiler.saving import write_model

__all__ = ["check_parity", "compile_model", "describe_inputs", "describe_outputs", "write_model"]
