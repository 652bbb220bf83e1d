"""The HTTP server under the application: uvicorn, with limits on the head of a request and on slow clients."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
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
from headrace.server.app.joining import Joining
from headrace.server.settings import Settings

LARGEST_HEAD = 64 << 10
"""Bytes of request line and headers together; AWS's own services take less."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection stays open between two requests."""

MOST_FILES = 65_536
"""Open files and connections that the server asks the system for."""

HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, closing connections whose head is too large or slow, or whose reader stalls.

    Headers after a chunked body are read and forgotten: nobody has signed them.
    """

    def __init__(self, settings: Settings, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._settings = settings
        self._in_head = True
        self._head_size = 0
        self._fruitless = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(Joining(transport, self.loop))  # type: ignore[arg-type]
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._head_is_here()
        self._writes_again()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what a head takes, and what comes with a body without being of it (trailers, extensions of chunks)."""
        if self._in_head and self._head_timer is None:
            self._wait_for_head()
        self._head_size += len(data)
        self._fruitless += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if (self._in_head and self._head_size > LARGEST_HEAD) or self._fruitless > 4 * LARGEST_HEAD:
            self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._wait_for_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header of the head."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head."""
        self._head_is_here()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > LARGEST_HEAD:
            self._refuse(HEAD_TOO_LARGE)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._fruitless = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the next head."""
        super().on_message_complete()
        self._in_head, self._head_size, self._fruitless = True, 0, 0

    def pause_writing(self) -> None:
        """Give a client that reads more slowly than the server writes its time."""
        super().pause_writing()
        self._wait_for_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on writing."""
        self._writes_again()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse(BAD_REQUEST)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self._settings.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self._wait_for_head()

    def _head_is_here(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _wait_for_reader(self, left: int) -> None:
        self._writes_again()
        self._write_timer = self.loop.call_later(self._settings.idle_seconds, self._check_reader, left)

    def _check_reader(self, left: int) -> None:
        now_left = self.transport.get_write_buffer_size()
        if now_left < left:
            self._wait_for_reader(now_left)
        else:
            self.transport.abort()

    def _writes_again(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to `serve_until_stopped`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int, *, flag: str = "--port") -> socket.socket:
    """Return a socket that listens; raises OptionError when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise OptionError(
                f"port {port} of {host} is taken by another program; stop that one, or pass another {flag}"
            ) from None
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError(
            f"can't listen on {host}, port {port} ({reason}); pass an address of this machine as --host, or "
            f"another {flag}"
        ) from None
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
    """Answer requests until SIGINT or SIGTERM; those in flight then finish, a second signal ends them, a third all.

    `tls` is a further listening socket, whose clients speak TLS by a context of its own.
    """
    config = uvicorn.Config(
        application,
        http=partial(LimitedConnection, settings),  # type: ignore[arg-type]
        loop="none",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.grace_seconds,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        backlog=2048,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if server.force_exit:
            os._exit(128 + number)
        server.force_exit = server.should_exit
        server.should_exit = True
        stopping()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)

    async def announce() -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        try:
            if tls is not None:
                protocol = partial(LimitedConnection, settings, config, server.server_state, {})
                server.servers.append(await loop.create_server(protocol, sock=tls[0], ssl=tls[1]))
            await started()
        except BaseException:
            server.should_exit = True
            raise

    announcing = asyncio.ensure_future(announce())
    try:
        await server.serve(sockets=[listener])
        left = [task for task in server.server_state.tasks if task.cancel()]
        await asyncio.gather(*left, return_exceptions=True)
        if announcing.done():
            await announcing
    finally:
        announcing.cancel()


def allow_many_files() -> None:
    """Ask the system for as many open files as it gives: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def check_tls(settings: Settings) -> None:
    """Raise OptionError unless the certificate and key for TLS, if any, can be used together."""
    if settings.tls_certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_certificate, settings.tls_key, password=lambda: b""
        )
    except (OSError, ValueError) as error:
        raise OptionError(
            f"the certificate {settings.tls_certificate} and key {settings.tls_key} can't be used for TLS "
            f"({getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}); "
            "give a PEM chain and its unencrypted private key"
        ) from None
