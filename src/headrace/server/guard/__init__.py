"""The one way in, for every door: authenticate, parse, authorise, operate, audit, render. No route exists beside it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from headrace.server.context import Context, Later, Platform
from headrace.server.errors import OperationError, TooLarge, Unavailable
from headrace.server.guard.authorisation import authorise
from headrace.server.guard.door import Call, Check, Door, Evidence, Intake
from headrace.server.messages import Request, Response
from headrace.server.model_server import NotSoon
from headrace.server.operations.authorization import Keys
from headrace.server.operations.identity import last_use
from headrace.server.resources import Place
from headrace.server.security import audit
from headrace.server.security.credentials import ANONYMOUS, Caller
from headrace.server.stores.metadata.remembering import NotRemembered
from headrace.server.stores.objects import Staged

__all__ = ["Admitted", "Answered", "Call", "Check", "Door", "Evidence", "Guard", "Intake"]

LOG = logging.getLogger("headrace.guard")


@dataclass(frozen=True)
class Answered:
    """A response, and what the log and the metrics tell of it."""

    response: Response
    service: str = ""
    operation: str = ""
    caller: Caller = ANONYMOUS
    error: str = ""


@dataclass(frozen=True)
class Admitted:
    """A call that may go ahead, once its streaming body has been taken in."""

    door: Door
    request: Request
    evidence: Evidence
    call: Call
    intake: Intake


@dataclass(frozen=True)
class Begun:
    """A call that was let in, and answers in the event loop; `further` are the resources that it asked rights on."""

    door: Door
    request: Request
    evidence: Evidence
    call: Call
    soon: Callable[[], Awaitable[Any]]
    further: tuple[str, ...]


@dataclass
class _Effects:
    """What an operation leaves beside its answer: what to do after the commit, and what it asked further rights on."""

    committed: list[Callable[[], None]] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)


class Guard:
    """Takes requests of any door through all the steps; safe to use from many threads."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def answer(self, door: Door, request: Request) -> Answered:
        """Answer a request whose body is all there."""
        evidence = call = None
        effects = _Effects()
        try:
            with self.platform.metadata.reading_late() as connection:
                evidence = door.authenticate(request, connection)
                call = door.parse(request, evidence)
                self._authorise(connection, request, evidence, call)
                if call.read_only:
                    answer = self._run(connection, request, evidence, call, effects)
            if call.read_only:
                answer = answer.answer() if isinstance(answer, Later) else answer
                response, shown = door.render(request, call, answer)
                entry = self._entry(request, evidence, call, answer=shown, further=effects.resources)
                if audit.wanted(self.platform.metadata, entry):
                    self._record(entry)
                return Answered(response, call.service, call.operation, evidence.caller)
            if call.body_member:
                admitted = Admitted(door, request, evidence, call, door.intake(request, evidence, call))
                return self.perform(admitted, self._stage(admitted, request.body or b""))
            return self._change(door, request, evidence, call)
        except Exception as error:
            return self._refuse(door, request, evidence, call, error)

    def begin(self, door: Door, request: Request) -> Begun | None:
        """Take a request as far as memory goes, in the event loop; None where a thread is to answer it from the start.

        So it is where the database is needed, and where anything is to be refused.
        """
        connection = self.platform.metadata.recollection()
        if connection is None:
            return None
        effects = _Effects()
        try:
            evidence = door.authenticate(request, connection)
            call = door.parse(request, evidence)
            self._authorise(connection, request, evidence, call)
            answer = self._run(connection, request, evidence, call, effects) if call.read_only else None
        except (NotRemembered, OperationError):
            return None
        soon = answer.soon if isinstance(answer, Later) else None
        return Begun(door, request, evidence, call, soon, tuple(effects.resources)) if soon else None

    async def finish(self, begun: Begun, run: Callable[..., Awaitable[Any]]) -> Answered | None:
        """Answer what has begun, None where a thread is to answer it after all; `run` calls a function in a thread."""
        door, request, call = begun.door, begun.request, begun.call
        try:
            answer = await begun.soon()
            response, shown = door.render(request, call, answer)
        except NotSoon:
            return None
        except Exception as error:
            refused: Answered = await run(self._refuse, door, request, begun.evidence, call, error)
            return refused
        entry = self._entry(request, begun.evidence, call, answer=shown, further=begun.further)
        if audit.wanted(self.platform.metadata, entry):
            await run(self._record, entry)
        return Answered(response, call.service, call.operation, begun.evidence.caller)

    def admit(self, door: Door, request: Request) -> Admitted | Answered:
        """Take a request as far as its head goes: Admitted when its streaming body may come, else the refusal."""
        evidence = call = None
        try:
            with self.platform.metadata.reading_late() as connection:
                evidence = door.authenticate(request, connection)
                call = door.parse(request, evidence)
                self._authorise(connection, request, evidence, call)
            return Admitted(door, request, evidence, call, door.intake(request, evidence, call))
        except Exception as error:
            return self._refuse(door, request, evidence, call, error)

    def perform(self, admitted: Admitted, staged: Staged) -> Answered:
        """Answer an admitted call whose body has been staged; the staged bytes are kept or discarded."""
        door, request, evidence, call = admitted.door, admitted.request, admitted.evidence, admitted.call
        try:
            body = admitted.intake.finish(staged)
            call.parameters[call.body_member] = body
            return self._change(door, request, evidence, call)
        except Exception as error:
            with suppress(Exception):
                self.platform.objects.discard(staged)
            return self._refuse(door, request, evidence, call, error)

    def _record(self, entry: audit.Entry) -> None:
        self.platform.metadata.write_shared(partial(audit.record, entry=entry))

    def _stage(self, admitted: Admitted, body: bytes) -> Staged:
        staging = self.platform.objects.stage(admitted.intake.digests)
        try:
            for payload in admitted.intake.feed(body):
                staging.write(payload)
            return staging.finish()
        except BaseException:
            staging.abort()
            raise

    def abandon(self, admitted: Admitted, error: OperationError) -> Answered:
        """Answer an admitted call whose body did not arrive as announced."""
        return self._refuse(admitted.door, admitted.request, admitted.evidence, admitted.call, error)

    def turn_away(self, door: Door, request: Request, error: Exception) -> Answered:
        """Answer a request that failed outside the steps above (too large, stopping, an answer that can't be sent)."""
        return self._refuse(door, request, None, None, error)

    def _change(self, door: Door, request: Request, evidence: Evidence, call: Call) -> Answered:
        effects = _Effects()
        with self.platform.metadata.writing() as connection:
            answer = self._run(connection, request, evidence, call, effects)
            response, shown = door.render(request, call, answer)
            entry = self._entry(request, evidence, call, answer=shown, further=effects.resources)
            if audit.wanted(self.platform.metadata, entry):
                audit.record(connection, entry)
        for action in effects.committed:
            try:
                action()
            except Exception:
                LOG.exception("after the commit of %s", call.operation)
        return Answered(response, call.service, call.operation, evidence.caller)

    def _run(self, connection: Connection, request: Request, evidence: Evidence, call: Call, effects: _Effects) -> Any:
        def authorise_further(action: str, resource: str, conditions: Keys | None = None) -> None:
            effects.resources.append(resource)
            checks = (Check(action, (resource,), conditions or {}),)
            authorise(self.platform, connection, request, evidence, call, checks)

        caller = evidence.caller
        context = Context(
            platform=self.platform,
            connection=connection,
            caller=caller,
            place=Place(caller.account or self.platform.account, call.region, self.platform.partition),
            now=self.platform.clock(),
            request_id=request.request_id,
            authorise=authorise_further,
            request={
                "host": request.header.get("host", ""),
                "source_address": request.client,
                "user_agent": request.header.get("user-agent", ""),
                "scheme": "https" if request.secure else "http",
                "url": request.path + ("?" + request.query if request.query else ""),
            },
            committed=effects.committed,
        )
        return call.run(context, **call.parameters)

    def _authorise(self, connection: Connection, request: Request, evidence: Evidence, call: Call) -> None:
        last_use.note(self.platform.metadata, evidence.caller, call.service, call.region, self.platform.clock())
        authorise(self.platform, connection, request, evidence, call, call.checks)

    def _entry(
        self,
        request: Request,
        evidence: Evidence | None,
        call: Call,
        *,
        answer: Any = None,
        error: tuple[str, str] = ("", ""),
        further: Sequence[str] = (),
    ) -> audit.Entry:
        named = (arn for check in call.checks for arn in check.resources)
        return audit.Entry(
            caller=evidence.caller if evidence else ANONYMOUS,
            source=call.source,
            operation=call.operation,
            region=call.region,
            account=self.platform.account,
            source_address=request.client,
            user_agent=request.header.get("user-agent", ""),
            parameters=call.record,
            answer=None if call.read_only else answer,
            error_code=error[0],
            error_message=error[1],
            read_only=call.read_only,
            category=call.category,
            resources=tuple(arn for arn in (*named, *further) if arn != "*"),
            request_id=request.request_id,
            now=self.platform.clock(),
            secure=request.secure,
            host=request.header.get("host", ""),
        )

    def _refuse(
        self, door: Door, request: Request, evidence: Evidence | None, call: Call | None, error: Exception
    ) -> Answered:
        if not isinstance(error, OperationError):
            LOG.exception("request %s failed", request.request_id, exc_info=error)
        elif isinstance(error, Unavailable):
            LOG.warning("request %s was refused: %s", request.request_id, error.message)
        response, code = self._told(door, request, error)
        service, operation, source = door.named(request)
        caller = evidence.caller if evidence else ANONYMOUS
        told = call or Call(service, operation, _nothing, {}, (), self.platform.settings.region, False, source)
        if operation and not isinstance(error, Unavailable | TooLarge):
            try:
                message = error.message if isinstance(error, OperationError) else "an internal error"
                entry = self._entry(request, evidence, told, error=(code, message))
                if audit.wanted(self.platform.metadata, entry):
                    self._record(entry)
            except Unavailable as failure:
                LOG.warning("the refusal of request %s is not recorded: %s", request.request_id, failure.message)
                response, code = self._told(door, request, failure)
            except Exception:
                LOG.exception("the refusal of request %s could not be recorded", request.request_id)
        return Answered(response, service, operation, caller, code)

    def _told(self, door: Door, request: Request, error: Exception) -> tuple[Response, str]:
        """Return the door's words for an error; where it fails at them, those for an internal error."""
        try:
            return door.refuse(request, error)
        except Exception as failure:
            LOG.exception("the refusal of request %s could not be told", request.request_id)
            headers = tuple((name, value) for name, value in request.headers if name != "origin")
            return door.refuse(replace(request, headers=headers, notes={}), failure)


def _nothing(_: Context) -> None:
    """Stand for the operation of a request that was refused before it was known."""
