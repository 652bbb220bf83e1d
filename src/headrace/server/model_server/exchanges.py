"""The connections to one model process that the event loop waits on, so that no thread has to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from headrace.server.model_server.connections import MOST, Connection
from headrace.server.model_server.contract import NotSoon
from headrace.server.model_server.frames import JOINED, message, read

CONNECTING_SECONDS = 0.1
"""How long the event loop may stand still for a connection; a process that lives takes it at once."""

Answer = tuple[dict[str, Any], bytes]


class Exchanges:
    """Connections to a private Unix socket, each used by one request at a time; all belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        """Remember where the socket is."""
        self._path = path
        self._idle: list[_Exchange] = []
        self._open = 0

    async def ask(self, head: dict[str, Any], body: bytes, seconds: float) -> Answer:
        """Return the answer to a small message; raises NotSoon, TimeoutError, or ConnectionError once it was sent."""
        if len(body) > JOINED:
            raise NotSoon
        exchange = self._idle.pop() if self._idle else await self._another()
        answer = await exchange.ask(message(head, body), seconds)
        self._idle.append(exchange)
        return answer

    async def _another(self) -> _Exchange:
        if self._open >= MOST:
            raise NotSoon
        try:
            connection = Connection(self._path, CONNECTING_SECONDS)
        except OSError:
            raise NotSoon from None
        connection.setblocking(False)
        self._open += 1
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(lambda: _Exchange(self._lost), sock=connection)
        return made

    def _lost(self, exchange: _Exchange) -> None:
        self._open -= 1
        if exchange in self._idle:
            self._idle.remove(exchange)


class _Exchange(asyncio.Protocol):
    """One connection: a message goes out, its answer comes in."""

    def __init__(self, lost: Callable[[_Exchange], None]) -> None:
        self._lost = lost
        self._received = bytearray()
        self._answered: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast(asyncio.Transport, transport)

    async def ask(self, sent: bytes, seconds: float) -> Answer:
        """Send a message and return its answer; the connection is closed where it does not come whole and in time."""
        loop = asyncio.get_running_loop()
        self._answered = loop.create_future()
        if self._transport.is_closing():
            raise ConnectionError("it closed the connection")
        timer = loop.call_later(seconds, self._settle, TimeoutError())
        self._transport.write(sent)
        try:
            return await self._answered
        except BaseException:
            self._transport.abort()
            raise
        finally:
            timer.cancel()
            self._answered = None

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer; what comes unasked ends the connection."""
        if self._answered is None or self._answered.done():
            self._transport.abort()
            return
        self._received += data
        try:
            answer = read(self._received)
        except ConnectionError as error:
            self._settle(error)
            return
        if answer is not None:
            self._received.clear()
            self._settle(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits."""
        self._lost(self)
        self._settle(ConnectionError(str(error or "it closed the connection")))

    def _settle(self, result: Answer | Exception) -> None:
        waiting = self._answered
        if waiting is None or waiting.done():
            return
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)
