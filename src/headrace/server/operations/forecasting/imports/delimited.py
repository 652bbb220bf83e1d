"""Rows of CSV as they stand in a file, for what a fast reader does not tell."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from headrace.server.operations.training.channels import DataError

LONGEST_FIELD = 1 << 20


def first_lines(path: Path, uri: str, count: int | None = None) -> Iterator[list[str]]:
    """Yield rows from the first on, blank ones as empty lists; raises DataError where they are no text of UTF-8."""
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from islice(csv.reader(file), count)
    except UnicodeDecodeError:
        raise DataError(
            f"{uri} is not text in UTF-8; write it as CSV in UTF-8, or give the Format that it has"
        ) from None
    except csv.Error as error:
        raise DataError(f"{uri} is not CSV that can be read: {error}") from None


def find_ragged(path: Path, uri: str, fields: int) -> tuple[int, int] | None:
    """Return the number, from 1, of the first row with another number of fields, and that number; None without one."""
    for row, found in enumerate(first_lines(path, uri), 1):
        if found and len(found) != fields:
            return row, len(found)
    return None
