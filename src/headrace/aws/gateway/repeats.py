"""Heads of requests that come again and again: what one of them means is found out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.aws.gateway.routing import Found, credential_scope
from headrace.aws.protocols import PROTOCOLS
from headrace.server.guard import Check
from headrace.server.messages import Request

MEANINGLESS = frozenset({
    "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-length", "user-agent",
    "x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "x-amzn-trace-id", "accept-encoding", "connection",
})  # fmt: skip
"""Headers that name neither an operation nor a parameter of one; of the signature's the scope tells."""

MOST, LARGEST = 256, 2048
"""Heads that are remembered, and the characters of one."""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Understood:
    """What a head means: its operation, the parameters beside the body, and the checks by region and account."""

    found: Found
    parameters: Mapping[str, Any]
    checks: dict[tuple[str, str], tuple[Check, ...]] = field(default_factory=dict)


class Repeats:
    """Remembers heads of operations whose whole body is one blob, which tells nothing of what is asked."""

    def __init__(self) -> None:
        self._understood: dict[Key, Understood] = {}

    def find(self, request: Request) -> Understood | None:
        """Return what a request's head means, where it was remembered."""
        key = _key(request)
        request.notes["head"] = key
        return self._understood.get(key) if key else None

    def parameters(self, request: Request, found: Found, body: bytes) -> dict[str, Any] | None:
        """Return the parameters of a request, None where they have to be read of all of it."""
        key, payload = request.notes.get("head"), found.operation.payload
        if not key or not payload or not body or found.operation.body_member or not _is_blob(found, payload):
            return None
        understood = self._understood.get(key)
        if understood is None:
            read = PROTOCOLS[found.protocol].parse(found.operation, request, found.labels)
            read.pop(payload, None)
            if _is_secret(found, read):
                return None
            if len(self._understood) >= MOST:
                self._understood.clear()
            understood = self._understood[key] = Understood(found, read)
        request.notes["understood"] = understood
        return {**understood.parameters, payload: body}


def _key(request: Request) -> Key | None:
    if request.method != "POST" or request.query:
        return None
    kept = tuple([item for item in request.headers if item[0] not in MEANINGLESS])
    key = (request.path, credential_scope(request), kept)
    return key if len(request.path) + sum([len(name) + len(value) for name, value in kept]) <= LARGEST else None


def _is_secret(found: Found, read: Mapping[str, Any]) -> bool:
    shape = found.operation.input
    return shape is None or any(shape.members[name].has("sensitive") for name in read)


def _is_blob(found: Found, payload: str) -> bool:
    return found.operation.input is not None and found.operation.input.members[payload].kind == "blob"
