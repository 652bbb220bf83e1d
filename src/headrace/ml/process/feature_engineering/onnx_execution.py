"""The plan as ONNX nodes: how serving runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Graph
from headrace.ml.process.feature_engineering.execution import Block, Execution, Lexicon, Part, TermList, Weighting
from headrace.ml.process.feature_engineering.onnx_text import write_text_sums
from headrace.ml.process.feature_engineering.pictures import write_measures

ELEMENT = {np.dtype("f4"): 1, np.dtype("i8"): 7, np.dtype("?"): 9, np.dtype("f8"): 11}
"""ONNX's numbers of element types."""

FUNCTIONS = {"isnan": "IsNaN", "floor": "Floor", "sin": "Sin", "cos": "Cos", "log": "Log", "abs": "Abs", "sqrt": "Sqrt"}
LARGEST_TABLE = 1_000_000
"""Cells of the table that gives a column's code for a string of the joint vocabulary of several columns."""
LARGEST_SHARED = 300
"""A column with more levels gets a LabelEncoder of its own."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph, with the operators of arithmetic."""

    writer: Writer
    name: str
    dtype: np.dtype[Any]

    __array_ufunc__ = None  # so that NumPy leaves array - tensor to the tensor

    def _binary(self, operator: str, left: Any, right: Any, dtype: np.dtype[Any] | None = None) -> Tensor:
        names = [v.name if isinstance(v, Tensor) else self.writer.constant(v, self.dtype) for v in (left, right)]
        return Tensor(self.writer, self.writer.node(operator, names), dtype or self.dtype)

    def __add__(self, other: Any) -> Tensor:
        return self._binary("Add", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return self._binary("Add", other, self)

    def __sub__(self, other: Any) -> Tensor:
        return self._binary("Sub", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._binary("Sub", other, self)

    def __mul__(self, other: Any) -> Tensor:
        return self._binary("Mul", self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return self._binary("Mul", other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return self._binary("Div", self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._binary("Div", other, self)

    def __gt__(self, other: Any) -> Tensor:
        return self._binary("Greater", self, other, np.dtype("?"))


class Writer:
    """Adds nodes to a graph, each distinct one once, so that parts and views share what they have in common."""

    _written_in: ClassVar[WeakKeyDictionary[Graph, dict[Any, str]]] = WeakKeyDictionary()

    def __init__(self, graph: Graph) -> None:
        """Write into `graph`, sharing what was written there before."""
        self._graph = graph
        self._written = self._written_in.setdefault(graph, {})

    def node(
        self, operator: str, inputs: Sequence[str], *, domain: str = "", outputs: int = 1, **attributes: Any
    ) -> str:
        """Return the output of such a node, adding it if it is new."""
        key = (
            operator,
            tuple(inputs),
            tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in attributes.items()),
        )
        if key not in self._written:
            self._written[key] = self._graph.node(operator, list(inputs), outputs=outputs, domain=domain, **attributes)
        return self._written[key]

    def once(self, write: Callable[[Graph, str, Any], str], source: str, settings: Any) -> str:
        """Return what `write` wrote of `source`, writing it if it is new."""
        key = (write, source, settings)
        if key not in self._written:
            self._written[key] = write(self._graph, source, settings)
        return self._written[key]

    def constant(self, value: Any, dtype: Any) -> str:
        """Return the constant's name."""
        return self._graph.constant(np.asarray(value, dtype=dtype))


class OnnxExecution(Execution):
    """Writes parts into a graph; `inputs` maps a column to its tensor [rows, 1] of doubles or strings."""

    def __init__(self, graph: Graph, inputs: Mapping[str, str]) -> None:
        """Write into `graph`."""
        self._inputs = inputs
        self._writer = Writer(graph)

    def _node(self, dtype: Any, operator: str, inputs: Sequence[Block], *constants: Any, **attributes: Any) -> Tensor:
        names = [*(block.name for block in inputs), *(self._writer.constant(c, None) for c in constants)]
        return Tensor(self._writer, self._writer.node(operator, names, **attributes), np.dtype(dtype))

    def _strings(self, columns: Sequence[str]) -> Tensor:
        return self.join([Tensor(self._writer, self._inputs[c], np.dtype("O")) for c in columns])

    def of(self, part: Part) -> Block:
        """Return the block of another part; the writer sees to it that it is written once."""
        return part.apply(self)

    def numbers(self, columns: Sequence[str]) -> Tensor:
        """Read number and date columns."""
        return self.join([Tensor(self._writer, self._inputs[c], np.dtype("f8")) for c in columns])

    def levels(self, vocabulary: Lexicon) -> Tensor:
        """Read category columns as codes.

        Columns of few levels share one LabelEncoder over their joint vocabulary, and a table that turns (column,
        string) into the column's code: a graph with 50 columns then needs four nodes instead of a hundred.
        """
        blocks = []
        for group in column_groups(vocabulary):
            columns = [vocabulary.columns[i] for i in group]
            starts = vocabulary.starts[group]
            if len(group) == 1:
                levels = vocabulary.levels[group[0]]
                values = [*range(starts[0], starts[0] + len(levels)), starts[0] + len(levels) + 1]
                blocks.append(self._label(columns, [*levels, ""], values, starts[0] + len(levels)))
                continue
            words = sorted({word for i in group for word in vocabulary.levels[i]} | {""})
            place = {word: position for position, word in enumerate(words)}
            table = np.empty((len(group), len(words) + 1), dtype=np.int64)
            for row, start, i in zip(table, starts, group, strict=True):
                levels = vocabulary.levels[i]
                row[:] = start + len(levels)
                row[[place[level] for level in levels]] = np.arange(start, start + len(levels))
                row[place[""]] = start + len(levels) + 1
            codes = self._label(columns, words, list(range(len(words))), len(words))
            blocks.append(self.look_up(table.ravel(), codes + np.arange(len(group)) * (len(words) + 1)))
        return self.join(blocks)

    def _label(self, columns: Sequence[str], words: list[str], values: list[int], default: int) -> Tensor:
        return self._node(
            "i8",
            "LabelEncoder",
            [self._strings(columns)],
            domain="ai.onnx.ml",
            keys_strings=words,
            values_int64s=[int(v) for v in values],
            default_int64=int(default),
        )

    def _split(self, column: str) -> Tensor:
        flat = self._node("O", "Squeeze", [self._strings([column])], np.array([1]))
        return self._node("O", "StringSplit", [flat], outputs=2, delimiter=" ")

    def terms(self, weighting: Weighting) -> Tensor:
        """Weigh the terms of a text column."""
        single = [i for i, term in enumerate(weighting.terms) if " " not in term]
        double = [i for i, term in enumerate(weighting.terms) if " " in term]
        pool = [weighting.terms[i] for i in single] + [word for i in double for word in weighting.terms[i].split(" ")]
        return self._node(
            "f4",
            "TfIdfVectorizer",
            [self._split(weighting.column)],
            mode="TFIDF",
            min_gram_length=1,
            max_gram_length=2 if double else 1,
            max_skip_count=0,
            ngram_counts=[0, len(single)] if double else [0],
            ngram_indexes=single + double,
            pool_strings=pool,
            weights=[float(weighting.weights[i]) for i in single + double],
        )

    def text_sums(self, terms: TermList, weights: npt.NDArray[np.float32]) -> Tensor:
        """Look up the terms of each text."""
        words = self._split(terms.column).name
        return Tensor(self._writer, write_text_sums(self._writer, words, terms, weights), np.dtype("f4"))

    def word_count(self, column: str) -> Tensor:
        """Count the words of a text column."""
        counts = Tensor(self._writer, self._split(column).name + "_1", np.dtype("i8"))
        return self.convert(self._node("i8", "Unsqueeze", [counts], np.array([1])), np.float64)

    def pictures(self, column: str, shape: tuple[int, ...]) -> Tensor:
        """Measure pictures."""
        return Tensor(self._writer, self._writer.once(write_measures, self._inputs[column], shape), np.dtype("f4"))

    def join(self, blocks: Sequence[Tensor]) -> Tensor:
        """Put blocks side by side."""
        return blocks[0] if len(blocks) == 1 else self._node(blocks[0].dtype, "Concat", blocks, axis=1)

    def pick(self, block: Block, positions: Sequence[int]) -> Tensor:
        """Take columns."""
        return self._node(block.dtype, "Gather", [block], np.asarray(positions, dtype=np.int64), axis=1)

    def look_up(self, table: npt.NDArray[Any], codes: Block) -> Tensor:
        """Replace each code by its row of the table."""
        constant = Tensor(self._writer, self._writer.constant(table, None), table.dtype)
        rows = self._node(table.dtype, "Gather", [constant, codes], axis=0)
        return rows if table.ndim == 1 else self._node(table.dtype, "Flatten", [rows], axis=1)

    def equals(self, block: Block, values: npt.NDArray[Any]) -> Tensor:
        """Compare by cell."""
        return self._node("?", "Equal", [block], values)

    def where(self, condition: Block, yes: Block, no: Block) -> Tensor:
        """Choose by cell."""
        dtype = yes.dtype if isinstance(yes, Tensor) else no.dtype
        names = [v.name if isinstance(v, Tensor) else self._writer.constant(v, dtype) for v in (yes, no)]
        return Tensor(self._writer, self._writer.node("Where", [condition.name, *names]), dtype)

    def call(self, function: str, block: Block) -> Tensor:
        """Apply a function to every cell."""
        return self._node("?" if function == "isnan" else block.dtype, FUNCTIONS[function], [block])

    def clip(self, block: Block, low: Any, high: Any) -> Tensor:
        """Bring every cell between bounds; NaN stays."""
        low, high = np.asarray(low, dtype=block.dtype), np.asarray(high, dtype=block.dtype)
        if low.ndim == high.ndim == 0:
            return self._node(block.dtype, "Clip", [block], low, high)
        return self._node(block.dtype, "Min", [self._node(block.dtype, "Max", [block], low)], high)

    def power(self, block: Block, exponent: Any) -> Tensor:
        """Raise to a power."""
        return self._node(block.dtype, "Pow", [block], np.asarray(exponent, dtype=block.dtype))

    def dot(self, block: Block, matrix: npt.NDArray[np.float64]) -> Tensor:
        """Multiply by a matrix."""
        return self._node(block.dtype, "MatMul", [block], matrix)

    def total(self, block: Block) -> Tensor:
        """Sum the columns."""
        return self._node(block.dtype, "ReduceSum", [block], np.array([1]), keepdims=1)

    def softmax(self, block: Block) -> Tensor:
        """Exponentiate and norm each row."""
        return self._node(block.dtype, "Softmax", [block], axis=1)

    def convert(self, block: Block, kind: type[np.generic]) -> Tensor:
        """Change the type of the cells."""
        dtype = np.dtype(kind)
        return block if block.dtype == dtype else self._node(dtype, "Cast", [block], to=ELEMENT[dtype])


def column_groups(vocabulary: Lexicon) -> list[list[int]]:
    """Group neighbouring columns of few levels, such that the table of a group stays small."""
    groups: list[list[int]] = []
    words: set[str] = set()
    for i, levels in enumerate(vocabulary.levels):
        joint = words.union(levels)
        fits = (
            len(levels) <= LARGEST_SHARED and (len(groups[-1]) + 1) * len(joint) <= LARGEST_TABLE if groups else False
        )
        if fits and words:
            groups[-1].append(i)
            words = joint
        else:
            groups.append([i])
            words = set(levels) if len(levels) <= LARGEST_SHARED else set()
    return groups
