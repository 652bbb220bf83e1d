"""Conditions of statements: operators with IfExists, ForAllValues and ForAnyValue on the keys of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.server.security.policy.operators import OPERATORS, Test
from headrace.server.security.policy.patterns import Context, tokens
from headrace.server.security.policy.patterns import Variable as PolicyVariable

_QUANTIFIERS = {"forallvalues": "all", "foranyvalue": "any"}
_SPELLING = {name.lower(): name for name in (*OPERATORS, "Null")}


@dataclass(frozen=True)
class Operator:
    """An operator as a policy writes it: its plain name, its quantifier ("", "all", "any"), and IfExists."""

    name: str
    quantifier: str = ""
    if_exists: bool = False

    @classmethod
    def read(cls, text: str) -> Operator | None:
        """Return the operator that a text like "ForAnyValue:StringLikeIfExists" names, or None."""
        prefix, colon, rest = text.rpartition(":")
        name = rest.lower()
        if_exists = name.endswith("ifexists")
        found = _SPELLING.get(name.removesuffix("ifexists"))
        quantifier = _QUANTIFIERS.get(prefix.lower(), "")
        if found is None or (colon and not quantifier) or (found == "Null" and if_exists):
            return None
        return cls(found, quantifier, if_exists)


@dataclass(frozen=True)
class Condition:
    """One operator on one key, compiled; `keys` are the lower-case names of all keys that it asks for."""

    operator: Operator
    name: str
    key: str
    values: tuple[str, ...]
    keys: frozenset[str]
    test: Test | None
    negated: bool

    @classmethod
    def of(cls, operator: Operator, name: str, values: Sequence[str], *, variables: bool) -> Condition:
        """Compile what a policy says; `variables` tells that its version has policy variables."""
        key = name.lower()
        if operator.name == "Null":
            return cls(operator, name, key, tuple(values), frozenset((key,)), None, False)
        make, negated = OPERATORS[operator.name]
        variables = variables and operator.name.startswith(("String", "Arn"))
        asked = {
            token.key
            for value in values
            for token in tokens(value, variables=variables, wildcards=False)
            if isinstance(token, PolicyVariable) and token.default is None
        }
        return cls(operator, name, key, tuple(values), frozenset((key, *asked)), make(values, variables), negated)

    def holds(self, context: Context) -> bool:
        """Tell whether a request with these keys meets the condition.

        An absent key meets negated operators, IfExists and ForAllValues, and nothing else
        (AWS: IAM JSON policy elements: Condition operators).
        """
        given = context.get(self.key, ())
        if self.test is None:
            return ("false" if given else "true") in [value.lower() for value in self.values]
        quantifier = self.operator.quantifier
        if not given:
            return self.operator.if_exists or quantifier == "all" or (self.negated and quantifier != "any")
        if not quantifier:
            return any(self.test(value, context) for value in given) is not self.negated
        each = (self.test(value, context) is not self.negated for value in given)
        return all(each) if quantifier == "all" else any(each)
