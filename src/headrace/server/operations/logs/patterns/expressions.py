"""Conditions joined by && and ||: the language inside {…} and of single fields inside […]."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import regex

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns.matches import as_text

TOKEN = regex.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*") | (?P<regex>%(?:[^%\\]|\\.)+%) | (?P<sign>&&|\|\||[()]|[<>!]=|[<>=])
    | (?P<selector>\$(?:\.[\w@#-]+|\.?\[\s*(?:\d+|\*|'[^']*'|"[^"]*")\s*\])*) | (?P<word>[^\s()=<>!&|,"%]+)
    )\s*""",
    regex.VERBOSE,
)
DEEPEST = 50
SLOWEST_SEARCH = 0.2
"""Seconds that one search of a user's regular expression may take."""
MISSING = object()
"""Stands for a value that the message doesn't have."""

Find = Callable[[str], Any]
Condition = Callable[[Find], bool]
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


@dataclass
class Parser:
    """Reads one expression; `selectors` collects what it asks for."""

    text: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
    selectors: list[str] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.text):
            found = TOKEN.match(self.text, place)
            if found is None or found.end() == place:
                raise InvalidInput(f"{self.text[place:][:40]!r} can't be read")
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            place = found.end()

    def whole(self) -> Condition:
        """Read the expression to its end."""
        condition = self.either(0)
        if self.at < len(self.tokens):
            raise InvalidInput(f"{self.tokens[self.at][1]!r} is not expected there")
        return condition

    def either(self, depth: int) -> Condition:
        """Read conditions joined by ||."""
        parts = [self.both(depth)]
        while self.accept("||"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else lambda find: any(part(find) for part in parts)

    def both(self, depth: int) -> Condition:
        """Read conditions joined by &&."""
        parts = [self.one(depth)]
        while self.accept("&&"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else lambda find: all(part(find) for part in parts)

    def one(self, depth: int) -> Condition:
        """Read one condition, or an expression in parentheses."""
        if depth > DEEPEST:
            raise InvalidInput(f"its parentheses are more than {DEEPEST} deep")
        if self.accept("("):
            inner = self.either(depth + 1)
            if not self.accept(")"):
                raise InvalidInput("a parenthesis is not closed")
            return inner
        kind, selector = self.take()
        if kind not in ("selector", "word"):
            raise InvalidInput(f"a field is expected, not {selector!r}")
        self.selectors.append(selector)
        kind, sign = self.take()
        if kind == "word":
            return self.state(selector, sign.upper())
        if sign not in ("=", "!=", *ORDERS):
            raise InvalidInput(f"a comparison is expected, not {sign!r}")
        return compared(selector, sign, *self.take())

    def state(self, selector: str, word: str) -> Condition:
        """Read the end of IS NULL, IS TRUE, IS FALSE, NOT EXISTS."""
        if word == "NOT" and self.take()[1].upper() == "EXISTS":
            return lambda find: find(selector) is MISSING
        if word == "IS":
            stated = {"NULL": None, "TRUE": True, "FALSE": False}
            _, wanted = self.take()
            if wanted.upper() in stated:
                return lambda find: find(selector) is stated[wanted.upper()]
        raise InvalidInput(f"IS NULL, IS TRUE, IS FALSE or NOT EXISTS is expected after {selector}")

    def accept(self, sign: str) -> bool:
        """Step over a sign if it is the next token."""
        if self.at < len(self.tokens) and self.tokens[self.at] == ("sign", sign):
            self.at += 1
            return True
        return False

    def take(self) -> tuple[str, str]:
        """Return the next token and step over it."""
        if self.at == len(self.tokens):
            raise InvalidInput("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]


def compared(selector: str, sign: str, kind: str, text: str) -> Condition:
    """Return the condition that a selector's value stands in a relation to a number, a text or a pattern of text."""
    if kind == "sign":
        raise InvalidInput(f"a value is expected, not {text!r}")
    number = as_number(text) if kind == "word" else None
    if sign in ORDERS:
        if number is None:
            raise InvalidInput(f"{sign} compares numbers, not {text!r}")
        return lambda find: (value := as_number(find(selector))) is not None and ORDERS[sign](value, number)
    expected = sign == "="
    test = expression_of(text[1:-1]) if kind == "regex" else _text_test(text, kind)

    def holds(find: Find) -> bool:
        value = find(selector)
        if value is MISSING or value is None or isinstance(value, dict | list):
            return False
        if number is not None and (given := as_number(value)) is not None:
            return (given == number) is expected
        return test(as_text(value)) is expected

    return holds


def expression_of(source: str) -> Callable[[str], bool]:
    """Return the search for a user's regular expression; it gives up, matching nothing, when it takes too long."""
    try:
        compiled = regex.compile(source)
    except regex.error as error:
        raise InvalidInput(f"the regular expression %{source}% can't be read: {error}") from None

    def search(text: str) -> bool:
        try:
            return compiled.search(text, timeout=SLOWEST_SEARCH) is not None
        except TimeoutError:
            return False

    return search


def as_number(value: Any) -> float | None:
    """Return the number that a value is or writes, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _text_test(text: str, kind: str) -> Callable[[str], bool]:
    plain = text[1:-1].replace('\\"', '"').replace("\\\\", "\\") if kind == "string" else text
    parts = plain.split("*")
    if len(parts) == 1:
        return lambda value: value == plain

    def wild(value: str) -> bool:
        if len(value) < len(parts[0]) + len(parts[-1]) or not (
            value.startswith(parts[0]) and value.endswith(parts[-1])
        ):
            return False
        at, end = len(parts[0]), len(value) - len(parts[-1])
        for part in parts[1:-1]:
            found = value.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return wild
