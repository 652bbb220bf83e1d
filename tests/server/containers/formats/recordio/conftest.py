"""The record of package aialgs.data, made from its definition by Google's protobuf: the oracle of these tests."""

import struct
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def record_class() -> Any:
    """Return the class of Record messages."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")
    kind = descriptor_pb2.FieldDescriptorProto

    def add(
        message: Any, name: str, number: int, type_: int, *, repeated: bool = False, packed: bool = False, of: str = ""
    ) -> Any:
        field = message.field.add(name=name, number=number, type=type_)
        field.label = kind.LABEL_REPEATED if repeated else kind.LABEL_OPTIONAL
        if packed:
            field.options.packed = True
        if of:
            field.type_name = f".aialgs.data.{of}"
        return field

    for name, type_ in (
        ("Float32Tensor", kind.TYPE_FLOAT),
        ("Float64Tensor", kind.TYPE_DOUBLE),
        ("Int32Tensor", kind.TYPE_INT32),
    ):
        tensor = file.message_type.add(name=name)
        add(tensor, "values", 1, type_, repeated=True, packed=True)
        add(tensor, "keys", 2, kind.TYPE_UINT64, repeated=True, packed=True)
        add(tensor, "shape", 3, kind.TYPE_UINT64, repeated=True, packed=True)
    content = file.message_type.add(name="Bytes")
    add(content, "value", 1, kind.TYPE_BYTES, repeated=True)
    add(content, "content_type", 2, kind.TYPE_STRING)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number, of in (
        ("float32_tensor", 2, "Float32Tensor"),
        ("float64_tensor", 3, "Float64Tensor"),
        ("int32_tensor", 7, "Int32Tensor"),
        ("bytes", 9, "Bytes"),
    ):
        add(value, name, number, kind.TYPE_MESSAGE, of=of).oneof_index = 0
    record = file.message_type.add(name="Record")
    for name, number, entry in (("features", 1, "FeaturesEntry"), ("label", 2, "LabelEntry")):
        pair = record.nested_type.add(name=entry)
        pair.options.map_entry = True
        add(pair, "key", 1, kind.TYPE_STRING)
        add(pair, "value", 2, kind.TYPE_MESSAGE, of="Value")
        add(record, name, number, kind.TYPE_MESSAGE, repeated=True, of=f"Record.{entry}")
    for name, number in (("uid", 3), ("metadata", 4), ("configuration", 5)):
        add(record, name, number, kind.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def framed(payload: bytes) -> bytes:
    """Return a payload as the RecordIO frame of its definition."""
    return struct.pack("<II", 0xCED7230A, len(payload)) + payload + b"\0" * (-len(payload) % 4)


@pytest.fixture(scope="session")
def dense(record_class: Any) -> Any:
    """Return a function that writes dense rows as the SageMaker SDK does, in the tensor of a kind."""

    def write(features: Any, labels: Any = None, kind: str = "float32_tensor") -> bytes:
        frames = []
        for number, row in enumerate(features):
            record = record_class()
            getattr(record.features["values"], kind).values.extend(row.tolist())
            if labels is not None:
                getattr(record.label["values"], kind).values.extend(np.atleast_1d(labels[number]).tolist())
            frames.append(framed(record.SerializeToString()))
        return b"".join(frames)

    return write


@pytest.fixture(scope="session")
def sparse(record_class: Any) -> Any:
    """Return a function that writes a CSR matrix as the SageMaker SDK does."""

    def write(matrix: Any, labels: Any = None) -> bytes:
        frames = []
        for number in range(matrix.shape[0]):
            row = matrix[[number]]
            record = record_class()
            tensor = record.features["values"].float32_tensor
            tensor.values.extend(row.data.tolist())
            tensor.keys.extend(row.indices.tolist())
            tensor.shape.extend([matrix.shape[1]])
            if labels is not None:
                record.label["values"].float32_tensor.values.append(float(labels[number]))
            frames.append(framed(record.SerializeToString()))
        return b"".join(frames)

    return write
