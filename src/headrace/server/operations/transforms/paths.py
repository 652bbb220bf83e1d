"""JSONPath as far as SageMaker's data processing has it: what an expression selects of a JSON value or of a CSV row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.containers.contract import ClientError

_NAME = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ELEMENT = r"-?\d+|-?\d*\s*:\s*-?\d*"
_STEP = re.compile(
    rf"""
    \.?\[\s*(?:(?P<every>\*)
      |(?P<names>(?:{_NAME})(?:\s*,\s*(?:{_NAME}))*)
      |(?P<elements>(?:{_ELEMENT})(?:\s*,\s*(?:{_ELEMENT}))*))\s*\]
    |\.(?:(?P<dotted_every>\*)|(?P<name>[^\s.\[\]*'"(),:?@$]+))
    """,
    re.VERBOSE,
)
_ONE_NAME = re.compile(_NAME)


@dataclass(frozen=True)
class Every:
    """`*`: every element of an array, or every value of an object."""


@dataclass(frozen=True)
class Names:
    """Members of an object by their names."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Elements:
    """Elements of an array by their indices (from 0, or from the end if negative) and slices."""

    chosen: tuple[int | slice, ...]

    def of(self, values: Sequence[Any], path: str) -> list[Any]:
        """Return the elements in the order asked for; raises ClientError where an index is outside."""
        found: list[Any] = []
        for each in self.chosen:
            if isinstance(each, slice):
                found += values[each]
            elif -len(values) <= each < len(values):
                found.append(values[each])
            else:
                raise ClientError(f"the JSONPath {path} asks for index {each} of {len(values)} elements")
        return found


Step = Every | Names | Elements


@dataclass(frozen=True)
class JsonPath:
    """An expression that was read; `whole` where it is `$`, the value itself."""

    text: str
    steps: tuple[Step, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything is selected."""
        return not self.steps

    def select(self, value: Any) -> Any:
        """Return what the expression selects of a JSON value.

        That is a value where the expression can only mean one, an object of those that are there for several names, and
        an array for several indices, slices and wildcards. Raises ClientError where there is nothing of that name or
        index.
        """
        nodes, several = [value], False
        for step in self.steps:
            if isinstance(step, Names):
                nodes = [found for node in nodes for found in self._named(node, step.names, several)]
            else:
                nodes = [found for node in nodes for found in self._elements(node, step, several)]
                several = several or not _is_one(step)
        return nodes if several else nodes[0]

    def columns(self) -> Callable[[list[str]], list[str]]:
        """Return what selects the columns of a row of CSV; raises ClientError on an expression with names."""
        if self.whole:
            return lambda row: row
        step = self.steps[0]
        if len(self.steps) > 1 or isinstance(step, Names):
            raise ClientError(
                f"the JSONPath {self.text} can't be applied to CSV, where each row is an array; use indices as in $[1:]"
            )
        if isinstance(step, Every):
            return lambda row: row
        return lambda row: step.of(row, self.text)

    def _named(self, node: Any, names: tuple[str, ...], several: bool) -> Iterable[Any]:
        there = isinstance(node, dict)
        if len(names) > 1 and there:
            return [{name: node[name] for name in names if name in node}]
        if there and names[0] in node:
            return [node[names[0]]]
        if several:
            return []
        raise ClientError(f"the JSONPath {self.text} finds no attribute {names[0]!r} in a record")

    def _elements(self, node: Any, step: Every | Elements, several: bool) -> Iterable[Any]:
        if isinstance(node, dict) and isinstance(step, Every):
            return list(node.values())
        if isinstance(node, list):
            return node if isinstance(step, Every) else step.of(node, self.text)
        if several:
            return []
        raise ClientError(f"the JSONPath {self.text} asks for elements of what is no array in a record")


WHOLE = JsonPath("$")


def read_path(text: str) -> JsonPath:
    """Return the expression; raises ClientError where it is none that SageMaker supports.

    Those are `$`, `.name`, `*`, `['name','name']`, `[1,-1]` and `[start:end]`, whose end is not part of the selection
    (AWS page: Associate Prediction Results with Input Records, "Supported JSONPath Operators": its table takes slices
    from ECMAScript, as its samples do that leave the last column out by `$[0:-1]`; its prose calls them inclusive).

    >>> read_path("$['id','SageMakerOutput']").select({"id": 7, "x": [1, 2], "SageMakerOutput": {"score": 0.5}})
    {'id': 7, 'SageMakerOutput': {'score': 0.5}}
    """
    if not text:
        return WHOLE
    steps: list[Step] = []
    position = 1
    while text.startswith("$") and position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            break
        steps.append(_step(found))
        position = found.end()
    if not text.startswith("$") or position != len(text):
        raise ClientError(
            f"{text!r} is no JSONPath that batch transform supports; use $, .name, *, ['name','name'], [1,-1] and [1:3]"
        )
    return JsonPath(text, tuple(steps))


def _step(found: re.Match[str]) -> Step:
    if found["every"] or found["dotted_every"]:
        return Every()
    if found["name"]:
        return Names((found["name"],))
    if found["names"]:
        return Names(tuple(_unquoted(each[0]) for each in _ONE_NAME.finditer(found["names"])))
    return Elements(tuple(_element(each) for each in found["elements"].split(",")))


def _element(text: str) -> int | slice:
    start, colon, end = (each.strip() for each in text.partition(":"))
    if not colon:
        return int(start)
    return slice(int(start) if start else None, int(end) if end else None)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _is_one(step: Every | Elements) -> bool:
    return isinstance(step, Elements) and len(step.chosen) == 1 and isinstance(step.chosen[0], int)


def written(value: Any) -> bytes:
    """Return a JSON value on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
