"""Statements of a policy, compiled once so that asking them costs little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.server.security.policy.conditions import Condition
from headrace.server.security.policy.patterns import Patterns
from headrace.server.security.policy.principals import Naming, Principals

if TYPE_CHECKING:
    from headrace.server.security.policy.questions import Principal, Question


@dataclass(frozen=True)
class Statement:
    """One statement; the `not_…` members tell that an element is the negated one (NotAction, …).

    `index` counts from 0; `document` is the statement as the policy writes it, its elements as lists. A statement
    without principals or resources is not limited to any.
    """

    index: int
    sid: str
    allows: bool
    actions: Patterns = field(repr=False)
    resources: Patterns | None = field(default=None, repr=False)
    principals: Principals | None = field(default=None, repr=False)
    conditions: tuple[Condition, ...] = field(default=(), repr=False)
    not_actions: bool = False
    not_resources: bool = False
    not_principals: bool = False
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def asks_for(self) -> frozenset[str]:
        """The lower-case names of all context keys that the statement asks for."""
        own = self.resources.keys if self.resources is not None else frozenset()
        return own.union(*(condition.keys for condition in self.conditions))

    def about(self, action: str) -> bool:
        """Tell whether the statement is about an action."""
        return self.actions.match(action, {}) is not self.not_actions

    def covers(self, resource: str, question: Question) -> bool:
        """Tell whether the statement covers a resource."""
        if self.resources is None:
            return True
        return self.resources.match(resource, question.keys if self.resources.keys else {}) is not self.not_resources

    def names(self, principal: Principal, *, bounded: bool = False) -> Naming:
        """Return how closely the statement names a principal; a policy of an identity names it by itself.

        A denying NotPrincipal spares nobody who has a permissions boundary, `bounded`
        (AWS: Permissions boundaries for IAM entities).
        """
        if self.principals is None:
            return Naming.SELF
        if not self.not_principals:
            return self.principals.name(principal)
        if self.allows:
            return Naming.NOT if self.principals.name(principal) else Naming.SELF
        return Naming.NOT if not bounded and self.principals.exempts(principal) else Naming.SELF

    def holds(self, question: Question) -> bool:
        """Tell whether all conditions of the statement hold."""
        if not self.conditions:
            return True
        keys = question.keys
        return all(condition.holds(keys) for condition in self.conditions)

    def missing(self, question: Question) -> set[str]:
        """Return the condition keys that the statement asks for and the question lacks, as the policy writes them."""
        keys = question.keys
        if self.asks_for <= keys.keys():
            return set()
        missing: set[str] = set()
        for condition in self.conditions:
            missing |= {condition.name if key == condition.key else key for key in condition.keys if key not in keys}
        if self.resources is not None:
            missing |= {key for key in self.resources.keys if key not in keys}
        return missing
