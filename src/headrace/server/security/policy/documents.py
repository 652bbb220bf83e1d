"""Policy documents: checked in AWS's order with AWS's sentences, compiled once, found again by their text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

from headrace.server.errors import LimitExceeded
from headrace.server.security.policy.conditions import Condition, Operator
from headrace.server.security.policy.grammar import PolicyError, read
from headrace.server.security.policy.legality import check
from headrace.server.security.policy.patterns import Patterns
from headrace.server.security.policy.principals import Principals
from headrace.server.security.policy.statements import Statement

PolicyKind = Literal["identity", "resource", "trust", "boundary", "session"]

LIMITS: Mapping[str, int] = {
    "managed": 6144,
    "user": 2048,
    "group": 5120,
    "role": 10240,
    "trust": 2048,
    "session": 2048,
    "bucket": 20480,
    "key": 32768,
}
"""Most characters, white space apart, of a managed policy, of all inline ones of an entity together, and of others."""

_MOST_ACTIONS = 512


@dataclass(frozen=True, eq=False)
class Policy:
    """A checked and compiled policy document; `text` is what was given."""

    text: str = field(repr=False)
    kind: PolicyKind
    version: str
    statements: tuple[Statement, ...]
    _found: dict[str, tuple[Statement, ...]] = field(default_factory=dict, repr=False)

    def about(self, action: str) -> tuple[Statement, ...]:
        """Return the statements that are about an action; remembered for the actions asked for lately."""
        found = self._found.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.about(action))
            if len(self._found) >= _MOST_ACTIONS:
                self._found.clear()
            self._found[action] = found
        return found

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The context keys that the policy asks for, in order (GetContextKeysForCustomPolicy)."""
        return tuple(sorted({key for statement in self.statements for key in _keys(statement)}, key=str.lower))


def _keys(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        yield from (condition.name if key == condition.key else key for key in condition.keys)
    if statement.resources is not None:
        yield from statement.resources.keys


def policy_size(text: str) -> int:
    """Return the number of characters that AWS counts: all but white space."""
    return len("".join(text.split()))


def parse_policy(text: str, kind: PolicyKind = "identity", *, limit: int = 0) -> Policy:
    """Return the checked and compiled policy of a document.

    `limit` is the most characters it may have (LIMITS; 0: any). Raises PolicyError (code MalformedPolicyDocument), and
    LimitExceeded past the limit. AWS: IAM JSON policy element reference; IAM and AWS STS quotas.
    """
    if limit and policy_size(text) > limit:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {limit}", code="LimitExceeded", status=409)
    return _policy(text, kind)


@lru_cache(4096)
def _policy(text: str, kind: PolicyKind) -> Policy:
    document = read(text)
    check(document, kind)
    version = document.get("Version", "2008-10-17")
    statements = tuple(_statement(n, each, version) for n, each in enumerate(document["Statement"]))
    return Policy(text, kind, version, statements)


def _statement(index: int, document: Mapping[str, Any], version: str) -> Statement:
    variables = version == "2012-10-17"
    resources = document.get("Resource", document.get("NotResource"))
    principals = document.get("Principal", document.get("NotPrincipal"))
    conditions = tuple(
        Condition.of(operator, name, values, variables=variables)
        for text, keys in document["Condition"].items()
        for name, values in keys.items()
        if (operator := Operator.read(text)) is not None
    )
    return Statement(
        index=index,
        sid=document.get("Sid", ""),
        allows=document["Effect"] == "Allow",
        actions=Patterns(document.get("Action", document.get("NotAction")), fold=True),
        resources=None if resources is None else Patterns(resources, variables=variables, segmented=True),
        principals=None if principals is None else Principals.of(principals),
        conditions=conditions,
        not_actions="NotAction" in document,
        not_resources="NotResource" in document,
        not_principals="NotPrincipal" in document,
        document=document,
    )


__all__ = ["LIMITS", "Policy", "PolicyError", "PolicyKind", "parse_policy", "policy_size"]
