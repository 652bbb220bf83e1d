"""The models' patterns, which are written for Java, as patterns of the `regex` package with a time limit."""

from __future__ import annotations

from functools import cache

import regex

TIME_LIMIT = 0.1
_CLASSES = {"w": "a-zA-Z0-9_", "d": "0-9", "s": " \\t\\n\\x0b\\f\\r", "h": " \\t"}
_SURROGATES = "\\uD800\\uDC00-\\uDBFF\\uDFFF"
_REWRITTEN = ((_SURROGATES, "\\U00010000-\\U0010FFFF"), ("[\\p{all}]", "[\\s\\S]"), ("\\p{LD}", "[\\p{L}\\p{Nd}]"))


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text matches; a search that takes longer than the time limit (seconds) does not."""
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    try:
        return compiled.fullmatch(text, timeout=TIME_LIMIT) is not None
    except TimeoutError:
        return False


@cache
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    for old, new in _REWRITTEN:
        pattern = pattern.replace(old, new)
    pattern = regex.sub(r"\\x\{([0-9a-fA-F]{1,8})\}", lambda found: f"\\U{int(found[1], 16):08X}", pattern)
    try:
        return regex.compile(_ascii_classes(pattern))
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
