"""Bodies on their way in and out: read whole, staged block by block, sent block by block."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
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

IDLE_SECONDS = 60
"""How long a client may send nothing in the middle of a body."""

Message = MutableMapping[str, Any]


class Disconnected(Exception):  # noqa: N818 (the client's way to end a request)
    """The client closed its connection before the request was answered."""


async def read_whole(request: Request, receive: Callable[[], Awaitable[Message]], largest: int) -> Request:
    """Return the request with its body; raises TooLarge past `largest` bytes."""
    announced = request.header.get("content-length", "")
    if announced.isdigit() and int(announced) > largest:
        raise TooLarge(f"the body has {announced} bytes, more than the {largest} that a request may have")
    blocks: list[bytes] = []
    size = 0
    async for block in _blocks(receive):
        size += len(block)
        if size > largest:
            raise TooLarge(f"the body has more than the {largest} bytes that a request may have")
        blocks.append(block)
    return replace(request, body=b"".join(blocks))


async def read_head(
    request: Request, receive: Callable[[], Awaitable[Message]], size: int
) -> tuple[Request, Callable[[], Awaitable[Message]]]:
    """Return the request with at least `size` bytes of its body, and what receives the body from its start."""
    messages: list[Message] = []
    while sum(len(message.get("body", b"")) for message in messages) < size:
        messages.append(await _message(receive))
        if messages[-1]["type"] == "http.disconnect" or not messages[-1].get("more_body", False):
            break
    head = b"".join(message.get("body", b"") for message in messages)

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replace(request, body=head), replay


async def stage(
    objects: ObjectStore, intake: Intake, receive: Callable[[], Awaitable[Message]], pool: Executor
) -> Staged:
    """Write a streaming body into the object store while it comes in; nothing of it stays on any error.

    The next block is received while the last one is hashed and written.
    """
    loop = asyncio.get_running_loop()
    staging = await loop.run_in_executor(pool, objects.stage, intake.digests)
    writing: asyncio.Future[None] | None = None
    try:
        async for block in _gathered(_blocks(receive)):
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
        staging.abort()
        raise


async def drain(receive: Callable[[], Awaitable[Message]], most: int = 8 * BLOCK) -> None:
    """Read and forget what is left of a body, up to `most` bytes."""
    with suppress(Disconnected, InvalidInput):
        async for block in _blocks(receive):
            most -= len(block)
            if most < 0:
                return


async def send(
    response: Response,
    request: Request,
    send_message: Callable[[Message], Awaitable[None]],
    pool: Executor | None = None,
) -> None:
    """Send an answer; a body of blocks is read in threads, one block ahead of the client."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    headers.setdefault("x-amzn-requestid", request.request_id)
    if isinstance(response.body, bytes) and response.status not in (204, 304):
        headers.setdefault("content-length", str(len(response.body)))
    raw = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers.items()]
    await send_message({"type": "http.response.start", "status": response.status, "headers": raw})
    if isinstance(response.body, bytes):
        body = b"" if request.method == "HEAD" else response.body
        await send_message({"type": "http.response.body", "body": body})
        return
    loop = asyncio.get_running_loop()
    blocks = response.body
    try:
        while (block := await loop.run_in_executor(pool, _next, blocks)) is not None:
            await send_message({"type": "http.response.body", "body": block, "more_body": True})
        await send_message({"type": "http.response.body", "body": b""})
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


async def _blocks(receive: Callable[[], Awaitable[Message]]) -> Any:
    while True:
        message = await _message(receive)
        if message["type"] == "http.disconnect":
            raise Disconnected
        if block := message.get("body", b""):
            yield block
        if not message.get("more_body", False):
            return


async def _message(receive: Callable[[], Awaitable[Message]]) -> Message:
    try:
        return await asyncio.wait_for(receive(), IDLE_SECONDS)
    except TimeoutError:
        raise InvalidInput(
            f"nothing of the body arrived for {IDLE_SECONDS} seconds; send the request again", code="RequestTimeout"
        ) from None


async def _gathered(blocks: Any) -> Any:
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
