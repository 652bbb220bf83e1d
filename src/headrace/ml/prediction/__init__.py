"""A served model: the reader, ONNX Runtime and the manifest; imports nothing that trains."""
