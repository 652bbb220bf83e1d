"""Finding out the dialect of a delimited text."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from itertools import islice

from headrace.ml.tables.delimited.dialect import DELIMITERS, NO_DELIMITER, Dialect
from headrace.ml.tables.delimited.records import sound_share

_SPACE_PRIOR = 0.8  # spaces stand in texts and dates too
_NUMBER = re.compile(r"[+\-\u2212]?[0-9][0-9., ]*%?")
_FOREIGN = re.compile(r"[,;\t|]")
_LEAST_SCORE = 0.3
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_RECORDS = 400


def sniff(text: str) -> Dialect:
    """Find the dialect under which the text's records are most alike and their fields least mixed up.

    The idea of scoring both the pattern and the cells is that of van den Burg, Nazábal and Sutton, "Wrangling messy CSV
    files by detecting row and type patterns" (2019).
    """
    sample = _sample(text)
    best, best_score = Dialect(NO_DELIMITER, ""), 0.0
    for dialect, prior in _candidates(sample):
        width, score = _score(sample, dialect)
        if score * prior > best_score + 1e-9:
            best, best_score = replace(dialect, width=width), score * prior
    if best_score < _LEAST_SCORE:
        return Dialect(NO_DELIMITER, '"' if '"' in sample else "")
    if best.quote and f"\\{best.quote}" in sample:
        escaped = replace(best, escape="\\")
        share = sound_share(sample, escaped)
        if share > 0.95 and share > sound_share(sample, best):
            return escaped
    return best


def _sample(text: str) -> str:
    """Return the head of the text, and lines with a backslash before a quote from anywhere."""
    head = text[:_SAMPLE_CHARACTERS]
    if len(head) == len(text):
        return text
    head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    position = text.find('\\"', len(head))
    for _ in range(20):
        if position < 0:
            break
        start, end = text.rfind("\n", 0, position) + 1, text.find("\n", position)
        end = len(text) if end < 0 else end
        head += text[start:end] + "\n"
        position = text.find('\\"', end)
    return head


def _candidates(sample: str) -> list[tuple[Dialect, float]]:
    found = []
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        prior = _SPACE_PRIOR if delimiter == " " else 1.0
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
    return found


def _score(sample: str, dialect: Dialect) -> tuple[int, float]:
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
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
