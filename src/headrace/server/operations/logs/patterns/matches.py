"""What a pattern found in a message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Match:
    """A message that matched: `find` gives the value of a selector ("$.latency", "$status"), `named` those to show."""

    find: Callable[[str], Any]
    named: Iterable[str] = ()

    def value(self, selector: str) -> Any:
        """Return the value that a selector chooses of the message, or None."""
        return self.find(selector)

    def values(self) -> dict[str, str]:
        """Return the values that the pattern speaks of, as text."""
        found: Mapping[str, Any] = {name: self.find(name) for name in self.named}
        return {name: as_text(value) for name, value in found.items() if value is not None}


Matcher = Callable[[str], Match | None]


def nothing(selector: str) -> None:
    """Find nothing: what terms extract."""
    del selector


def as_text(value: Any) -> str:
    """Return a value as patterns compare and show it."""
    return value if isinstance(value, str) else json.dumps(value)
