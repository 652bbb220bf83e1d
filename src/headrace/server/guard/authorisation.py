"""Asks the policies: every operation of every door is authorised here, on the resources of its very request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from headrace.server.clock import moment
from headrace.server.context import Platform
from headrace.server.errors import Denied
from headrace.server.guard.door import Call, Check
from headrace.server.messages import Request
from headrace.server.operations.identity import mfa, permissions
from headrace.server.operations.identity.callers import encode_authorization_message
from headrace.server.operations.storage.permissions import existing_tags, granted
from headrace.server.resources import Place, by_arn, tags_of
from headrace.server.security.credentials import Caller
from headrace.server.security.policy import (
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    Question,
    Unresolved,
    evaluate,
    explain,
    parse_policy,
    refusal,
)

MESSAGE_HEADER = "x-amzn-authorization-message"
"""The header of a refusal that holds the encoded message for DecodeAuthorizationMessage."""

WITH_RESOURCE_POLICIES = frozenset({"s3", "sts"})
"""Services whose resources carry policies of their own."""

TRUST_ACTIONS = frozenset({"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"})
"""Actions that a role's trust policy must allow explicitly."""


def authorise(
    platform: Platform, connection: Connection, request: Request, caller: Caller, call: Call, checks: Iterable[Check]
) -> None:
    """Raise Denied, with an encoded message of the reasons, unless the policies allow every check.

    Anonymous callers may only try operations that say so.
    """
    checks = tuple(checks)
    if not checks:
        return
    if caller.kind == "Anonymous" and not call.anonymous:
        raise Denied("the request is not signed; sign it with an access key", code="AccessDenied")
    if caller.kind == "Root" and all(_service(check) not in WITH_RESOURCE_POLICIES for check in checks):
        return
    policies = permissions.policies_of(connection, caller)
    principal = Principal.of(caller, permissions.principal_tags(connection, caller))
    context = request_context(platform, request, caller, call)
    if code := call.parameters.get("token_code"):
        serial_number = call.parameters.get("serial_number", "")
        shown = mfa.presented(platform, connection, caller, serial_number, code, platform.clock())
        context["aws:MultiFactorAuthPresent"] = ("true" if shown else "false",)
    for check in checks:
        for resource in check.resources:
            named = _resolved(platform, connection, caller, call, resource)
            _ask(platform, connection, check, named, principal, policies, context)


def request_context(platform: Platform, request: Request, caller: Caller, call: Call) -> dict[str, tuple[str, ...]]:
    """Return the global condition keys that follow from the request itself (AWS global condition context keys)."""
    now = platform.clock()
    context: dict[str, tuple[str, ...]] = {
        "aws:CurrentTime": (moment(now).strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:EpochTime": (str(now // 1000),),
        "aws:RequestedRegion": (call.region,),
        "aws:SecureTransport": ("true" if request.secure else "false",),
        "aws:SourceIp": (request.client,),
        "aws:UserAgent": (request.header.get("user-agent", ""),),
        "aws:ViaAWSService": ("false",),
    }
    if referer := request.header.get("referer"):
        context["aws:Referer"] = (referer,)
    if caller.session_expires:
        context["aws:TokenIssueTime"] = (moment(caller.session_issued).strftime("%Y-%m-%dT%H:%M:%SZ"),)
        context["aws:MultiFactorAuthPresent"] = ("true" if caller.mfa_present else "false",)
    if caller.source_identity:
        context["aws:SourceIdentity"] = (caller.source_identity,)
    return context


def _ask(
    platform: Platform,
    connection: Connection,
    check: Check,
    resource: str,
    principal: Principal,
    policies: PolicySet,
    context: dict[str, tuple[str, ...]],
) -> None:
    keys = {**context, **check.conditions}
    owner, own = _resource_policy(connection, check, resource)
    if _asks_for_tags(policies, own):
        for key, value in tags_of(connection, policy_holder(resource)).items():
            keys[f"aws:ResourceTag/{key}"] = keys[f"s3:BucketTag/{key}"] = (value,)
        keys |= existing_tags(connection, resource)
    question = Question(check.action, resource, principal, keys, owner)
    decision = evaluate(question, replace(policies, resource=own, resource_must_allow=check.action in TRUST_ACTIONS))
    if not decision.allowed and not granted(connection, decision, question, policies):
        message = encode_authorization_message(platform.keyring, platform.account, explain(decision, question))
        raise Denied(
            refusal(decision, question),
            code="AccessDenied",
            details={"headers": {MESSAGE_HEADER: message}},
        )


def policy_holder(arn: str) -> str:
    """Return the ARN whose policy speaks for a resource: a bucket's for its objects."""
    return arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else arn


def _resource_policy(connection: Connection, check: Check, resource: str) -> tuple[str, Policy | None]:
    """Return the account that owns a resource ("" where that is not told) and the resource's own policy."""
    if resource == "*" or _service(check) not in WITH_RESOURCE_POLICIES:
        return "", None
    holder = by_arn(connection, policy_holder(resource))
    if holder is None:
        return "", None
    kind: PolicyKind = "trust" if _service(check) == "sts" else "resource"
    return holder.account, parse_policy(holder.policy, kind) if holder.policy else None


def _resolved(platform: Platform, connection: Connection, caller: Caller, call: Call, resource: str) -> str:
    if not isinstance(resource, Unresolved):
        return resource
    if not resource.name:
        return caller.principal
    place = Place(caller.account or platform.account, call.region, platform.partition)
    return permissions.resolve(connection, place, resource.kind, resource.name) or str(resource)


def _asks_for_tags(policies: PolicySet, own: Policy | None) -> bool:
    held = [attached.policy for attached in policies.identity]
    held += [each for each in (own, policies.boundary, *(policies.session or ())) if each is not None]
    return any("tag/" in key.lower() for policy in held for key in policy.keys)


def _service(check: Check) -> str:
    return check.action.partition(":")[0]
