"""Requests in NumPy's npy format: a matrix of numbers, or a vector that is one row."""

from __future__ import annotations

import io
from math import prod

import numpy as np

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.soundness import Source, check_width, float32, sound


def read_npy(body: bytes, source: Source, *, width: int | None = None) -> Rows:
    """Return the rows of an array; nothing is allocated by the size that its header claims, no object unpickled."""
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, by_columns, kind = read_header(stream)
    except KeyError:
        raise ClientError(f"The npy array of {source} is of a version that is not read; write version 1.0.") from None
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise ClientError(
            f"The npy array of {source} has a damaged header: {str(error).partition(chr(10))[0]}."
        ) from None
    if kind.kind not in "biuf":
        raise ClientError(f"The npy array of {source} has the type {kind}, which is not one of numbers.")
    if len(shape) not in (1, 2) or 0 in shape:
        raise ClientError(f"The npy array of {source} has the shape {shape}, and rows need [rows, features].")
    if prod(shape) * kind.itemsize != len(body) - stream.tell():
        raise ClientError(
            f"The npy array of {source} has {len(body) - stream.tell()} bytes of data, and its shape {shape} of {kind} "
            f"needs {prod(shape) * kind.itemsize}."
        )
    values = np.frombuffer(body, dtype=kind, offset=stream.tell())
    matrix = values.reshape(shape if len(shape) == 2 else (1, -1), order="F" if by_columns else "C")
    check_width(matrix.shape[1], width, source)
    return sound(Rows(np.array(float32(matrix), order="C")), source)
