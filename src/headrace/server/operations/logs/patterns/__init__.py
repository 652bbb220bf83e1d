"""Filter patterns of CloudWatch Logs; source: AWS, "Filter pattern syntax for metric filters, …"."""

from __future__ import annotations

from functools import lru_cache

from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.patterns.documents import document_pattern
from headrace.server.operations.logs.patterns.fields import field_pattern
from headrace.server.operations.logs.patterns.matches import Match, Matcher
from headrace.server.operations.logs.patterns.terms import term_pattern

__all__ = ["Match", "Matcher", "pattern_of"]


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Matcher:
    """Return what tells of a message what the pattern finds in it, or None; raises InvalidInput on a broken pattern.

    `{…}` asks JSON messages, `[…]` fields between spaces, anything else is terms.
    """
    stripped = text.strip()
    try:
        if stripped.startswith("{"):
            return document_pattern(stripped)
        if stripped.startswith("["):
            return field_pattern(stripped)
        return term_pattern(stripped)
    except InvalidInput as error:
        raise InvalidInput(f"Invalid filter pattern: {error.message}") from None
