"""From a fitted plan and its models to one ONNX graph, checked against the training execution."""
