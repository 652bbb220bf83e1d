"""Asks the policies: every operation of every door is authorised here, on the resources of its very request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.errors import Denied
from headrace.server.guard import conditions
from headrace.server.guard.door import Call, Check, Evidence
from headrace.server.messages import Request
from headrace.server.operations.identity import permissions
from headrace.server.operations.identity.callers import encode_authorization_message
from headrace.server.operations.storage.permissions import granted
from headrace.server.resources import Place, by_arn
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

ALWAYS_OF_ROOT = frozenset({"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"})
"""What a bucket's policy can't deny to the root user of the bucket's account, who would be locked out else."""


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
    if caller.kind == "Root" and all(_service(check.action) not in WITH_RESOURCE_POLICIES for check in checks):
        return
    if not checks:
        return
    asking = _Asking(
        platform,
        connection,
        Principal.of(caller, permissions.principal_tags(connection, caller)),
        permissions.policies_of(connection, caller),
        conditions.of_request(platform, connection, request, evidence, call),
        Place(caller.account or platform.account, call.region, platform.partition),
    )
    for check in checks:
        for resource in check.resources:
            asking.ask(check, asking.resolved(resource))


@dataclass(frozen=True)
class _Asking:
    """One request's questions: who asks, by which policies, under which condition keys."""

    platform: Platform
    connection: Connection
    principal: Principal
    policies: PolicySet
    keys: conditions.Keys
    place: Place

    def ask(self, check: Check, resource: str) -> None:
        """Raise Denied unless the policies allow a check on a resource."""
        holder = _policy_holder(resource)
        owner, own = self._resource_policy(check.action, resource, holder)
        policies = replace(self.policies, resource=own, resource_must_allow=_needs_trust(check.action, resource))
        account = Question(check.action, resource, self.principal, {}, owner).owner if resource != "*" else ""
        stored = conditions.of_resource(self.connection, resource, holder, account, _asked(policies))
        question = Question(check.action, resource, self.principal, {**self.keys, **stored, **check.conditions}, owner)
        decision = evaluate(question, policies)
        if decision.allowed or granted(self.connection, decision, question, self.policies):
            return
        if self.principal.kind == "Root" and check.action in ALWAYS_OF_ROOT and account == self.principal.account:
            return
        platform = self.platform
        message = encode_authorization_message(platform.keyring, platform.account, explain(decision, question))
        raise Denied(refusal(decision, question), code="AccessDenied", details={"headers": {MESSAGE_HEADER: message}})

    def resolved(self, resource: str) -> str:
        """Return the ARN of a resource that the request names without its path, the caller's where it names none."""
        if not isinstance(resource, Unresolved):
            return resource
        if not resource.name:
            return self.principal.entity
        return permissions.resolve(self.connection, self.place, resource.kind, resource.name) or str(resource)

    def _resource_policy(self, action: str, resource: str, holder: str) -> tuple[str, Policy | None]:
        """Return the account that owns a resource ("" where that is not told) and the resource's own policy."""
        if resource == "*" or _service(action) not in WITH_RESOURCE_POLICIES:
            return "", None
        stored = by_arn(self.connection, holder)
        if stored is None:
            return "", None
        kind: PolicyKind = "trust" if _service(action) == "sts" else "resource"
        return stored.account, parse_policy(stored.policy, kind) if stored.policy else None


def _policy_holder(arn: str) -> str:
    """Return the ARN whose policy and tags speak for a resource: a bucket's for its objects."""
    return arn.partition("/")[0] if ":s3:::" in arn else arn


def _needs_trust(action: str, resource: str) -> bool:
    return action in TRUST_ACTIONS and ":federated-user/" not in resource


def _asked(policies: PolicySet) -> set[str]:
    """Return the lower-case names of the condition keys that any of the policies asks for."""
    held = [attached.policy for attached in policies.identity]
    held += [each for each in (policies.resource, policies.boundary, *(policies.session or ())) if each is not None]
    return {key.lower() for policy in held for key in policy.keys}


def _service(action: str) -> str:
    return action.partition(":")[0]
