"""An HTTP request as it came in, and the answer that leaves: what every door reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    `path` and `query` are the raw, still percent-encoded text of the request line; `headers` are (lower-case name,
    value) in the order they came; `body` is None while a streaming body has not been read. `notes` is where a door
    keeps what it has understood so far.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = b""
    client: str = ""
    secure: bool = False
    request_id: str = ""
    notes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def header(self) -> Mapping[str, str]:
        """The headers by lower-case name; repeated ones are joined with commas."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined

    @cached_property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The query's pairs, decoded once, blank values kept."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))


@dataclass
class Response:
    """One answer: `body` is the whole of it, or an iterator of blocks that are sent as they come."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""
