"""Asks the policies: whether a caller may do an action on a resource."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.errors import Denied
from headrace.server.operations.identity import permissions
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
from headrace.server.stores.metadata.remembering import remembered

Keys = dict[str, tuple[str, ...]]

MESSAGE_HEADER = "x-amzn-authorization-message"
"""The header of a refusal that holds the encoded message for DecodeAuthorizationMessage."""

WITH_RESOURCE_POLICIES = frozenset({"s3", "sts"})
"""Services whose resources carry policies of their own."""

TRUST_ACTIONS = frozenset({"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"})
"""Actions that a role's trust policy must allow explicitly."""

ALWAYS_OF_ROOT = frozenset({"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"})
"""What a bucket's policy can't deny to the root user of the bucket's account, who would be locked out else."""


@dataclass(frozen=True)
class Asking:
    """One caller's questions: who asks, by which policies, under which condition keys."""

    platform: Platform
    connection: Connection
    principal: Principal
    policies: PolicySet
    keys: Keys
    place: Place

    def ask(self, action: str, resource: str, conditions: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Raise Denied, with an encoded message of the reasons, unless the policies allow an action on a resource."""
        holder = _policy_holder(resource)
        owner, own = self._resource_policy(action, resource, holder)
        policies = replace(self.policies, resource=own, resource_must_allow=_needs_trust(action, resource))
        account = Question(action, resource, self.principal, {}, owner).owner if resource != "*" else ""
        stored = of_resource(self.connection, resource, holder, account, _asked(policies))
        question = Question(action, resource, self.principal, {**self.keys, **stored, **(conditions or {})}, owner)
        decision = evaluate(question, policies)
        if decision.allowed or granted(self.connection, decision, question, self.policies):
            return
        if self.principal.kind == "Root" and action in ALWAYS_OF_ROOT and account == self.principal.account:
            return
        platform = self.platform
        message = encode_authorization_message(platform.keyring, platform.account, explain(decision, question))
        raise Denied(refusal(decision, question), details={"headers": {MESSAGE_HEADER: message}})

    def resolved(self, resource: str) -> str:
        """Return the ARN of a resource that the request names without its path, the caller's where it names none."""
        if not isinstance(resource, Unresolved):
            return resource
        if not resource.name:
            return self.principal.entity
        return permissions.resolve(self.connection, self.place, resource.kind, resource.name) or str(resource)

    def _resource_policy(self, action: str, resource: str, holder: str) -> tuple[str, Policy | None]:
        """Return the account that owns a resource ("" where that is not told) and the resource's own policy."""
        if resource == "*" or service_of(action) not in WITH_RESOURCE_POLICIES:
            return "", None
        stored = by_arn(self.connection, holder)
        if stored is None:
            return "", None
        kind: PolicyKind = "trust" if service_of(action) == "sts" else "resource"
        return stored.account, parse_policy(stored.policy, kind) if stored.policy else None


def asking(platform: Platform, connection: Connection, caller: Caller, place: Place, keys: Keys) -> Asking:
    """Return what asks a caller's policies; `keys` are the condition keys of whatever it is doing."""

    def read() -> tuple[Caller, Principal, PolicySet]:
        principal = Principal.of(caller, permissions.principal_tags(connection, caller))
        return caller, principal, permissions.policies_of(connection, caller)

    whose, principal, policies = remembered(connection, ("policies", caller.access_key_id, caller.arn), read)
    if whose != caller:
        _, principal, policies = read()
    return Asking(platform, connection, principal, policies, keys, place)


def of_resource(connection: Connection, resource: str, holder: str, account: str, asked: Set[str]) -> Keys:
    """Return the keys that follow from what is stored of a resource, as far as policies ask for them.

    `holder` is the ARN that has its tags, `account` owns it, `asked` are the lower-case names of keys. AWS pages:
    "Actions, resources, and condition keys" for AWS IAM and for Amazon S3.
    """
    keys: Keys = {}
    if account:
        keys["aws:ResourceAccount"] = keys["s3:ResourceAccount"] = (account,)
    if any("tag/" in key for key in asked):
        keys |= _tags(tags_of(connection, holder), "aws:ResourceTag/", "iam:ResourceTag/", "s3:BucketTag/")
        keys |= existing_tags(connection, resource)
    if "iam:permissionsboundary" in asked and (boundary := permissions.boundary_of(connection, resource)):
        keys["iam:PermissionsBoundary"] = (boundary,)
    return keys


def _tags(tags: Mapping[str, str], *prefixes: str) -> Keys:
    return {f"{prefix}{key}": (value,) for key, value in tags.items() for prefix in prefixes}


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


def service_of(action: str) -> str:
    """Return the prefix of an action: "s3" of "s3:GetObject"."""
    return action.partition(":")[0]
