"""Requests in NumPy's npy format: a matrix of numbers, or a vector that is one row."""

from __future__ import annotations

import re
from math import prod

import numpy as np

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.soundness import Source, check_width, float32, sound

START = re.compile(rb"\x93NUMPY(?:\x01.(?P<short>..)|[\x02\x03].(?P<long>....))", re.DOTALL)
LONGEST_HEADER = 10_000
KIND = re.compile(rb"'descr': *'([^']{1,20})'")
ORDER = re.compile(rb"'fortran_order': *(True|False)")
SHAPE = re.compile(rb"'shape': *\(([0-9, ]{0,100})\)")
NUMBERS = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248])")


def read_npy(body: bytes, source: Source, *, width: int | None = None) -> Rows:
    """Return the rows of an array; nothing is allocated by the size that its header claims, and no object unpickled."""
    start = START.match(body)
    if not start:
        raise ClientError(f"{str(source).capitalize()} does not begin as an npy array does.")
    first = start.end() + int.from_bytes(start["short"] or start["long"], "little")
    header = body[start.end() : first] if first - start.end() <= LONGEST_HEADER else b""
    kind, order, size = KIND.search(header), ORDER.search(header), SHAPE.search(header)
    if not (order and size):
        raise ClientError(f"The npy array of {source} has a damaged header.")
    named = kind[1].decode("latin-1") if kind else "of records"
    if not NUMBERS.fullmatch(named):
        raise ClientError(f"The npy array of {source} has the type {named}, which is not one of numbers.")
    shape = tuple(int(length) for length in size[1].replace(b",", b" ").split())
    if len(shape) not in (1, 2) or 0 in shape:
        raise ClientError(f"The npy array of {source} has the shape {shape}, and rows need (rows, features).")
    needed, there = prod(shape) * np.dtype(named).itemsize, len(body) - first
    if needed != there:
        raise ClientError(
            f"The npy array of {source} has {max(there, 0)} bytes of numbers, and its shape {shape} of {named} needs "
            f"{needed}."
        )
    matrix = np.frombuffer(body, named, offset=first).reshape(
        shape if len(shape) == 2 else (1, -1), order="F" if order[1] == b"True" else "C"
    )
    check_width(matrix.shape[1], width, source)
    return sound(Rows(np.array(float32(matrix), order="C")), source)
