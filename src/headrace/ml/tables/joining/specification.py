"""What `--join` says: a table, the keys it is joined on, and where its time stands."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.ml.errors import OptionError
from headrace.ml.tables.table import shown_source


@dataclass(frozen=True)
class JoinRequest:
    """One `--join`: `keys` pairs a column of the main table with one of the joined table."""

    source: str
    keys: tuple[tuple[str, str], ...]
    time: str | None = None

    @property
    def text(self) -> str:
        """Return it as it is written after `--join`."""
        keys = ",".join(left if left == right else f"{left}={right}" for left, right in self.keys)
        return f"{self.source}:{keys}{f'@{self.time}' if self.time else ''}"


def parse_join(text: str) -> JoinRequest:
    """Read `TABLE:KEY`, `TABLE:KEY,KEY`, `TABLE:LEFT=RIGHT` or any of them with `@TIME` behind.

    >>> parse_join("payments.parquet:customer_id=id@paid_at")
    JoinRequest(source='payments.parquet', keys=(('customer_id', 'id'),), time='paid_at')
    """
    source, mark, rest = text.rpartition(":")
    if not mark or not source or rest.startswith("//"):
        example = text.rstrip(":") or "calls.csv"
        raise OptionError(f"--join '{text}' names no key; write {example}:KEY, where KEY is a column of both tables")
    names, at, time = rest.partition("@")
    keys = []
    for part in names.split(","):
        left, equals, right = part.partition("=")
        left, right = left.strip(), (right if equals else left).strip()
        if not left or not right:
            raise OptionError(f"--join '{text}' has an empty key; write {source}:KEY, or {source}:LEFT=RIGHT")
        keys.append((left, right))
    if at and not time.strip():
        raise OptionError(
            f"--join '{text}' names no time column after @; write {source}:{names}@COLUMN, or leave @ out"
        )
    if len(set(keys)) < len(keys):
        raise OptionError(f"--join '{text}' names a key twice; name each once")
    return JoinRequest(source, tuple(keys), time.strip() or None)


def source_name(source: str) -> str:
    """Return the name of a table without folder, user and options.

    >>> source_name("/data/calls.csv")
    'calls.csv'
    """
    return shown_source(source).rpartition("/")[2]


def source_stem(source: str) -> str:
    """Return the name without what stands behind a dot: what columns made of the table begin with.

    >>> source_stem("/data/calls.csv.gz")
    'calls'
    """
    return source_name(source).partition(".")[0].rpartition("#")[2]
