"""What mistakes among several classes cost, as it is written: ACTUAL:PREDICTED=MONEY, or a YAML or CSV file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from headrace.ml.errors import CharterError, OptionError

Prices = dict[str, dict[str, float]]


def parse_prices(texts: Iterable[str]) -> Prices:
    """Read `urgent:normal=50` into actual → decided → money."""
    found: Prices = {}
    for text in texts:
        mistake, _, number = text.rpartition("=")
        actual, colon, decided = (part.strip() for part in mistake.partition(":"))
        amount = _amount(number)
        if not (actual and colon and decided) or math.isnan(amount):
            raise OptionError(f"--cost '{text}' is no price of a mistake; write it as ACTUAL:PREDICTED=MONEY")
        if ":" in decided:
            raise OptionError(f"--cost '{text}' has more than one colon; give labels with colons by --costs FILE")
        if decided in found.get(actual, ()):
            raise OptionError(f"--cost {actual}:{decided} is given twice; keep one")
        found.setdefault(actual, {})[decided] = amount
    return found


def read_prices(path: Path) -> Prices:
    """Read a file: YAML, actual → decided → money as under `costs` of a charter; or CSV, a row an actual class.

    The CSV file's header names the decided classes from its second column on; empty cells say nothing.
    """
    from headrace.ml.process.business_problem.reading import read_costs, read_text

    if not path.exists():
        raise OptionError(f"--costs {path} does not exist; name a YAML or CSV file")
    try:
        return _matrix(read_text(path)) if path.suffix.lower() == ".csv" else read_costs(path)
    except CharterError as error:
        raise OptionError(f"--costs {path} {error}") from None


def merge_prices(first: Mapping[str, Mapping[str, float]], second: Mapping[str, Mapping[str, float]]) -> Prices:
    """Put the prices of `second` over those of `first`; labels that are numbers become text."""
    merged: Prices = {}
    for prices in (first, second):
        for actual, row in prices.items():
            merged.setdefault(str(actual), {}).update({str(decided): amount for decided, amount in row.items()})
    return merged


def _matrix(text: str) -> Prices:
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if any(map(str.strip, line))]
    if len(lines) < 2 or len(lines[0]) < 2:
        raise CharterError("holds no matrix; write the decided classes into its first line, and a line an actual class")
    header, found = lines[0][1:], Prices()
    for number, (actual, *cells) in enumerate(lines[1:], 2):
        if len(cells) != len(header) or actual in found or len(set(header)) < len(header):
            raise CharterError(f"has {len(cells)} prices in line {number} ('{actual}') for {len(header)} classes, or a "
                               "class twice; write each class once, and a cell for each")  # fmt: skip
        for decided, cell in zip(header, cells, strict=True):
            if cell and math.isnan(_amount(cell)):
                raise CharterError(f"has '{cell}' as the price of {actual}:{decided}; write a number such as 1250.5")
        found[actual] = {decided: _amount(cell) for decided, cell in zip(header, cells, strict=True) if cell}
    return found


def _amount(text: str) -> float:
    try:
        return float(text.strip().replace(",", ""))
    except ValueError:
        return math.nan
