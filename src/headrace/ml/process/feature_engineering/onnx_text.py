"""Sums over the terms of a text as ONNX nodes: by look-up, so that a row costs its own words and not the lexicon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.process.feature_engineering.execution import COUNTED, TermList
from headrace.ml.process.feature_engineering.numpy_execution import LEAST_SQUARE

if TYPE_CHECKING:
    from headrace.ml.process.feature_engineering.onnx_execution import Writer

_TO_DOUBLE, _TO_FLOAT = {"to": 11}, {"to": 1}
_END = np.iinfo(np.int64).max


def write_text_sums(writer: Writer, words: str, terms: TermList, weights: npt.NDArray[np.float32]) -> str:
    """Write `Execution.text_sums`; `words` names a tensor of strings [rows, words], "" behind a row's last.

    Equal terms of a row stand together once sorted, and a place is the n-th of its term where the n - 1 before are
    equal to it: it then adds what 1 + log(count) grows by from n - 1 to n.
    """

    def node(operator: str, *inputs: Any, **attributes: Any) -> str:
        names = [each if isinstance(each, str) else writer.constant(each, None) for each in inputs]
        return writer.node(operator, names, **attributes)

    def cut(name: str, start: int, end: int) -> str:
        return node("Slice", name, np.array([start]), np.array([end]), np.array([1]))

    def fill(name: str, places: int, value: Any) -> str:
        return node("Pad", name, np.array([0, places, 0, 0]), value)

    unknown = len(terms.terms)
    tokens = words
    if any(" " in term for term in terms.terms):
        spaced = node("StringConcat", cut(words, 0, -1), np.array([" "], object))
        tokens = node("Concat", words, node("StringConcat", spaced, cut(words, 1, _END)), axis=1)
    codes = node(
        "LabelEncoder",
        tokens,
        domain="ai.onnx.ml",
        keys_strings=list(terms.terms),
        values_int64s=list(range(unknown)),
        default_int64=unknown,
    )
    codes = fill(codes, COUNTED, np.array(unknown))
    width = node("Slice", node("Shape", codes), np.array([1]), np.array([2]))
    codes = node("TopK", codes, width, outputs=2, axis=1)
    repeats = []
    for back in range(1, COUNTED + 1):
        equal = node("Equal", cut(codes, back, _END), cut(codes, 0, -back))
        repeats.append(fill(node("Cast", equal, **_TO_DOUBLE), back, np.array(0.0)))
    repeat = node("Cast", node("Sum", *repeats), to=7)
    heights = 1 + np.log(np.arange(1, COUNTED + 1))
    growth = np.append(np.diff(heights, prepend=0.0), 0.0)
    growth_of_squares = np.append(np.diff(heights**2, prepend=0.0), 0.0)
    rows = node("Cast", node("Gather", np.concatenate([weights[:-1], 0 * weights[:1]]), codes), **_TO_DOUBLE)
    times = node("Unsqueeze", node("Gather", growth, repeat), np.array([1]))
    sums = node("Squeeze", node("MatMul", times, rows), np.array([1]))
    squares = node("Mul", node("Gather", terms.squares, codes), node("Gather", growth_of_squares, repeat))
    length = node("ReduceSum", squares, np.array([1]), keepdims=1)
    length = node("Sqrt", node("Max", length, np.array(LEAST_SQUARE)))
    return node("Cast", node("Div", sums, length), **_TO_FLOAT)
