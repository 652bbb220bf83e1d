"""Reads expressions of metric math into functions of the request's series."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.server.operations.metrics.expressions.functions import FUNCTIONS
from headrace.server.operations.metrics.expressions.values import Series, Value, combined, wrong

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"]*"|'[^']*')
    |(?P<sign><=|>=|==|!=|&&|\|\||[-+*/^<>(),\[\]]))\s*""",
    re.VERBOSE,
)
LEVELS = (("OR",), ("AND",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"))
"""Operators from the loosest to the tightest; ^ binds tighter still, and from the right."""
SPELLED = {"&&": "AND", "||": "OR"}
DEEPEST = 50


@dataclass(frozen=True)
class Scope:
    """What an expression is computed in: values by id, the metrics in order, and the times of the request."""

    value: Callable[[str], Value]
    metrics: Sequence[tuple[str, Series]]
    times: Sequence[int]
    period: int


Compute = Callable[[Scope], Value]


@dataclass(frozen=True)
class Expression:
    """An expression that was read: compute it with a scope."""

    text: str
    compute: Compute


def parse(text: str) -> Expression:
    """Return the expression of a text; raises InvalidInput (ValidationError) on one that can't be read."""
    reader = Reader(text)
    compute = reader.level(0, 0)
    if reader.at < len(reader.tokens):
        raise wrong(f"Error in expression '{text}': unexpected {reader.tokens[reader.at][1]!r}")
    return Expression(text, compute)


@dataclass
class Reader:
    """Reads one text, token by token."""

    text: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.text):
            found = TOKEN.match(self.text, place)
            if found is None:
                raise wrong(f"Error in expression '{self.text}': {self.text[place:][:20]!r} can't be read")
            kind = found.lastgroup or ""
            written = found[kind]
            if kind == "name" and written.upper() in ("AND", "OR"):
                kind, written = "sign", written.upper()
            self.tokens.append((kind, SPELLED.get(written, written)))
            place = found.end()

    def level(self, number: int, depth: int) -> Compute:
        """Read operators of one level and all tighter ones."""
        if number == len(LEVELS):
            return self.signed(depth)
        left = self.level(number + 1, depth)
        while (sign := self.next_sign(LEVELS[number])) is not None:
            left = _joined(sign, left, self.level(number + 1, depth))
        return left

    def signed(self, depth: int) -> Compute:
        """Read a minus before a power."""
        if depth > DEEPEST:
            raise wrong(f"Error in expression '{self.text[:60]}…': it is more than {DEEPEST} deep")
        if self.next_sign(("-",)):
            return _joined("*", lambda _: -1.0, self.signed(depth + 1))
        base = self.atom(depth)
        return _joined("^", base, self.signed(depth + 1)) if self.next_sign(("^",)) else base

    def atom(self, depth: int) -> Compute:
        """Read a number, an id, a list, a call or an expression in parentheses."""
        kind, written = self.take()
        if kind == "number":
            number = float(written)
            return lambda _: number
        if (kind, written) == ("sign", "("):
            inner = self.level(0, depth + 1)
            self.expect(")")
            return inner
        if (kind, written) == ("sign", "["):
            return _listed(self.arguments("]", depth))
        if kind == "name":
            return self.call(written.upper(), depth) if self.next_sign(("(",)) else lambda scope: scope.value(written)
        raise wrong(f"Error in expression '{self.text}': unexpected {written!r}")

    def call(self, name: str, depth: int) -> Compute:
        """Read the arguments of a function."""
        if name == "METRICS":
            kind, part = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
            self.at += kind == "text"
            self.expect(")")
            sought = part[1:-1] if kind == "text" else ""
            return lambda scope: [series for each, series in scope.metrics if sought in each]
        if name == "FILL":
            return self.fill(depth)
        arguments = self.arguments(")", depth)
        if name == "TIME_SERIES" and len(arguments) == 1:
            return lambda scope: _constant(arguments[0](scope), scope)
        if name not in FUNCTIONS:
            raise wrong(f"Error in expression '{self.text}': the function {name} does not exist here")
        fewest, most, function = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            raise wrong(f"Error in expression '{self.text}': {name} takes {fewest} to {most} arguments")
        return lambda scope: function(*(argument(scope) for argument in arguments))

    def fill(self, depth: int) -> Compute:
        """Read the arguments of FILL: a series, and a number, REPEAT or LINEAR."""
        series = self.level(0, depth + 1)
        self.expect(",")
        word = self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""
        if word in ("REPEAT", "LINEAR"):
            self.at += 1
            self.expect(")")
            return lambda scope: _filled(series(scope), word, scope)
        value = self.level(0, depth + 1)
        self.expect(")")
        return lambda scope: _filled(series(scope), value(scope), scope)

    def arguments(self, end: str, depth: int) -> list[Compute]:
        """Read expressions between commas up to a closing sign."""
        found: list[Compute] = []
        if self.next_sign((end,)):
            return found
        while True:
            found.append(self.level(0, depth + 1))
            if self.next_sign((end,)):
                return found
            self.expect(",")

    def next_sign(self, signs: Sequence[str]) -> str | None:
        """Step over the next token if it is one of these signs, and return it."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, sign: str) -> None:
        """Step over a sign that must come next."""
        if self.next_sign((sign,)) is None:
            raise wrong(f"Error in expression '{self.text}': {sign!r} is missing")

    def take(self) -> tuple[str, str]:
        """Return the next token and step over it."""
        if self.at == len(self.tokens):
            raise wrong(f"Error in expression '{self.text}': it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]


def _joined(sign: str, left: Compute, right: Compute) -> Compute:
    return lambda scope: combined(sign, left(scope), right(scope))


def _listed(parts: Sequence[Compute]) -> Compute:
    def compute(scope: Scope) -> Value:
        found: list[Series] = []
        for part in parts:
            value = part(scope)
            if isinstance(value, float):
                raise wrong("a list holds series, no numbers")
            found.extend(value if isinstance(value, list) else [value])
        return found

    return compute


def _constant(value: Value, scope: Scope) -> Value:
    return Series(dict.fromkeys(scope.times, value), scope.period) if isinstance(value, float) else value


def _filled(value: Value, filling: Value | str, scope: Scope) -> Value:
    if isinstance(value, list):
        return [each for one in value if isinstance(each := _filled(one, filling, scope), Series)]
    if isinstance(value, float):
        raise wrong("FILL takes a series")
    step = value.period * 1000
    times = [time for time in scope.times if (time - scope.times[0]) % step == 0]
    if isinstance(filling, float):
        return Series({time: value.points.get(time, filling) for time in times}, value.period, value.label)
    if isinstance(filling, Series):
        added = {time: filling.points[time] for time in times if time in filling.points}
        return Series({**added, **value.points}, value.period, value.label)
    if isinstance(filling, list):
        raise wrong("FILL fills with a number, a series, REPEAT or LINEAR")
    return Series(_between(value.points, times, linear=filling == "LINEAR"), value.period, value.label)


def _between(points: Mapping[int, float], times: Sequence[int], *, linear: bool) -> dict[int, float]:
    known = sorted(points)
    filled: dict[int, float] = {}
    at = 0
    for time in times:
        while at < len(known) and known[at] <= time:
            at += 1
        if time in points:
            filled[time] = points[time]
        elif at and (not linear or at < len(known)):
            before = known[at - 1]
            part = (time - before) / (known[at] - before) if linear else 0.0
            filled[time] = points[before] + part * (points[known[at]] - points[before] if linear else 0.0)
    return filled
