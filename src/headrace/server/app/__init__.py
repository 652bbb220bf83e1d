"""The ASGI application: its doors as one readable list, and the way of a request through it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from headrace.server.app.bodies import Disconnected, Incoming, Outgoing, drain, read_whole, take_in
from headrace.server.app.observation import Observer
from headrace.server.app.threads import Threads
from headrace.server.context import Platform
from headrace.server.errors import OperationError, Unavailable
from headrace.server.guard import Admitted, Answered, Door, Guard
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
        self.threads = Threads(platform.settings.threads, "request")
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send_message: Send) -> None:
        """Answer one HTTP request (ASGI 3); websockets are refused by the server under it."""
        request = request_of(scope)
        incoming = Incoming(receive, self.platform.settings.idle_seconds)
        outgoing = Outgoing(request, send_message)
        if is_own_page(request):
            page = await asyncio.to_thread(self.observer.own_page, request)
            await outgoing.send(page, incoming, self.threads)
            return
        seen = self.observer.begins(request)
        answered = Answered(Response(503))
        try:
            answered = await self._answer_anyway(request, incoming)
            answered = await self._send_anyway(request, incoming, outgoing, answered)
        except Disconnected:
            answered = replace(answered, response=Response(499), error="ClientClosed")
        except BaseException as error:
            answered = replace(answered, response=Response(503), error=type(error).__name__)
            if outgoing.begun:
                raise
            await outgoing.send(Response(503, {"connection": "close"}), incoming, self.threads)
        finally:
            self.observer.ends(seen, request, answered)

    def close(self) -> None:
        """End the threads once the requests in them have ended."""
        self.threads.close()

    async def answer(self, request: Request, incoming: Incoming) -> Answered:
        """Return the answer to a request: small bodies are read whole, uploads staged block by block."""
        run = self.threads.run
        door = self.door_of(request)
        if self.stopping:
            raise Unavailable("the server is stopping; send the request again in a moment")
        admitted = None
        if not is_small(request):
            if is_form(request):
                request = replace(request, body=await incoming.head(SMALL_BODY))
            admitted = await run(self._admit, door, request)
        if admitted is None:
            whole = await read_whole(request, incoming, self.platform.settings.largest_body)
            begun = self.guard.begin(door, whole) if is_small(request) and door.soon(whole) else None
            answered = await self.guard.finish(begun, run) if begun is not None else None
            return answered if answered is not None else await run(self.guard.answer, door, whole)
        if isinstance(admitted, Answered):
            return await leave_body(request, incoming, admitted)
        perform = partial(self.guard.perform, admitted)
        try:
            return await take_in(self.platform.objects, admitted.intake, incoming, self.threads, perform)
        except OperationError as refused:
            return await leave_body(request, incoming, await run(self.guard.abandon, admitted, refused))

    def door_of(self, request: Request) -> Door:
        """Return the first door that takes a request."""
        return next(entrance.door for entrance in self.entrances if entrance.takes(request))

    def _admit(self, door: Door, request: Request) -> Admitted | Answered | None:
        """Return what the guard says to the head of a request, or None for one whose body is to be read first."""
        return self.guard.admit(door, request) if door.streams(request) else None

    async def _answer_anyway(self, request: Request, incoming: Incoming) -> Answered:
        try:
            return await self.answer(request, incoming)
        except Disconnected:
            raise
        except Exception as error:
            return await leave_body(request, incoming, await self._turn_away(request, error))

    async def _send_anyway(
        self, request: Request, incoming: Incoming, outgoing: Outgoing, answered: Answered
    ) -> Answered:
        """Send an answer, or the door's error where the answer turns out not to be one that HTTP can carry."""
        try:
            await outgoing.send(answered.response, incoming, self.threads)
        except Disconnected:
            raise
        except Exception as error:
            if outgoing.begun:
                raise
            answered = await self._turn_away(request, error)
            await outgoing.send(answered.response, incoming, self.threads)
        return answered

    async def _turn_away(self, request: Request, error: Exception) -> Answered:
        return await self.threads.run(self.guard.turn_away, self.door_of(request), request, error)


async def leave_body(request: Request, incoming: Incoming, answered: Answered) -> Answered:
    """Return an answer that leaves before its request's body was read: what is short is read and forgotten.

    A client that still sends would else meet a closed connection before it reads the answer.
    """
    if not incoming.ended:
        answered.response.headers["connection"] = "close"
        if "expect" not in request.header:
            await drain(incoming)
    return answered


def is_own_page(request: Request) -> bool:
    """Tell whether a request asks for the server's own pages, not for a bucket of that name (those are signed)."""
    signed = request.header.get("authorization", "").startswith("AWS4-") or request.query
    return request.path in ("/healthz", "/metrics") and not signed


def is_small(request: Request) -> bool:
    """Tell whether a body, if any, is announced to be so small that it is read before anything is decided.

    One whose client waits to be told to go on (Expect: 100-continue) is not: a refusal spares it.
    """
    if "transfer-encoding" in request.header or "expect" in request.header:
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
