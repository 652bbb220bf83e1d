"""The ASGI application: its doors as one readable list, and the way of a request through it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from headrace.server.app.bodies import Disconnected, drain, read_head, read_whole, send, stage
from headrace.server.app.observation import Observer
from headrace.server.context import Platform
from headrace.server.errors import OperationError, TooLarge, Unavailable
from headrace.server.guard import Answered, Door, Guard
from headrace.server.messages import Request, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SMALL_BODY = 1 << 16
"""Bytes up to which a body is read into memory whatever it is."""


@dataclass(frozen=True)
class Entrance:
    """A door, and the requests that it takes; the first entrance of the list that takes a request answers it."""

    takes: Callable[[Request], bool]
    door: Door


class Application:
    """Answers `/healthz` and `/metrics` itself, everything else through the guard by the first door that takes it."""

    def __init__(self, platform: Platform, entrances: list[Entrance]) -> None:
        self.platform = platform
        self.entrances = entrances
        self.guard = Guard(platform)
        self.observer = Observer(platform)
        self.pool = ThreadPoolExecutor(platform.settings.threads, "request")
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send_message: Send) -> None:
        """Answer one HTTP request (ASGI 3); websockets are refused by the server under it."""
        request = request_of(scope)
        if is_own_page(request):
            await send(self.observer.own_page(request), request, send_message)
            return
        seen = self.observer.begins(request)
        answered = Answered(Response(503))
        try:
            answered = await self.answer(request, receive)
            await send(answered.response, request, send_message, self.pool)
        except Disconnected:
            answered = Answered(Response(499), answered.service, answered.operation, answered.caller, "ClientClosed")
        finally:
            self.observer.ends(seen, request, answered)

    def close(self) -> None:
        """End the threads once the requests in them have ended."""
        self.pool.shutdown()

    async def answer(self, request: Request, receive: Receive) -> Answered:
        """Return the answer to a request: small bodies are read whole, uploads staged block by block."""
        run = asyncio.get_running_loop().run_in_executor
        door = next(entrance.door for entrance in self.entrances if entrance.takes(request))
        if self.stopping:
            error: OperationError = Unavailable("the server is stopping; send the request again in a moment")
            return await run(self.pool, self.guard.turn_away, door, request, error)
        if is_small(request) or not await run(self.pool, door.streams, request):
            try:
                whole = await read_whole(request, receive, self.platform.settings.largest_body)
            except TooLarge as too_large:
                return await leave_body(
                    request, receive, await run(self.pool, self.guard.turn_away, door, request, too_large)
                )
            return await run(self.pool, self.guard.answer, door, whole)
        if is_form(request):
            request, receive = await read_head(request, receive, SMALL_BODY)
        admitted = await run(self.pool, self.guard.admit, door, request)
        if isinstance(admitted, Answered):
            return await leave_body(request, receive, admitted)
        try:
            staged = await stage(self.platform.objects, admitted.intake, receive, self.pool)
        except OperationError as refused:
            return await leave_body(request, receive, await run(self.pool, self.guard.abandon, admitted, refused))
        return await run(self.pool, self.guard.perform, admitted, staged)


async def leave_body(request: Request, receive: Receive, answered: Answered) -> Answered:
    """Return an answer that leaves before its request's body was read: what is short is read and forgotten.

    A client that still sends would else meet a closed connection before it reads the answer.
    """
    answered.response.headers["connection"] = "close"
    if "expect" not in request.header:
        await drain(receive)
    return answered


def is_own_page(request: Request) -> bool:
    """Tell whether a request asks for the server's own pages, not for a bucket of that name (those are signed)."""
    signed = request.header.get("authorization", "").startswith("AWS4-") or request.query
    return request.path in ("/healthz", "/metrics") and not signed


def is_small(request: Request) -> bool:
    """Tell whether a body, if any, is announced to be so small that it is read before anything is decided."""
    if "transfer-encoding" in request.header:
        return False
    length = request.header.get("content-length", "0")
    return length.isdigit() and int(length) <= SMALL_BODY


def is_form(request: Request) -> bool:
    """Tell whether a body is a browser's form, whose fields say who sends the file after them."""
    return request.header.get("content-type", "").lower().startswith("multipart/form-data")


def request_of(scope: Scope) -> Request:
    """Return the head of an ASGI request."""
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=None,
        client=client[0] if client else "",
        secure=scope["scheme"] == "https",
        request_id=_request_id(),
    )


def _request_id() -> str:
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
