"""Patterns in brackets: conditions on the fields between spaces, `[ip, user, ..., status = 4*, size > 1000]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns.expressions import MISSING, Condition, Parser
from headrace.server.operations.logs.patterns.matches import Match, Matcher

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|[^,"%])*')
ANYTHING = "..."


@dataclass(frozen=True)
class Field:
    """One field of a pattern: its name, and what it must be."""

    name: str
    condition: Condition | None


def field_pattern(text: str) -> Matcher:
    """Return the matcher of a pattern in brackets: as many fields as the message has, `...` standing for any number."""
    if not text.endswith("]"):
        raise InvalidInput("the bracket is not closed")
    parts = [part.strip() for part in _split(text[1:-1])]
    if parts.count(ANYTHING) > 1:
        raise InvalidInput("... may stand there once")
    split = parts.index(ANYTHING) if ANYTHING in parts else None
    fields = [_field(part, number) for number, part in enumerate(parts, 1) if part != ANYTHING]

    def match(message: str) -> Match | None:
        words = [next(group for group in found.groups() if group is not None) for found in WORD.finditer(message)]
        if len(words) < len(fields) or (split is None and len(words) != len(fields)):
            return None
        chosen = words if split is None else words[:split] + words[len(words) - (len(fields) - split) :]
        named = {f"${each.name}": word for each, word in zip(fields, chosen, strict=True)}

        def find(name: str) -> object:
            return named.get(name if name.startswith("$") else f"${name}", MISSING)

        if not all(each.condition is None or each.condition(find) for each in fields):
            return None
        return Match(named.get, tuple(named))

    return match


def _split(text: str) -> list[str]:
    parts, place = [], 0
    while True:
        found = PART.match(text, place)
        if found is None:
            raise InvalidInput(f"{text[place:][:40]!r} can't be read")
        parts.append(found[0])
        place = found.end()
        if place == len(text):
            return parts
        if text[place] != ",":
            raise InvalidInput(f"{text[place:][:40]!r} can't be read")
        place += 1


def _field(text: str, number: int) -> Field:
    if not text:
        return Field(str(number), None)
    parser = Parser(text)
    kind, name = parser.tokens[0]
    if len(parser.tokens) == 1 and kind == "word":
        return Field(name, None)
    condition = parser.whole()
    names = set(parser.selectors)
    if len(names) != 1:
        raise InvalidInput(f"the conditions of one field name several: {', '.join(sorted(names))}")
    return Field(names.pop().removeprefix("$"), condition)
