"""Another threshold for a compiled model: one number of its graph is replaced."""

from __future__ import annotations

import numpy as np

from headrace.ml.errors import ModelError


def replace_threshold(content: bytes, threshold: float) -> bytes:
    """Return the ONNX file `content` of a yes/no model with another threshold; all else stays as it is.

    Raises `ModelError` where the graph holds no threshold.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(content)
    compared = {node.input[1] for node in model.graph.node if node.op_type == "GreaterOrEqual" and len(node.input) == 2}
    found = [
        each
        for each in model.graph.initializer
        if each.name in compared and each.name.startswith("threshold") and each.data_type == onnx.TensorProto.FLOAT
    ]
    if len(found) != 1:
        raise ModelError(f"the model's graph holds {len(found)} thresholds instead of one; train the model again")
    name = found[0].name
    found[0].CopyFrom(numpy_helper.from_array(np.array(threshold, np.float32), name))
    return bytes(model.SerializeToString(deterministic=True))
