"""The decision: AWS's policy evaluation logic, in one account and across accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from headrace.server.security.policy.documents import Policy
from headrace.server.security.policy.principals import Naming
from headrace.server.security.policy.questions import Decision, Kind, Match, PolicySet, Question

_UNLIMITED = ("AWSService", "Anonymous", "WebIdentityUser", "SAMLUser")
"""Kinds of principals that have no identity policies: the resource's policy alone decides."""


@dataclass
class _Findings:
    """Statements that applied, as they are found."""

    denies: list[Match] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def ask(
        self,
        question: Question,
        policy: Policy,
        kind: Kind,
        source: str = "",
        type: str = "none",
        bounded: bool = False,
    ) -> list[tuple[Match, Naming]]:
        """Return the statements of a policy that allow; keep those that deny, and the keys that were missing."""
        allows = []
        for statement in policy.about(question.action):
            naming = statement.names(question.principal, bounded=bounded)
            if not naming:
                continue
            if statement.covers(question.resource, question):
                if statement.conditions:
                    self.missing |= statement.missing(question)
                    if not statement.holds(question):
                        continue
                match = Match(statement, kind, source, type, policy)
                if statement.allows:
                    allows.append((match, naming))
                else:
                    self.denies.append(match)
            elif statement.resources is not None and statement.resources.keys:
                self.missing |= statement.missing(question)
        return allows

    def allowed_by(self, question: Question, policies: Iterable[Policy], kind: Kind) -> bool:
        """Tell whether one of several policies allows; all are asked, for their denials."""
        allows = [self.ask(question, policy, kind) for policy in policies]
        return any(allows)


def evaluate(question: Question, policies: PolicySet) -> Decision:
    """Decide a question; an explicit denial wins, and what nothing allows is denied.

    AWS: Policy evaluation logic; Cross-account policy evaluation logic; Permissions boundaries for IAM entities.
    """
    findings = _Findings()
    identity = [
        match
        for attached in policies.identity
        for match, _ in findings.ask(question, attached.policy, "identity", attached.source, attached.type)
    ]
    resource: list[tuple[Match, Naming]] = []
    if policies.resource is not None:
        bounded = policies.boundary is not None
        resource = findings.ask(question, policies.resource, "resource", type="resource", bounded=bounded)
    boundary = None if policies.boundary is None else findings.allowed_by(question, (policies.boundary,), "boundary")
    session = None if policies.session is None else findings.allowed_by(question, policies.session, "session")
    control = None
    if policies.service_control:
        levels = [findings.allowed_by(question, level, "service control") for level in policies.service_control]
        control = all(levels)
    if question.principal.kind == "FederatedUser":
        session = bool(session)
    missing = tuple(sorted(findings.missing)) if findings.missing else ()
    if findings.denies:
        return Decision("explicitDeny", tuple(findings.denies), missing, "", boundary, control)
    lacking = _lacking(question, policies, bool(identity), resource, boundary, session, control)
    if lacking:
        return Decision("implicitDeny", (), missing, lacking, boundary, control)
    return Decision("allowed", (*identity, *(match for match, _ in resource)), missing, "", boundary, control)


def _lacking(
    question: Question,
    policies: PolicySet,
    identity: bool,
    resource: list[tuple[Match, Naming]],
    boundary: bool | None,
    session: bool | None,
    control: bool | None,
) -> str:
    """Return the kind of policy that would have to allow and doesn't, or "" when all that must allow do."""
    principal = question.principal
    naming = max((naming for _, naming in resource), default=Naming.NOT)
    if principal.kind in _UNLIMITED:
        return "" if naming is Naming.SELF else "resource-based"
    if control is False:
        return "service control"
    same_account = question.owner == principal.account
    if same_account and naming is Naming.SELF:
        return ""
    if not naming and (policies.resource_must_allow or not same_account):
        return "resource-based"
    granted = same_account and naming is Naming.ENTITY
    if principal.kind == "Root":
        return ""
    if not identity and not granted:
        return "identity-based"
    if boundary is False:
        return "permissions boundary"
    return "session" if session is False else ""
