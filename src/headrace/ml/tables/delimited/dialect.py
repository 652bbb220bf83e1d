"""Finding out how a delimited text is written: its delimiter, quotation mark and escapes."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

_DELIMITERS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, " ": 0.8}
_NUMBER = re.compile(r"[+\-\u2212]?[0-9][0-9., ]*%?")
_FOREIGN = re.compile(r"[,;\t|]")
_NO_DELIMITER = "\x1f"  # ASCII's unit separator: a single column
_TITLES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_RECORDS = 400


@dataclass(frozen=True)
class Dialect:
    """How fields are set apart; `quote` and `escape` are empty where there are none, `width` is the usual count of fields."""

    delimiter: str
    quote: str
    escape: str = ""
    skip_spaces: bool = False
    width: int = 1

    def describe(self) -> str:
        """Say it in words."""
        if self.delimiter == _NO_DELIMITER:
            return "there is a single column"
        quote = f", quoted with {self.quote}" if self.quote not in ("", '"') else ""
        escape = f", escaped with {self.escape}" if self.escape else ""
        return f"fields are separated by {_TITLES[self.delimiter]}{quote}{escape}"


def sniff(text: str) -> Dialect:
    """Find the dialect under which the text's records are most alike and their fields least mixed up.

    The idea of scoring both the pattern and the cells is that of van den Burg, Nazábal and Sutton, "Wrangling messy CSV
    files by detecting row and type patterns" (2019).
    """
    sample = _sample(text)
    best, best_score = Dialect(_NO_DELIMITER, ""), 0.0
    for dialect, prior in _candidates(sample):
        width, score = _score(sample, dialect)
        if score * prior > best_score + 1e-9:
            best = Dialect(dialect.delimiter, dialect.quote, dialect.escape, dialect.skip_spaces, width)
            best_score = score * prior
    return best if best_score >= 0.3 else Dialect(_NO_DELIMITER, '"' if '"' in sample else "")


def _sample(text: str) -> str:
    head = text[:_SAMPLE_CHARACTERS]
    if len(head) < len(text):
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    for found in islice(re.finditer(r'[^\n]*\\["\'][^\n]*\n', text[len(head) :][: 1 << 24]), 20):
        head += found[0]
    return head


def _candidates(sample: str) -> list[tuple[Dialect, float]]:
    found = []
    for delimiter, prior in _DELIMITERS.items():
        if delimiter not in sample:
            continue
        edge = re.escape(delimiter)
        for quote in ('"', "'"):
            if quote == "'" and not re.search(f"(?:^|{edge} ?)'[^'\n]*'(?:{edge}|$)", sample, re.MULTILINE):
                continue
            if quote not in sample:
                found.append((Dialect(delimiter, "", skip_spaces=delimiter == " "), prior))
                continue
            preference = prior if quote == '"' else prior * 0.99
            spaced = delimiter == " " or f"{delimiter} {quote}" in sample
            found.append((Dialect(delimiter, quote, skip_spaces=spaced), preference))
            if f"\\{quote}" in sample:
                found.append((Dialect(delimiter, quote, "\\", spaced), preference * 0.999))
    return found


def _score(sample: str, dialect: Dialect) -> tuple[int, float]:
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=not dialect.escape,
        escapechar=dialect.escape or None,
        skipinitialspace=dialect.skip_spaces,
    )
    try:
        records = [record for record in islice(reader, _SAMPLE_RECORDS) if any(record)]
    except csv.Error:
        return 1, 0.0
    if dialect.delimiter == " ":
        records = [record[:-1] if record[-1] == "" else record for record in records]
    widths = Counter(map(len, records))
    if not widths:
        return 1, 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width < 2:
        return 1, 0.0
    cells = [cell for record in records if len(record) == width for cell in record[:50]][:4000]
    clean = sum(_is_clean(cell, dialect.quote) for cell in cells) / len(cells)
    return width, count / len(records) * (0.2 + 0.8 * clean)


def _is_clean(cell: str, quote: str) -> bool:
    if _NUMBER.fullmatch(cell):
        return True
    other = "'" if quote == '"' else '"'
    if len(cell) > 1 and cell[0] == cell[-1] == other:
        return False
    return _FOREIGN.search(cell) is None
