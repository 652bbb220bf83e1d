"""What policies are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from headrace.server.security.credentials import Caller
from headrace.server.security.policy.documents import Policy
from headrace.server.security.policy.patterns import Context
from headrace.server.security.policy.statements import Statement

_TYPES = {
    "Root": "Account",
    "IAMUser": "User",
    "AssumedRole": "AssumedRole",
    "FederatedUser": "FederatedUser",
    "Anonymous": "Anonymous",
}


@dataclass(frozen=True)
class Principal:
    """Who asks.

    `kind` is that of Caller, or "WebIdentityUser" and "SAMLUser" in trust policies. `arn` is the user, root or session;
    `entity` the ARN whose identity policies count (the role of a session, the user of a federated one). Policies may
    name `unique_ids` instead (AIDA…, AROA…). `service` is a service principal ("sagemaker.amazonaws.com"), `federated`
    an identity provider, `canonical_user` the account's canonical user ID.
    """

    kind: str
    account: str
    arn: str
    user_id: str = ""
    name: str = ""
    entity: str = ""
    unique_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    federated: str = ""
    canonical_user: str = ""

    @classmethod
    def of(cls, caller: Caller, tags: Mapping[str, str] | None = None) -> Principal:
        """Return the principal of an authenticated caller; `tags` are those of its user or role."""
        return cls(
            kind=caller.kind,
            account=caller.account,
            arn=caller.arn,
            user_id=caller.user_id,
            name=caller.name,
            entity=caller.principal,
            unique_ids=(caller.user_id.partition(":")[0],) if caller.kind in ("IAMUser", "AssumedRole") else (),
            tags={**(tags or {}), **caller.session_tags},
            service=caller.name if caller.kind == "AWSService" else "",
        )

    @cached_property
    def context(self) -> Context:
        """The context keys that follow from the principal alone, by lower-case name."""
        session = self.kind == "AssumedRole"
        facts = {
            "aws:principalarn": self.entity if session and self.entity else self.arn,
            "aws:principalaccount": self.account,
            "aws:principaltype": _TYPES.get(self.kind, ""),
            "aws:userid": self.user_id,
            "aws:username": self.name if self.kind == "IAMUser" else "",
            "aws:principalisawsservice": "true" if self.kind == "AWSService" else "false",
            "aws:principalservicename": self.service,
        }
        facts |= {f"aws:principaltag/{key.lower()}": value for key, value in self.tags.items()}
        return {key: (value,) for key, value in facts.items() if value or key.startswith("aws:principaltag/")}


@dataclass(frozen=True)
class Question:
    """Whether `principal` may do `action` on `resource`.

    `context` holds further condition keys (names in any case); those of the principal are added. `resource_account`
    owns the resource; without it the ARN tells, and an ARN without account (S3) is in the principal's own.
    """

    action: str
    resource: str
    principal: Principal
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resource_account: str = ""

    @cached_property
    def keys(self) -> Context:
        """All context keys, by lower-case name; those without a value are left out."""
        given = {name.lower(): values for name, values in self.context.items() if values}
        return {**self.principal.context, **given}

    @cached_property
    def owner(self) -> str:
        """The account that owns the resource."""
        if self.resource_account:
            return self.resource_account
        parts = self.resource.split(":", 5)
        account = parts[4] if len(parts) == 6 else ""
        return account if account.isdigit() else self.principal.account


@dataclass(frozen=True)
class Attached:
    """An identity policy, and where it comes from: its name or ARN, and AWS's PolicySourceType ("user", "role", …)."""

    policy: Policy
    source: str
    type: str = "none"


@dataclass(frozen=True)
class PolicySet:
    """All policies that bear on a question.

    The session's policies are one set: what one of them allows is allowed; None means that the session was made without
    any. Each of `service_control` is a level of an organization, and all levels must allow. `resource_must_allow` is
    for trust policies and key policies: nothing is allowed unless the resource's own policy says so.
    """

    identity: tuple[Attached, ...] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_must_allow: bool = False


Kind = Literal["identity", "resource", "boundary", "session", "service control"]


@dataclass(frozen=True)
class Match:
    """A statement that applied to a question, and the policy that holds it."""

    statement: Statement
    kind: Kind
    source: str = ""
    type: str = "none"
    policy: Policy | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Decision:
    """The answer: `effect` is AWS's EvalDecision; `matched` the statements that determined it.

    `missing` are the condition keys that statements asked for and the question lacks, by the names the policies use.
    `lacking` is the kind of policy that would have to allow (on an implicit deny). `boundary_allows` and
    `service_control_allows` are None where there is no such policy.
    """

    effect: Literal["allowed", "explicitDeny", "implicitDeny"]
    matched: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    lacking: str = ""
    boundary_allows: bool | None = None
    service_control_allows: bool | None = None

    @property
    def allowed(self) -> bool:
        """Tell whether the question is answered with yes."""
        return self.effect == "allowed"
