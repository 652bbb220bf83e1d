"""Finding the names of the columns: is there a header, over how many rows, and what does it say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from headrace.ml.errors import ColumnError

Row = Sequence[str]
_NUMBER = re.compile(
    r"[+\-\u2212(]?[$€£]? ?[0-9][0-9., ]*(?:[eE][+\-]?[0-9]+)?[%)]?|[+\-]?\.[0-9]+|nan|inf", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_MOST_HEADER_ROWS = 4


def looks_numeric(cell: str) -> bool:
    """Whether a cell reads as a number, with currency, percent or separators."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def shape(cell: str) -> str:
    """Return the shape of a cell: `9` for a number, else its runs of digits and letters: `AB-12` is `a-9`."""
    cell = cell.strip()
    if looks_numeric(cell):
        return "9"
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"[0-9]+", "9", cell))


def count_header_rows(rows: Sequence[Row]) -> int:
    """Judge from the first rows of a table how many of them are its header: 0, 1 or more."""
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return 0
    first = rows[0]
    if len(rows) == 1:
        return 0 if any(looks_numeric(cell) for cell in first) else 1
    if _header_votes(first, [row for row in rows if row != first]) <= 0:
        return 0
    count = 1
    while count < min(_MOST_HEADER_ROWS, len(rows) - 1) and _continues(rows[:count], rows[count], rows[count + 1 :]):
        count += 1
    return count


def _header_votes(first: Row, below: Sequence[Row]) -> int:
    votes = 0
    for index, cell in enumerate(first):
        given = [row[index] for row in below if row[index]]
        if not cell or not given:
            continue
        if looks_numeric(cell):
            numeric_below = sum(map(looks_numeric, given)) > len(given) / 2
            a_year = _YEAR.fullmatch(cell) is not None and not all(_YEAR.fullmatch(value) for value in given)
            votes += 1 if a_year and numeric_below else -1
        elif sum(map(looks_numeric, given)) > len(given) / 2:
            votes += 2
        elif cell in given:
            votes -= 2
        else:
            shapes = {shape(value) for value in given}
            if len(shapes) <= max(1, len(given) // 4):
                votes += 1 if shape(cell) not in shapes else 0
    if votes == 0:  # all text, and nothing speaks against a header
        named = [cell for cell in first if cell]
        unlike_names = any(looks_numeric(name) or re.search(r"\w ?[.!?]$", name) for name in named)
        return int(len(set(named)) == len(named) and not unlike_names)
    return votes


def _continues(header: Sequence[Row], row: Row, below: Sequence[Row]) -> bool:
    """Whether `row` goes on with a header over several rows: it repeats it, or names parts of its merged cells."""
    if row == header[0]:
        return True
    columns = [index for index, cell in enumerate(row) if cell]
    merged = header[0].count("") >= 0.2 * len(row)
    if not merged or len(columns) < 2 or not below or any(looks_numeric(row[index]) for index in columns):
        return False
    numeric = sum(sum(looks_numeric(other[index]) for other in below) >= len(below) / 2 for index in columns)
    return numeric > len(columns) / 2


def join_header(rows: Sequence[Row]) -> list[str]:
    """Join a header over several rows into one: a merged cell's name stands before those of its parts."""
    parts: list[list[str]] = [[] for _ in rows[0]]
    fresh = [True] * len(parts)  # where an upper row begins a new group, a lower one's group ends
    for level, row in enumerate(rows):
        label = ""
        for index, cell in enumerate(row):
            cell = cell.strip()
            group_begins = level > 0 and fresh[index]
            label = cell if cell or group_begins else label
            spanned = any(lower[index].strip() for lower in rows[level + 1 :])
            if cell or (spanned and label):
                parts[index].append(cell or label)
            fresh[index] = bool(cell) if level == 0 else fresh[index] or bool(cell)
    return [" ".join(part) for part in parts]


def name_columns(header: Row, source: str) -> list[str]:
    """Return stripped names, `column_N` for blank ones; names given twice raise `ColumnError`."""
    names = [name.strip() for name in header]
    names = [name or f"column_{position}" for position, name in enumerate(names, 1)]
    check_names(names, source)
    return names


def check_names(names: Sequence[str], source: str) -> None:
    """Raise `ColumnError` where a name is given to several columns."""
    if len(set(names)) == len(names):
        return
    twice = [name for name, count in Counter(names).items() if count > 1]
    more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
    positions = ", ".join(str(position) for position, name in enumerate(names, 1) if name == twice[0])
    raise ColumnError(
        f"'{source}' has several columns named {', '.join(repr(name) for name in twice[:5])}{more} "
        f"({twice[0]!r} at positions {positions}); rename them so that every name is there once"
    )
