"""What a door is: a wire format in front of the same operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from headrace.server.messages import Request, Response
from headrace.server.security.credentials import Caller
from headrace.server.stores.objects import Staged


@dataclass(frozen=True)
class Check:
    """One question to the policies: whether the caller may do `action` on `resources` under these `conditions`."""

    action: str
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """Who signed a request, for which region, and what the door must check of the body (its own affair).

    `conditions` are the condition keys that tell how it was signed.
    """

    caller: Caller
    region: str
    payload: Any = None
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What a door understood of a request, in plain words.

    `run` is the operation of server/operations; `checks` are all that must be allowed; `record` is what the audit trail
    shows of the parameters, in AWS's casing and without secrets; `category` is "Management" or "Data".
    `body_member` names the parameter that takes a streaming body; `anonymous` tells that unsigned callers may try it.
    """

    service: str
    operation: str
    run: Callable[..., Any]
    parameters: dict[str, Any]
    checks: tuple[Check, ...]
    region: str
    read_only: bool
    source: str = ""
    record: Mapping[str, Any] | None = None
    category: str = "Management"
    body_member: str = ""
    anonymous: bool = False


class Intake(Protocol):
    """Takes a streaming body in: unwraps it block by block, and checks the whole against what was signed."""

    digests: tuple[str, ...]

    def feed(self, block: bytes) -> Iterable[bytes]:
        """Return the payload inside a block of the body; raises Denied or InvalidInput on a forged or broken one."""

    def finish(self, staged: Staged) -> Staged:
        """Return the staged body with its verified checksum; raises InvalidInput when a digest differs."""


class Door(Protocol):
    """A way in; every method raises errors of server/errors.py."""

    def streams(self, request: Request) -> bool:
        """Tell from its head whether the request's body is to be staged rather than read into memory."""

    def soon(self, request: Request) -> bool:
        """Tell from its head, if it came before, whether the request may be answered in the event loop."""

    def authenticate(self, request: Request, connection: Connection) -> Evidence:
        """Return who signed the request; raises Unauthenticated."""

    def parse(self, request: Request, evidence: Evidence) -> Call:
        """Return what is asked; raises InvalidInput or NotBuilt."""

    def intake(self, request: Request, evidence: Evidence, call: Call) -> Intake:
        """Return what takes in the streaming body of an authorised call."""

    def render(self, request: Request, call: Call, answer: Any) -> tuple[Response, Mapping[str, Any] | None]:
        """Return the answer in the door's own format, and what the audit trail shows of it."""

    def refuse(self, request: Request, error: Exception) -> tuple[Response, str]:
        """Return the error in the door's own format, and its code there, whatever was understood of the request."""

    def named(self, request: Request) -> tuple[str, str, str]:
        """Return service, operation and event source as far as the request's head tells ("" where it doesn't)."""
