"""The models' patterns, which are written for Java, as patterns of the `regex` package with a time limit."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import regex

TIME_LIMIT = 0.1
_STEPS = 100_000
_SHORT = 128
_CLASSES = {"w": "a-zA-Z0-9_", "d": "0-9", "s": " \\t\\n\\x0b\\f\\r", "h": " \\t"}
_SURROGATES = "\\uD800\\uDC00-\\uDBFF\\uDFFF"
_REWRITTEN = ((_SURROGATES, "\\U00010000-\\U0010FFFF"), ("[\\p{all}]", "[\\s\\S]"), ("\\p{LD}", "[\\p{L}\\p{Nd}]"))


class _Compiled(NamedTuple):
    """A pattern; `quantifiers` is the power of a text's length that bounds its work, None where nothing does."""

    expression: regex.Pattern[str]
    quantifiers: int | None


def matches(pattern: str, text: str, *, secret: bool = False) -> bool:
    """Tell whether the whole text matches; a search that takes longer than the time limit (seconds) does not.

    The clock costs more than most searches, so that it runs only where the work is not bounded by the text's length,
    and once for short texts that come again and are not `secret`.
    """
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    if compiled.quantifiers is not None and len(text) ** compiled.quantifiers <= _STEPS:
        return compiled.expression.fullmatch(text) is not None
    return (_in_time if secret or len(text) > _SHORT else _in_time_again)(compiled.expression, text)


def _in_time(expression: regex.Pattern[str], text: str) -> bool:
    try:
        return expression.fullmatch(text, timeout=TIME_LIMIT) is not None
    except TimeoutError:
        return False


_in_time_again = lru_cache(1024)(_in_time)


@cache
def _compiled(pattern: str) -> _Compiled | None:
    for old, new in _REWRITTEN:
        pattern = pattern.replace(old, new)
    pattern = regex.sub(r"\\x\{([0-9a-fA-F]{1,8})\}", lambda found: f"\\U{int(found[1], 16):08X}", pattern)
    bare = regex.sub(r"\\.|\[[^\]]*\]", "x", pattern)
    quantifiers = None if regex.search(r"\)[*+{]", bare) else len(regex.findall(r"[*+{]", bare))
    try:
        return _Compiled(regex.compile(_ascii_classes(pattern)), quantifiers)
    except regex.error:
        return None


def _ascii_classes(pattern: str) -> str:
    """Spell out Java's character classes, which know ASCII only."""
    written = []
    within, position = False, 0
    while position < len(pattern):
        character = pattern[position]
        following = pattern[position + 1 : position + 2]
        if character == "\\":
            members = _CLASSES.get(following)
            written.append(character + following if members is None else members if within else f"[{members}]")
            position += 2
            continue
        within = character == "[" or (within and character != "]")
        written.append(character)
        position += 1
    return "".join(written)
