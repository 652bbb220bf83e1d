r"""Patterns of terms: `ERROR "out of memory" -retry`, `?WARN ?ERROR`, `%[45]\d\d%`."""

from __future__ import annotations

import re
from collections.abc import Callable

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns.expressions import expression_of
from headrace.server.operations.logs.patterns.matches import Match, Matcher, nothing

TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s"%]+))')
FOUND = Match(nothing)


def term_pattern(text: str) -> Matcher:
    """Return the matcher of terms: all must be there, -terms must not, and of ?terms alone one suffices."""
    needed: list[Callable[[str], bool]] = []
    excluded: list[Callable[[str], bool]] = []
    optional: list[Callable[[str], bool]] = []
    place = 0
    while place < len(text):
        found = TERM.match(text, place)
        if found is None:
            raise InvalidInput(f"{text[place:][:40]!r} can't be read; put terms with special characters into quotes")
        place = found.end()
        {"": needed, "-": excluded, "?": optional}[found[1]].append(_test(found))
    if needed or excluded:
        optional = []

    def match(message: str) -> Match | None:
        if any(test(message) for test in excluded) or not all(test(message) for test in needed):
            return None
        return FOUND if not optional or any(test(message) for test in optional) else None

    return match


def _test(found: re.Match[str]) -> Callable[[str], bool]:
    if found[3] is not None:
        return expression_of(found[3])
    term = found[2].replace('\\"', '"').replace("\\\\", "\\") if found[2] is not None else found[4]
    return lambda message: term in message
