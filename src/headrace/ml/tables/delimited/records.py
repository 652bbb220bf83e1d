"""Splitting delimited text into records with care: stray quotes, escapes, and line breaks inside quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from headrace.ml.tables.delimited.dialect import Dialect


class Record(NamedTuple):
    """One record: its fields, the line (1-based) it begins in, and its text."""

    fields: list[str]
    line: int
    text: str


def split_records(text: str, dialect: Dialect) -> Iterator[Record]:
    """Yield the records of `text`, whose line breaks are all line feeds; empty lines are passed over.

    A quotation mark that does not close properly is taken as a character of its field, if that gives the usual width.
    """
    splitter = _Splitter(dialect)
    position, line = 0, 1
    while position < len(text):
        stop = text.find("\n", position)
        stop = len(text) if stop < 0 else stop
        fields, end = splitter.record(text, position, stop)
        if stop > position:
            yield Record(fields, line, text[position : end - 1])
        line += 1 if end == stop + 1 else text.count("\n", position, end)
        position = end


def split_line(line: str, dialect: Dialect) -> list[str]:
    """Split one line into fields; quotation marks that do not close properly are characters like any other."""
    return _Splitter(dialect).line(line, lenient=False)


def sound_share(text: str, dialect: Dialect) -> float:
    """Return the share of records whose quotes all open and close properly and which have the dialect's width."""
    splitter = _Splitter(dialect)
    position, sound, count = 0, 0, 0
    while position < len(text):
        record = splitter.strict(text, position)
        sound += record is not None and len(record[0]) == dialect.width
        count += 1
        position = record[1] if record else text.find("\n", position) + 1 or len(text)
    return sound / max(1, count)


class _Splitter:
    """The scanner of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.delimiter, self.quote, self.escape = dialect.delimiter, dialect.quote, dialect.escape
        self.skip_spaces, self.width = dialect.skip_spaces, dialect.width
        quote, edge = re.escape(self.quote), re.escape(self.delimiter)
        self.boundary = re.compile(f"[{edge}\n]")
        field = f"(?:{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}|[^{quote}{edge}]*)"
        by_the_book = self.quote == '"' and not self.escape and not self.skip_spaces
        self.sound = re.compile(f"{field}(?:{edge}{field})*") if by_the_book else None
        self.closing = re.compile(f"{quote}(?= *(?:{edge}|$))")

    def record(self, text: str, start: int, stop: int) -> tuple[list[str], int]:
        """Read the record at `start`, in a line ending at `stop`; returns its fields and where the next begins."""
        line = text[start:stop]
        if (not self.quote or self.quote not in line) and (not self.escape or self.escape not in line):
            return self.plain(line), stop + 1
        if self.sound and len(line) < csv.field_size_limit() and self.sound.fullmatch(line):
            return next(csv.reader([line], delimiter=self.delimiter, quotechar=self.quote)), stop + 1
        strict = self.strict(text, start)
        if strict is not None:
            fields, end = strict
            if len(fields) == self.width and (end <= stop + 1 or not self.stand_alone(text[start : end - 1])):
                return strict
        for lenient in (True, False):
            fields = self.line(line, lenient=lenient)
            if len(fields) == self.width:
                return fields, stop + 1
        return strict or (self.line(line, lenient=False), stop + 1)

    def plain(self, line: str) -> list[str]:
        """Split a line that has neither quotes nor escapes."""
        if self.delimiter == " ":
            return line.split()
        fields = line.split(self.delimiter)
        return [field.lstrip(" ") for field in fields] if self.skip_spaces else fields

    def stand_alone(self, text: str) -> bool:
        """Whether every line of a record over several lines would be a full record by itself, its quotes being text."""
        return all(len(line.split(self.delimiter)) == self.width for line in text.split("\n"))

    def strict(self, text: str, position: int) -> tuple[list[str], int] | None:
        """Read a record by the book, over line breaks inside quotes; None where a quote does not close properly."""
        fields: list[str] = []
        while True:
            position = self.skipped(text, position)
            if self.quote and text.startswith(self.quote, position):
                quoted = self.quoted(text, position)
                if quoted is None:
                    return None
                field, position = quoted
            else:
                field, position = self.unquoted(text, position)
            fields.append(field)
            if position >= len(text) or text[position] == "\n":
                return self.finished(fields), position + 1
            position += 1

    def skipped(self, text: str, position: int) -> int:
        while self.skip_spaces and text.startswith(" ", position):
            position += 1
        return position

    def finished(self, fields: list[str]) -> list[str]:
        return fields[:-1] if self.delimiter == " " and len(fields) > self.width and fields[-1] == "" else fields

    def quoted(self, text: str, position: int) -> tuple[str, int] | None:
        """Read a quoted field; returns it and the position of the delimiter or line break behind it."""
        parts, start = [], position + 1
        while True:
            mark = text.find(self.quote, start)
            if mark < 0:
                return None
            if self.escape and self.escaped(text, start, mark):
                parts.append(text[start : mark - 1] + self.quote)
                start = mark + 1
            elif text.startswith(self.quote, mark + 1) and not self.escape:
                parts.append(text[start : mark + 1])
                start = mark + 2
            else:
                parts.append(text[start:mark])
                break
        position = mark + 1
        while text.startswith(" ", position) and self.delimiter != " ":
            position += 1
        if position < len(text) and text[position] not in (self.delimiter, "\n"):
            return None
        return self.unswapped("".join(parts)), position

    def unswapped(self, field: str) -> str:
        """In single-quoted fields a doubled double quote is one: the marks were exchanged, the doubling was not."""
        return field.replace('""', '"') if self.quote == "'" else field

    def escaped(self, text: str, start: int, mark: int) -> bool:
        before = len(text[start:mark]) - len(text[start:mark].rstrip(self.escape))
        return before % 2 == 1

    def unquoted(self, text: str, position: int) -> tuple[str, int]:
        found = self.boundary.search(text, position)
        while found and self.escape and text[position : found.start()].endswith(self.escape):
            found = self.boundary.search(text, found.end())
        end = found.start() if found else len(text)
        field = text[position:end]
        return (field.replace(self.escape + self.delimiter, self.delimiter) if self.escape else field), end

    def line(self, line: str, *, lenient: bool) -> list[str]:
        """Split one line; `lenient` lets a quote close only before a delimiter: quotes inside need no doubling."""
        fields: list[str] = []
        position = 0
        while True:
            position = self.skipped(line, position)
            field = None
            if self.quote and line.startswith(self.quote, position):
                closing = self.closing.search(line, position + 1) if lenient else None
                if closing:
                    field = self.unswapped(line[position + 1 : closing.start()].replace(self.quote * 2, self.quote))
                    position = self.skipped_to_delimiter(line, closing.end())
                elif quoted := self.quoted(line, position):
                    field, position = quoted
            if field is None:
                field, position = self.unquoted(line, position)
            fields.append(field)
            if position >= len(line):
                return self.finished(fields)
            position += 1

    def skipped_to_delimiter(self, line: str, position: int) -> int:
        found = self.boundary.search(line, position)
        return found.start() if found else len(line)
