"""Asks the policies: every operation of every door is authorised here, on the resources of its very request."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.errors import Denied
from headrace.server.guard import conditions
from headrace.server.guard.door import Call, Check, Evidence
from headrace.server.messages import Request
from headrace.server.operations.authorization import WITH_RESOURCE_POLICIES, asking, service_of
from headrace.server.resources import Place


def authorise(
    platform: Platform,
    connection: Connection,
    request: Request,
    evidence: Evidence,
    call: Call,
    checks: Iterable[Check],
) -> None:
    """Raise Denied, with an encoded message of the reasons, unless the policies allow every check.

    Anonymous callers may only try operations that say so.
    """
    checks = tuple(checks)
    caller = evidence.caller
    if caller.kind == "Anonymous" and not call.anonymous:
        raise Denied("the request is not signed; sign it with an access key", code="AccessDenied")
    if caller.kind == "Root" and all(service_of(check.action) not in WITH_RESOURCE_POLICIES for check in checks):
        return
    if not checks:
        return
    keys = conditions.of_request(platform, connection, request, evidence, call)
    place = Place(caller.account or platform.account, call.region, platform.partition)
    asked = asking(platform, connection, caller, place, keys)
    for check in checks:
        for resource in check.resources:
            asked.ask(check.action, asked.resolved(resource), check.conditions)
