"""How a delimited text is written."""

from __future__ import annotations

from dataclasses import dataclass

NO_DELIMITER = "\x1f"  # ASCII's unit separator: a single column
DELIMITERS = (",", ";", "\t", "|", " ")
_TITLES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}


@dataclass(frozen=True)
class Dialect:
    """How fields are set apart; `quote` and `escape` may be empty, `width` is the usual count of fields."""

    delimiter: str
    quote: str
    escape: str = ""
    skip_spaces: bool = False
    width: int = 1

    def describe(self) -> str:
        """Say it in words."""
        if self.delimiter == NO_DELIMITER:
            return "there is a single column"
        quote = f", quoted with {self.quote}" if self.quote not in ("", '"') else ""
        escape = f", escaped with {self.escape}" if self.escape else ""
        return f"fields are separated by {_TITLES[self.delimiter]}{quote}{escape}"
