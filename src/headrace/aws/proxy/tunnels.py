"""The proxy's CONNECT tunnels: AWS's hosts end at this server's own TLS socket, all others at the host they name."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from contextlib import suppress

from headrace.aws.proxy.certificates import is_aws_host

LOG = logging.getLogger("headrace.proxy")
LARGEST_HEAD = 16 << 10
SECONDS = 30.0
BLOCK = 1 << 18
CONNECT = re.compile(rb"CONNECT (?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5}) HTTP/1\.[01]\r\n")
HEAD = re.compile(rb"(?!CONNECT )[A-Z]+ \S+ HTTP/1\.[01]\r\n")
REFUSED = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"


class Proxy:
    """Answers CONNECT on a listening socket; `aws` is the address of the TLS socket for AWS's hosts."""

    def __init__(self, listener: socket.socket, aws: tuple[str, int], *, seconds: float = SECONDS) -> None:
        self._listener = listener
        self._aws = aws
        self._seconds = seconds
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to accept connections."""
        self._server = await asyncio.start_server(self._accept, sock=self._listener, limit=BLOCK)

    def stop(self) -> None:
        """Accept no more connections; the tunnels go on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Accept no more connections and end the tunnels."""
        self.stop()
        tunnels = list(self._tunnels)
        for tunnel in tunnels:
            tunnel.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            LOG.debug("a tunnel ended early")
        finally:
            self._tunnels.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            head = b""
        match = CONNECT.match(head)
        if match is None or len(head) > LARGEST_HEAD or not 0 < int(match[3]) <= 65535:
            writer.write(REFUSED % (b"405 Method Not Allowed" if HEAD.match(head) else b"400 Bad Request"))
            return
        host, port = (match[1] or match[2]).decode(), int(match[3])
        try:
            async with asyncio.timeout(self._seconds):
                address = self._aws if is_aws_host(host) else (host, port)
                far_reader, far_writer = await asyncio.open_connection(*address, limit=BLOCK)
        except (OSError, TimeoutError):
            writer.write(REFUSED % b"502 Bad Gateway")
            return
        try:
            writer.write(ESTABLISHED)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(reader, far_writer))
                both.create_task(_pass(far_reader, writer))
        except* OSError:
            LOG.debug("the tunnel to %s ended early", host)
        finally:
            far_writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until it ends, then end the other side too."""
    while block := await reader.read(BLOCK):
        writer.write(block)
        await writer.drain()
    with suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
