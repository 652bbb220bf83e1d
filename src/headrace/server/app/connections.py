"""The HTTP server under the application: uvicorn, with limits on the head of a request and on slow clients."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headrace.ml.errors import OptionError
from headrace.server.settings import Settings

LARGEST_HEAD = 64 << 10
"""Bytes of request line and headers together; AWS's own services take less."""

HEAD_SECONDS = 30.0
"""How long a client may take to send them."""

GRACE_SECONDS = 30
"""How long requests in flight may go on when the server stops."""

HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

LOG = logging.getLogger("headrace.connections")


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, closing connections whose head is too large, too slow or not ASCII."""

    head_size = 0
    in_head = True
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what a head takes before it is parsed."""
        if self.in_head:
            if self.head_timer is None:
                self._wait_for_head()
            self.head_size += len(data)
            if self.head_size > LARGEST_HEAD and b"\r\n\r\n" not in data:
                self._refuse(HEAD_TOO_LARGE)
                return
        try:
            super().data_received(data)
        except UnicodeDecodeError:
            self._refuse(BAD_REQUEST)

    def on_headers_complete(self) -> None:
        """End a head."""
        self._head_is_here()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > LARGEST_HEAD:
            self._refuse(HEAD_TOO_LARGE)
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the next head."""
        super().on_message_complete()
        self.in_head, self.head_size = True, 0

    def _wait_for_head(self) -> None:
        self.head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        self.in_head = False
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to `serve_until_stopped`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises OptionError when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise OptionError(f"can't listen on {host}:{port}: {error}; stop what listens there or give --port") from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener


async def serve_until_stopped(
    application: Any,
    settings: Settings,
    listener: socket.socket,
    *,
    started: Callable[[], Awaitable[None]],
    stopping: Callable[[], None],
    tls: tuple[socket.socket, ssl.SSLContext] | None = None,
) -> None:
    """Answer requests until SIGINT or SIGTERM; those in flight then finish, a second signal ends them.

    `tls` is a further listening socket, whose clients speak TLS by a context of its own.
    """
    config = uvicorn.Config(
        application,
        http=LimitedConnection,
        loop="none",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        backlog=2048,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if server.should_exit:
            server.force_exit = True
        server.should_exit = True
        stopping()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)

    async def announce() -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        if tls is not None:
            protocol = partial(LimitedConnection, config, server.server_state, {})
            server.servers.append(await loop.create_server(protocol, sock=tls[0], ssl=tls[1]))
        await started()

    announcing = asyncio.ensure_future(announce())
    try:
        await server.serve(sockets=[listener])
    finally:
        announcing.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
