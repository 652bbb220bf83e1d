"""What a feature is written in: the few operations that NumPy and ONNX both have.

A block is a matrix with the table's rows: a NumPy array in training, a named tensor in the ONNX graph. Both take the
operators of Python's arithmetic and comparisons, with numbers or arrays on the other side. Numbers and dates stay in
double until the plan casts its whole matrix to float32, so that the two executions agree.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Block = Any
"""A matrix [rows, columns] of float64 (NaN is missing), float32, int64 or bool."""


class Part(Protocol):
    """Some features of a plan, fitted: their names, the columns that they read, and how they are computed."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that are read."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a feature."""

    def apply(self, run: Execution) -> Block:
        """Compute the features [rows, names], as float64 or float32."""


class Lexicon(Protocol):
    """What `Execution.levels` needs of a vocabulary of categories."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""

    @property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """The levels of each column."""

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """The first code of each column."""


class Weighting(Protocol):
    """What `Execution.terms` needs of the terms of a text column."""

    @property
    def column(self) -> str:
        """The column."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Words, and pairs of words with a space between."""

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """The weight of each term."""


COUNTED = 4
"""A term that a text has more often counts as if it had it so often."""


class TermList(Protocol):
    """What `Execution.text_sums` needs of the terms of a text column."""

    @property
    def column(self) -> str:
        """The column."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Words, and pairs of words with a space between."""

    @property
    def squares(self) -> npt.NDArray[np.float64]:
        """The squared inverse document frequency of each term, and 0 for unknown ones [terms + 1]."""


class Execution(ABC):
    """One way to run a plan."""

    @abstractmethod
    def of(self, part: Part) -> Block:
        """Return the block of another part, computed once."""

    @abstractmethod
    def numbers(self, columns: Sequence[str]) -> Block:
        """Read number and date columns: float64 [rows, columns], NaN for missing."""

    @abstractmethod
    def levels(self, vocabulary: Lexicon) -> Block:
        """Read category columns: int64 codes [rows, columns]; from its start, a column has levels, unseen, missing."""

    @abstractmethod
    def terms(self, weighting: Weighting) -> Block:
        """Count the terms (words, and pairs of words) of a text column times their weights: float32 [rows, terms]."""

    @abstractmethod
    def text_sums(self, terms: TermList, weights: npt.NDArray[np.float32]) -> Block:
        """Sum `weights` [terms + 1, width] over a text's terms, 1 + log(count) times each: float32 [rows, width].

        The sums are divided by the length of the text's vector, which `squares` give. The last row is not used.
        """

    @abstractmethod
    def word_count(self, column: str) -> Block:
        """Count the words of a text column: float64 [rows, 1], 0 for missing."""

    @abstractmethod
    def pictures(self, column: str, shape: tuple[int, ...]) -> Block:
        """Measure pictures of that height, width and number of channels: float32 [rows, measures]."""

    @abstractmethod
    def join(self, blocks: Sequence[Block]) -> Block:
        """Put blocks of one type side by side."""

    @abstractmethod
    def pick(self, block: Block, positions: Sequence[int]) -> Block:
        """Take columns, in the order given and as often as given."""

    @abstractmethod
    def look_up(self, table: npt.NDArray[Any], codes: Block) -> Block:
        """Replace each code by its row of `table` [codes] or [codes, width]: [rows, columns × width]."""

    @abstractmethod
    def equals(self, block: Block, values: npt.NDArray[Any]) -> Block:
        """Compare each column with its value of `values` [columns]: bool."""

    @abstractmethod
    def where(self, condition: Block, yes: Block, no: Block) -> Block:
        """Choose by cell."""

    @abstractmethod
    def call(self, function: str, block: Block) -> Block:
        """Apply isnan, floor, sin, cos, log, abs or sqrt to every cell."""

    @abstractmethod
    def clip(self, block: Block, low: Any, high: Any) -> Block:
        """Bring every cell between `low` and `high` (numbers, or arrays [columns]); NaN stays."""

    @abstractmethod
    def power(self, block: Block, exponent: Any) -> Block:
        """Raise to a power, a number or an array [columns]."""

    @abstractmethod
    def dot(self, block: Block, matrix: npt.NDArray[np.float64]) -> Block:
        """Multiply by a matrix [columns, outputs]."""

    @abstractmethod
    def total(self, block: Block) -> Block:
        """Sum the columns: [rows, 1]."""

    @abstractmethod
    def softmax(self, block: Block) -> Block:
        """Exponentiate and norm each row to 1."""

    @abstractmethod
    def convert(self, block: Block, kind: type[np.generic]) -> Block:
        """Change the type of the cells."""
