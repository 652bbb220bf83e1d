"""Patterns of policies: the wildcards * and ?, policy variables, and how they match actions, ARNs and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]
"""Context keys by lower-case name; a key with no value counts as absent."""

_VARIABLE = re.compile(
    r"\$\{\s*(?:([*?$])|([^\s,{}$'\"](?:[^,{}$'\"]*[^\s,{}$'\"])?)\s*(?:,\s*(?:'([^']*)'|\"([^\"]*)\")\s*)?)\s*\}"
)


class Wildcard(Enum):
    """The two wildcards: any run of characters, and any one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Variable:
    """A policy variable: `${aws:username}`, or with a default value `${aws:username, 'nobody'}`."""

    key: str
    default: str | None = None

    def value(self, context: Context) -> str | None:
        """Return the request's value: the only one of its key, or the default; None when neither is there."""
        values = context.get(self.key, ())
        return values[0] if len(values) == 1 else self.default


Token = str | Wildcard | Variable


def tokens(text: str, *, variables: bool, wildcards: bool) -> tuple[Token, ...]:
    """Split a pattern into literal text, wildcards and policy variables; `${*}`, `${?}` and `${$}` are literal text."""
    found: list[Token] = []
    position = 0
    if variables and "${" in text:
        for match in _VARIABLE.finditer(text):
            found += _plain(text[position : match.start()], wildcards)
            literal, key, single, double = match.groups()
            default = single if single is not None else double
            found.append(literal if literal else Variable(key.lower(), default))
            position = match.end()
    found += _plain(text[position:], wildcards)
    return tuple(found)


def _plain(text: str, wildcards: bool) -> list[Token]:
    if not wildcards:
        return [text] if text else []
    return [Wildcard(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text) if part]


class Patterns:
    """Several patterns of one element, compiled; a text matches when one of them does.

    `segmented` patterns are ARNs: wildcards stay inside each of the first five colon-separated components; in the last
    component they match anything, and a pattern of fewer components that ends in * matches all that may follow.
    `fold` ignores case. `keys` are the lower-case names of the policy variables in them.
    """

    __slots__ = ("_everything", "_exact", "_fold", "_globs", "_prefixes", "_templates", "keys")

    def __init__(
        self,
        texts: Iterable[str],
        *,
        variables: bool = False,
        wildcards: bool = True,
        segmented: bool = False,
        fold: bool = False,
    ) -> None:
        self._everything, self._fold = False, fold
        exact: set[str] = set()
        prefixes: list[str] = []
        globs: list[Callable[[str], object]] = []
        templates: list[tuple[str | Variable, ...]] = []
        keys: set[str] = set()
        for text in texts:
            parts = tokens(text.lower() if fold else text, variables=variables, wildcards=wildcards)
            named = {part.key for part in parts if isinstance(part, Variable)}
            keys |= named
            if named:
                templates.append(_expression(parts, segmented))
            elif parts == (Wildcard.ANY,):
                self._everything = True
            elif not any(isinstance(part, Wildcard) for part in parts):
                exact.add("".join(map(str, parts)))
            elif len(parts) == 2 and isinstance(parts[0], str) and parts[1] is Wildcard.ANY:
                prefixes.append(parts[0])
            else:
                globs.append(_compiled("".join(map(str, _expression(parts, segmented)))))
        self._exact, self._prefixes = frozenset(exact), tuple(prefixes)
        self._globs, self._templates, self.keys = tuple(globs), tuple(templates), frozenset(keys)

    def match(self, text: str, context: Context) -> bool:
        """Tell whether one of the patterns matches; one with a variable that has no value matches nothing."""
        if self._everything:
            return True
        if self._fold:
            text = text.lower()
        if text in self._exact or (self._prefixes and text.startswith(self._prefixes)):
            return True
        for glob in self._globs:
            if glob(text):
                return True
        return any(self._filled(template, text, context) for template in self._templates)

    def _filled(self, template: tuple[str | Variable, ...], text: str, context: Context) -> bool:
        parts = []
        for part in template:
            if isinstance(part, Variable):
                value = part.value(context)
                if value is None:
                    return False
                parts.append(re.escape(value.lower() if self._fold else value))
            else:
                parts.append(part)
        return bool(_compiled("".join(parts))(text))


@lru_cache(4096)
def _compiled(expression: str) -> Callable[[str], object]:
    return re.compile(expression, re.DOTALL).fullmatch


def _expression(parts: tuple[Token, ...], segmented: bool) -> tuple[str | Variable, ...]:
    """Return a regular expression in pieces around the variables; its atomic groups keep matching linear."""
    if not segmented:
        return _glob(list(parts), ".")
    components: list[list[Token]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            components[-1].append(part)
            continue
        first, *others = part.split(":", max(0, 6 - len(components)))
        components[-1].append(first)
        components.extend([other] for other in others)
    pieces: list[str | Variable] = []
    for number, component in enumerate(components, 1):
        pieces += [":"] if number > 1 else []
        pieces += _glob(component, "." if number == len(components) else "[^:]")
    return tuple(pieces)


def _glob(parts: list[Token], character: str) -> tuple[str | Variable, ...]:
    pieces: list[str | Variable] = []
    stars = [index for index, part in enumerate(parts) if part is Wildcard.ANY]
    for index, part in enumerate(parts):
        if part is Wildcard.ANY:
            if index == stars[-1]:
                pieces.append(f"{'' if index == stars[0] else ')'}{character}*")
            else:
                pieces.append(f"{'' if index == stars[0] else ')'}(?>{character}*?")
        elif part is Wildcard.ONE:
            pieces.append(character)
        else:
            pieces.append(re.escape(part) if isinstance(part, str) else part)
    return tuple(pieces)
