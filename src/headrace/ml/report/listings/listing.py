"""What a table of the report is."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN, MOST = 10, 500


@dataclass(frozen=True)
class Mark:
    """A cell that judges: `tone` is good, warn, bad, unknown or neutral, shown as an icon as well as a colour."""

    text: str
    tone: str

    @property
    def icon(self) -> str:
        """The sign that stands before the text."""
        return {"good": "✓", "warn": "!", "bad": "✕", "unknown": "?"}.get(self.tone, "–")


Cell = str | Mark


@dataclass(frozen=True)
class Listing:
    """A table: its caption, headings and rows; `numeric` are the columns to align right.

    The first `SHOWN` rows are open, the rest folds, and past `MOST` report.json has the rows.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()

    @property
    def open_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that are always seen."""
        return self.rows if len(self.rows) <= SHOWN + 2 else self.rows[:SHOWN]

    @property
    def folded_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows behind the fold."""
        return self.rows[len(self.open_rows) : MOST]

    @property
    def left_out(self) -> int:
        """How many rows only report.json has."""
        return max(0, len(self.rows) - MOST)


def listing(caption: str, headings: tuple[str, ...], rows: list[tuple[Cell, ...]], *numeric: int) -> Listing | None:
    """Make a table, or None where it would be empty."""
    return Listing(caption, headings, tuple(rows), frozenset(numeric)) if rows else None
