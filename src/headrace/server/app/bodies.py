"""Bodies on their way in and out: read whole, staged block by block, sent block by block."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from headrace.server.errors import InvalidInput, TooLarge
from headrace.server.guard import Intake
from headrace.server.messages import Request, Response
from headrace.server.stores.objects import ObjectStore, Staged, Staging

BLOCK = 1 << 20
"""Bytes that are gathered before they are hashed and written in one go."""

LINGER_SECONDS = 3
"""How long the rest of a refused body is read, so that the client comes to read the refusal."""

NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Message = MutableMapping[str, Any]


class Disconnected(Exception):  # noqa: N818 (the client's way to end a request)
    """The client closed its connection before the request was answered."""


class Incoming:
    """The body of one request as it comes in; raises InvalidInput where nothing comes for `idle` seconds."""

    def __init__(self, receive: Callable[[], Awaitable[Message]], idle: float) -> None:
        self._receive = receive
        self._idle = idle
        self._seen: deque[Message] = deque()
        self.ended = False

    async def message(self) -> Message:
        """Return the next message of the body; raises Disconnected."""
        if self._seen:
            return self._seen.popleft()
        try:
            message = await asyncio.wait_for(self._receive(), self._idle)
        except TimeoutError:
            raise InvalidInput(
                f"nothing of the body arrived for {self._idle:g} seconds; send the request again",
                code="RequestTimeout",
            ) from None
        self.ended = not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece, as it comes."""
        more = True
        while more:
            message = await self.message()
            more = message.get("more_body", False)
            if block := message.get("body", b""):
                yield block

    async def head(self, size: int) -> bytes:
        """Return at least `size` bytes of the body, or all of a shorter one; they come again after that."""
        messages: list[Message] = []
        while sum(len(message.get("body", b"")) for message in messages) < size:
            messages.append(await self.message())
            if not messages[-1].get("more_body", False):
                break
        self._seen.extend(messages)
        return b"".join(message.get("body", b"") for message in messages)

    async def gone(self) -> None:
        """Return when the client has closed its connection; to be asked once the body has been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def read_whole(request: Request, incoming: Incoming, largest: int) -> Request:
    """Return the request with its body; raises TooLarge past `largest` bytes."""
    announced = request.header.get("content-length", "")
    if announced.isdigit() and int(announced) > largest:
        raise TooLarge(f"the body has {announced} bytes, more than the {largest} that a request may have")
    blocks: list[bytes] = []
    size = 0
    async for block in incoming.blocks():
        size += len(block)
        if size > largest:
            raise TooLarge(f"the body has more than the {largest} bytes that a request may have")
        blocks.append(block)
    return replace(request, body=b"".join(blocks))


async def stage(objects: ObjectStore, intake: Intake, incoming: Incoming, pool: Executor) -> Staged:
    """Write a streaming body into the object store while it comes in; nothing of it stays on any error.

    The next block is received while the last one is hashed and written.
    """
    loop = asyncio.get_running_loop()
    staging = await loop.run_in_executor(pool, objects.stage, intake.digests)
    writing: asyncio.Future[None] | None = None
    try:
        async for block in _gathered(incoming.blocks()):
            if writing is not None:
                await writing
            writing = loop.run_in_executor(pool, _write, staging, intake, block)
        if writing is not None:
            await writing
        return await loop.run_in_executor(pool, staging.finish)
    except BaseException:
        if writing is not None:
            with suppress(BaseException):
                await writing
        await loop.run_in_executor(pool, staging.abort)
        raise


async def drain(incoming: Incoming, most: int = 8 * BLOCK) -> None:
    """Read and forget what is left of a body, up to `most` bytes and for a few seconds."""
    with suppress(Disconnected, InvalidInput, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            async for block in incoming.blocks():
                most -= len(block)
                if most < 0:
                    return


class Outgoing:
    """The answer to one request on its way out; `begun` tells that its status has left."""

    def __init__(self, request: Request, send_message: Callable[[Message], Awaitable[None]]) -> None:
        self._request = request
        self._send = send_message
        self.begun = False

    async def send(self, response: Response, incoming: Incoming, pool: Executor) -> None:
        """Send an answer; a body of blocks is read in threads, and no further once the client has gone.

        Raises ValueError, with nothing sent, on a header that HTTP can't carry; Disconnected when the client goes.
        """
        raw = self._raw_headers(response)
        self.begun = True
        await self._send({"type": "http.response.start", "status": response.status, "headers": raw})
        if not isinstance(response.body, bytes):
            await self._send_blocks(response.body, incoming, pool)
            return
        body = b"" if self._request.method == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body})

    def _raw_headers(self, response: Response) -> list[tuple[bytes, bytes]]:
        headers = {name.lower(): value for name, value in response.headers.items()}
        headers.setdefault("x-amzn-requestid", self._request.request_id)
        if isinstance(response.body, bytes) and response.status not in (204, 304):
            headers.setdefault("content-length", str(len(response.body)))
        for name, value in headers.items():
            if NOT_IN_A_HEADER.search(value):
                raise ValueError(f"the header {name} of an answer holds a control character")
        return [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers.items()]

    async def _send_blocks(self, blocks: Iterator[bytes], incoming: Incoming, pool: Executor) -> None:
        loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(incoming.gone())
        try:
            while (block := await loop.run_in_executor(pool, _next, blocks)) is not None:
                if gone.done():
                    raise Disconnected
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            close = getattr(blocks, "close", None)
            if close is not None:
                close()


async def _gathered(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    async for block in blocks:
        gathered.append(block)
        size += len(block)
        if size >= BLOCK:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _write(staging: Staging, intake: Intake, block: bytes) -> None:
    for payload in intake.feed(block):
        staging.write(payload)


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)
