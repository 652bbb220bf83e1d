"""RecordIO-protobuf, the format of SageMaker's first-party algorithms, read and written."""

from headrace.server.containers.formats.recordio.frames import blocks, split_records
from headrace.server.containers.formats.recordio.records import read_records
from headrace.server.containers.formats.recordio.writing import write_labels, write_rows

__all__ = ["blocks", "read_records", "split_records", "write_labels", "write_rows"]
