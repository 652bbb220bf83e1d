"""Writes of one turn of the event loop, joined."""

from __future__ import annotations

import asyncio
from typing import Any


class Joining:
    """A transport whose writes of one turn of the loop leave together: head and body of an answer are one packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._blocks: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write a block at the end of this turn."""
        if not self._blocks:
            self._loop.call_soon(self._flush)
        self._blocks.append(data)

    def close(self) -> None:
        """Write what is left, then close."""
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that have not left yet."""
        return self._transport.get_write_buffer_size() + sum(map(len, self._blocks))

    def _flush(self) -> None:
        if self._blocks:
            blocks, self._blocks = self._blocks, []
            self._transport.write(b"".join(blocks))
