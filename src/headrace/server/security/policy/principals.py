"""The Principal element: whom a resource's policy names, and how closely."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.server.security.policy.questions import Principal

SESSIONS = ("AssumedRole", "FederatedUser")
"""Kinds of principals whose policies are those of another: the role of a session, the user of a federated one."""

_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?")


class Naming(IntEnum):
    """How closely a statement names a principal: not, by its account, by the role or user behind a session, itself."""

    NOT = 0
    ACCOUNT = 1
    ENTITY = 2
    SELF = 3


@dataclass(frozen=True)
class Principals:
    """The principals of one element, compiled from {"AWS": […], "Service": […], …} or "*"."""

    everyone: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    others: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, element: Mapping[str, Iterable[str]]) -> Principals:
        """Compile the element; "*" is given as {"*": ["*"]}."""
        named = [*element.get("AWS", ()), *element.get("*", ())]
        accounts = {name: match[1] for name in named if (match := _ACCOUNT.fullmatch(name))}
        others = {kind: frozenset(names) for kind, names in element.items() if kind not in ("AWS", "*")}
        arns = frozenset(name for name in named if name != "*" and name not in accounts)
        return cls("*" in named, frozenset(accounts.values()), arns, others)

    def name(self, principal: Principal) -> Naming:
        """Return how closely the element names a principal."""
        if self.everyone or principal.arn in self.arns or self._otherwise(principal):
            return Naming.SELF
        account = principal.account in self.accounts or principal.canonical_user in self.others.get("CanonicalUser", ())
        if account and principal.kind == "Root":
            return Naming.SELF
        if principal.entity in self.arns or not self.arns.isdisjoint(principal.unique_ids):
            return Naming.ENTITY if principal.kind in SESSIONS else Naming.SELF
        return Naming.ACCOUNT if account else Naming.NOT

    def exempts(self, principal: Principal) -> bool:
        """Tell whether the element, as NotPrincipal of a Deny, spares a principal.

        It must name the principal itself, and the role of a session as well; its account alone does not spare it
        (AWS: IAM JSON policy elements: NotPrincipal).
        """
        if self.name(principal) is not Naming.SELF:
            return False
        session = principal.kind in SESSIONS and not self.everyone
        return not session or principal.entity in self.arns or not self.arns.isdisjoint(principal.unique_ids)

    def _otherwise(self, principal: Principal) -> bool:
        return (bool(principal.service) and _listed(principal.service, self.others.get("Service", ()))) or (
            bool(principal.federated) and _listed(principal.federated, self.others.get("Federated", ()))
        )


def _listed(name: str, names: Iterable[str]) -> bool:
    return name in names or "*" in names
