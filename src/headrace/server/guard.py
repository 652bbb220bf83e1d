"""The one way in, for every door: authenticate, parse, authorise, operate, audit, render. No route exists beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headrace.server.context import Context
from headrace.server.messages import Request, Response
from headrace.server.security.credentials import Caller


@dataclass(frozen=True)
class Check:
    """One question to the policies: may the caller do `action` on `resources`, under these `conditions`?"""

    action: str
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What a door understood of a request, in plain words.

    `run` is the operation of server/operations; `checks` are all that must be allowed; `record` is what the audit trail
    shows of the parameters, in AWS's casing and without secrets; `event_category` is "Management" or "Data".
    `takes_body` and `anonymous` tell that the operation reads a streaming body, and that unsigned callers may try it.
    """

    service: str
    operation: str
    run: Callable[..., Any]
    parameters: dict[str, Any]
    checks: tuple[Check, ...]
    region: str
    read_only: bool
    record: dict[str, Any] = field(default_factory=dict)
    event_category: str = "Management"
    body_member: str = ""
    anonymous: bool = False


class Door(Protocol):
    """A way in: a wire format in front of the same operations."""

    def authenticate(self, request: Request) -> Caller:
        """Return who signed the request; raises Unauthenticated."""

    def parse(self, request: Request, caller: Caller) -> Call:
        """Return what is asked; raises InvalidInput or NotBuilt."""

    def render(self, request: Request, call: Call, answer: Any) -> Response:
        """Return the answer in the door's own format."""

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the error in the door's own format, whatever was understood of the request so far."""


__all__ = ["Call", "Check", "Context", "Door"]
