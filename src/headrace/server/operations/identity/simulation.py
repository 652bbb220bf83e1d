"""The policy simulator: what principals, or policies that are only thought of, would be allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.identity.entities import GROUP, ROLE, USER, part
from headrace.server.operations.identity.permissions import policies_held
from headrace.server.resources import Stored, by_arn, tags_of
from headrace.server.security.policy import Attached, PolicySet, Principal, parse_policy, simulate

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_KINDS = {USER.kind: "IAMUser", ROLE.kind: "AssumedRole", GROUP.kind: "IAMUser"}


def simulate_principal_policy(
    context: Context,
    *,
    policy_source_arn: str,
    action_names: list[str],
    policy_input_list: list[str] | None = None,
    permissions_boundary_policy_input_list: list[str] | None = None,
    policy_exclusion_list: list[dict[str, Any]] | None = None,
    resource_arns: list[str] | None = None,
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: list[dict[str, Any]] | None = None,
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Tell what a user, group or role may do, with further policies if given. AWS page: SimulatePrincipalPolicy."""
    source = _source(context, policy_source_arn)
    identity, boundary = policies_held(context.connection, source.record["id"])
    kept = tuple(each for each in identity if not _excluded(each, policy_exclusion_list))
    held = PolicySet(identity=(*kept, *_given(policy_input_list)), boundary=boundary)
    policies = _completed(held, permissions_boundary_policy_input_list, resource_policy)
    if caller_arn is None and resource_policy is not None and source.kind != USER.kind:
        raise InvalidInput("CallerArn is required to simulate a resource policy for a group or role; pass a user's ARN")
    principal = _principal(context, caller_arn, source)
    return _simulated(
        context, principal, policies, action_names, resource_arns, context_entries, resource_owner, max_items, marker
    )


def simulate_custom_policy(
    context: Context,
    *,
    policy_input_list: list[str],
    action_names: list[str],
    permissions_boundary_policy_input_list: list[str] | None = None,
    ordered_organization_policy_input_list: list[dict[str, Any]] | None = None,
    resource_arns: list[str] | None = None,
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: list[dict[str, Any]] | None = None,
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Tell what policies would allow whoever had them. AWS page: SimulateCustomPolicy."""
    policies = _completed(
        PolicySet(identity=_given(policy_input_list)), permissions_boundary_policy_input_list, resource_policy
    )
    levels = tuple(
        tuple(parse_policy(text) for text in each.get("service_control_policy_input_list", ()))
        for each in ordered_organization_policy_input_list or ()
    )
    if resource_policy is not None and caller_arn is None:
        raise InvalidInput("CallerArn is required with ResourcePolicy; pass the ARN of the user to simulate")
    return _simulated(
        context,
        _principal(context, caller_arn, None),
        replace(policies, service_control=levels),
        action_names,
        resource_arns,
        context_entries,
        resource_owner,
        max_items,
        marker,
    )


def get_context_keys_for_custom_policy(context: Context, *, policy_input_list: list[str]) -> dict[str, Any]:
    """Return the condition keys that policies ask for. AWS page: GetContextKeysForCustomPolicy."""
    return {"context_key_names": _keys(_given(policy_input_list))}


def get_context_keys_for_principal_policy(
    context: Context, *, policy_source_arn: str, policy_input_list: list[str] | None = None
) -> dict[str, Any]:
    """Return the condition keys that a principal's policies ask for. AWS page: GetContextKeysForPrincipalPolicy."""
    source = _source(context, policy_source_arn)
    identity, _ = policies_held(context.connection, source.record["id"])
    return {"context_key_names": _keys((*identity, *_given(policy_input_list)))}


def _simulated(
    context: Context,
    principal: Principal,
    policies: PolicySet,
    actions: Sequence[str],
    resources: Sequence[str] | None,
    entries: Sequence[Mapping[str, Any]] | None,
    owner: str | None,
    max_items: int | None,
    marker: str | None,
) -> dict[str, Any]:
    wrong = next((each for each in actions if not _ACTION.fullmatch(each)), None)
    if wrong is not None:
        raise InvalidInput(f"Invalid simulation action {wrong!r}; name one as service:Action, like s3:GetObject")
    if not all("context_key_name" in each for each in entries or ()):
        raise InvalidInput("An entry of ContextEntries has no ContextKeyName; name the key whose values it gives")
    keys = {each["context_key_name"]: tuple(each.get("context_key_values", ())) for each in entries or ()}
    account = re.fullmatch(r"arn:[\w-]+:iam::(\d{12}):root|(\d{12})", owner or "")
    results = simulate(
        principal,
        policies,
        actions,
        resources or ("*",),
        context=keys,
        resource_account=(account[1] or account[2]) if account else "",
    )
    numbered = [(f"{index:06}", result) for index, result in enumerate(results)]
    found, paging = part(context, numbered, "simulation", marker=marker, max_items=max_items)
    return {"evaluation_results": found, **paging}


def _source(context: Context, arn: str) -> Stored:
    stored = by_arn(context.connection, arn)
    if stored is None or stored.kind not in _KINDS or stored.account != context.place.account:
        raise NotFound(f"Entity {arn} does not exist; pass the ARN of a user, group or role")
    return stored


def _principal(context: Context, caller_arn: str | None, source: Stored | None) -> Principal:
    entity = source
    if caller_arn is not None:
        entity = by_arn(context.connection, caller_arn)
        if entity is None or entity.kind != USER.kind:
            raise InvalidInput(f"CallerArn {caller_arn} is not a user of this account; pass a user's ARN")
    if entity is None:
        account = context.place.account
        return Principal("IAMUser", account, f"arn:{context.place.partition}:iam::{account}:user/simulated")
    return Principal(
        kind=_KINDS[entity.kind],
        account=entity.account,
        arn=entity.arn,
        user_id=entity.record["id"],
        name=entity.name if entity.kind == USER.kind else "",
        entity=entity.arn,
        unique_ids=(entity.record["id"],),
        tags=tags_of(context.connection, entity.arn),
    )


def _completed(policies: PolicySet, boundaries: Sequence[str] | None, resource_policy: str | None) -> PolicySet:
    if boundaries:
        policies = replace(policies, boundary=parse_policy(boundaries[0], "boundary"))
    if resource_policy is not None:
        policies = replace(policies, resource=parse_policy(resource_policy, "resource"))
    return policies


def _given(documents: Sequence[str] | None) -> tuple[Attached, ...]:
    return tuple(
        Attached(parse_policy(text), f"PolicyInputList.{number}") for number, text in enumerate(documents or (), 1)
    )


def _excluded(policy: Attached, exclusions: Sequence[Mapping[str, Any]] | None) -> bool:
    names = {
        each.get("inline_policy_identifier", {}).get("policy_name") or each.get("policy_arn", "").rpartition("/")[2]
        for each in exclusions or ()
    }
    return policy.source in names


def _keys(policies: Sequence[Attached]) -> list[str]:
    return sorted({key for each in policies for key in each.policy.keys})
