"""Bodies on their way in and out: read whole, staged block by block, sent block by block."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from headrace.server.app.threads import Threads
from headrace.server.errors import InvalidInput, TooLarge
from headrace.server.guard import Intake
from headrace.server.messages import Request, Response
from headrace.server.stores.objects import ObjectStore, Staged, Staging

BLOCK = (1 << 20) + (1 << 16)
"""Bytes that are gathered before they are hashed and written in one go: a mebibyte and what frames it is one."""

LINGER_SECONDS = 3
"""How long the rest of a refused body is read, so that the client comes to read the refusal."""

NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Message = MutableMapping[str, Any]
Result = TypeVar("Result")


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
            async with asyncio.timeout(self._idle):
                message = await self._receive()
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


async def take_in(
    objects: ObjectStore, intake: Intake, incoming: Incoming, threads: Threads, then: Callable[[Staged], Result]
) -> Result:
    """Stage a streaming body while it comes in and return what `then` makes of it; nothing of it stays on any error.

    Blocks are received while the last ones are hashed and written; `then` runs in the thread that wrote the end.
    """
    upload = _Upload(objects, intake)
    writing: asyncio.Future[None] | None = None
    gathered: list[bytes] = []
    size = 0
    try:
        async for block in incoming.blocks():
            if size >= BLOCK:
                if writing is not None:
                    await writing
                writing = threads.run(upload.write, gathered)
                gathered, size = [], 0
            gathered.append(block)
            size += len(block)
        if writing is not None:
            await writing
        return await threads.run(upload.finish, gathered, then)
    except BaseException:
        await threads.run(upload.abort)
        raise


class _Upload:
    """A streaming body on its way into the object store, block by block, in whatever threads."""

    def __init__(self, objects: ObjectStore, intake: Intake) -> None:
        self._objects = objects
        self._intake = intake
        self._staging: Staging | None = None
        self._over = False
        self._lock = threading.Lock()

    def write(self, blocks: list[bytes]) -> None:
        with self._lock:
            self._write(blocks)

    def finish(self, blocks: list[bytes], then: Callable[[Staged], Result]) -> Result:
        with self._lock:
            staged = self._write(blocks).finish()
            self._over = True
        return then(staged)

    def abort(self) -> None:
        """Forget what was written, once no thread writes any more; too late after the end."""
        with self._lock:
            if self._staging is not None and not self._over:
                self._staging.abort()
            self._over = True

    def _write(self, blocks: list[bytes]) -> Staging:
        if self._over:
            raise Disconnected
        if self._staging is None:
            self._staging = self._objects.stage(self._intake.digests)
        for payload in self._intake.feed(b"".join(blocks)) if blocks else ():
            self._staging.write(payload)
        return self._staging


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

    async def send(self, response: Response, incoming: Incoming, threads: Threads) -> None:
        """Send an answer; a body of blocks is read one block ahead, and no further once the client has gone.

        Raises ValueError, with nothing sent, on a header that HTTP can't carry; Disconnected when the client goes.
        """
        raw = self._raw_headers(response)
        self.begun = True
        await self._send({"type": "http.response.start", "status": response.status, "headers": raw})
        if not isinstance(response.body, bytes):
            await self._send_blocks(response.body, incoming, threads)
            return
        body = b"" if self._request.method == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body})

    def _raw_headers(self, response: Response) -> list[tuple[bytes, bytes]]:
        headers = {name.lower(): value for name, value in response.headers.items()}
        headers.setdefault("x-amzn-requestid", self._request.request_id)
        if isinstance(response.body, bytes) and response.status not in (204, 304):
            headers.setdefault("content-length", str(len(response.body)))
        if NOT_IN_A_HEADER.search("".join(headers.values())):
            name = next(name for name, value in headers.items() if NOT_IN_A_HEADER.search(value))
            raise ValueError(f"the header {name} of an answer holds a control character")
        return [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers.items()]

    async def _send_blocks(self, blocks: Iterator[bytes], incoming: Incoming, threads: Threads) -> None:
        gone = asyncio.ensure_future(incoming.gone())
        following = threads.run(_next, blocks)
        try:
            while (block := await following) is not None:
                if gone.done():
                    raise Disconnected
                following = threads.run(_next, blocks)
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            await asyncio.wait([following])
            close = getattr(blocks, "close", None)
            if close is not None:
                close()


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)
