"""Patterns in braces: conditions on JSON messages, `{ $.status = 500 && $.user.name = "a*" }`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns.expressions import MISSING, Parser
from headrace.server.operations.logs.patterns.matches import Match, Matcher

STEP = re.compile(r"\.([\w@#-]+)|\.?\[\s*(?:(\d+)|(\*)|'([^']*)'|\"([^\"]*)\")\s*\]")


def document_pattern(text: str) -> Matcher:
    """Return the matcher of a pattern in braces; messages that are not JSON never match."""
    if not text.endswith("}"):
        raise InvalidInput("the brace is not closed")
    parser = Parser(text[1:-1].strip())
    if not parser.tokens:
        raise InvalidInput("nothing is asked between the braces")
    condition = parser.whole()
    bad = next((selector for selector in parser.selectors if not selector.startswith("$")), None)
    if bad is not None:
        raise InvalidInput(f"fields of JSON begin with $, {bad!r} doesn't")
    selectors = tuple(dict.fromkeys(parser.selectors))

    def match(message: str) -> Match | None:
        try:
            document = json.loads(message) if "{" in message or "[" in message else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict | list) or not condition(finder(document)):
            return None
        find = finder(document)
        return Match(lambda selector: None if (value := find(selector)) is MISSING else value, selectors)

    return match


def finder(document: Any) -> Callable[[str], Any]:
    """Return the function that finds what a selector chooses in a document, or MISSING."""
    return lambda selector: _follow(document, _steps(selector))


@lru_cache(maxsize=1024)
def _steps(selector: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for name, index, star, single, double in STEP.findall(selector[1:]):
        steps.append(int(index) if index else "*" if star else name or single or double)
    return tuple(steps)


def _follow(value: Any, steps: tuple[str | int, ...]) -> Any:
    for place, step in enumerate(steps):
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else MISSING
        elif isinstance(value, list) and step == "*":
            found = [_follow(each, steps[place + 1 :]) for each in value]
            return next((each for each in found if each is not MISSING), MISSING)
        else:
            return MISSING
    return value
