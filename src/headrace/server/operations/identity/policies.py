"""Managed policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, insert, select

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InUse
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.entities import POLICY, create, described, paging, remove, tag_list, under_path
from headrace.server.operations.identity.managed import (
    AWS_POLICIES_SINCE,
    AwsPolicy,
    any_policy,
    aws_policies,
    own_policy,
)
from headrace.server.resources import Stored
from headrace.server.security.policy import LIMITS, parse_policy
from headrace.server.stores.metadata.tables.identity import IDENTITY_POLICIES, POLICY_VERSIONS
from headrace.server.stores.metadata.tables.resources import RESOURCES

USAGES = {"PermissionsPolicy": (grants.ATTACHED,), "PermissionsBoundary": (grants.BOUNDARY,)}
EVERY_USAGE = (grants.ATTACHED, grants.BOUNDARY)
_PAGE = 100


def create_policy(
    context: Context,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a managed policy with its first version, v1; raises AlreadyExists. AWS page: CreatePolicy."""
    parse_policy(policy_document, limit=LIMITS["managed"])
    record = {"path": path, "description": description, "default": 1, "latest": 1}
    stored = create(context, POLICY, policy_name, record, tags=tags)
    context.connection.execute(
        insert(POLICY_VERSIONS).values(
            policy=stored.arn, number=1, document=policy_document, preferred=True, created=context.now
        )
    )
    answer = policy_answers(context, [stored])[0]
    return {"policy": {**answer, "tags": tag_list(context, stored.arn)}}


def get_policy(context: Context, *, policy_arn: str) -> dict[str, Any]:
    """Describe a managed policy. AWS page: GetPolicy."""
    found = any_policy(context, policy_arn)
    answer = policy_answers(context, [found])[0]
    return {"policy": {**answer, "description": _description(found), "tags": tag_list(context, policy_arn)}}


def list_policies(
    context: Context,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List managed policies: AWS's by name, then the account's own by name. AWS page: ListPolicies."""
    limit = max_items or _PAGE
    kinds = USAGES.get(policy_usage_filter or "", EVERY_USAGE)
    used_only = only_attached or policy_usage_filter is not None
    position = context.position(marker, of="list_policies")
    found: list[AwsPolicy | Stored] = []
    after = position[1] if position and position[0] == "aws" else ""
    if scope != "Local" and (position is None or position[0] == "aws"):
        found += _of_aws(context, path_prefix, kinds if used_only else (), after)
        if len(found) > limit or (len(found) == limit and scope != "AWS"):
            return _listed(context, found[:limit], ["aws", found[limit - 1].name])
    if scope == "AWS":
        return _listed(context, found, None)
    columns = IDENTITY_POLICIES.c
    used = exists(select(columns.name).where(columns.name == RESOURCES.c.arn, columns.kind.in_(kinds)))
    own = resources.listing(
        context.connection,
        POLICY,
        context.place,
        where=[*under_path(context, POLICY, path_prefix), *([used] if used_only else [])],
        limit=limit - len(found),
        position=position[1] if position and position[0] == "own" else None,
    )
    return _listed(context, [*found, *own.items], None if own.position is None else ["own", own.position])


def delete_policy(context: Context, *, policy_arn: str) -> None:
    """Delete a policy that nobody has and that has one version; raises InUse. AWS page: DeletePolicy."""
    stored = own_policy(context, policy_arn)
    if any(grants.uses(context, kind, [policy_arn]) for kind in EVERY_USAGE):
        raise InUse("Cannot delete a policy attached to entities.")
    versions = POLICY_VERSIONS.c.policy == policy_arn
    if len(context.connection.execute(select(POLICY_VERSIONS.c.number).where(versions)).all()) > 1:
        raise InUse(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    context.connection.execute(delete(POLICY_VERSIONS).where(versions))
    remove(context, stored)


def policy_answers(context: Context, found: Sequence[AwsPolicy | Stored]) -> list[dict[str, Any]]:
    """Return managed policies as listings show them, with their counts of use."""
    arns = [_arn(context, each) for each in found]
    attached, bounding = (grants.uses(context, kind, arns) for kind in EVERY_USAGE)
    return [
        {
            **(_of_aws_answer(context, each) if isinstance(each, AwsPolicy) else _own_answer(each)),
            "attachment_count": attached.get(arn, 0),
            "permissions_boundary_usage_count": bounding.get(arn, 0),
            "is_attachable": True,
        }
        for arn, each in zip(arns, found, strict=True)
    ]


def _own_answer(policy: Stored) -> dict[str, Any]:
    return {
        **described(policy, "policy"),
        "default_version_id": f"v{policy.record['default']}",
        "update_date": moment(policy.modified),
    }


def _of_aws_answer(context: Context, policy: AwsPolicy) -> dict[str, Any]:
    return {
        "policy_name": policy.name,
        "policy_id": policy.id,
        "arn": _arn(context, policy),
        "path": policy.path,
        "default_version_id": "v1",
        "create_date": moment(AWS_POLICIES_SINCE),
        "update_date": moment(AWS_POLICIES_SINCE),
    }


def _listed(context: Context, found: list[AwsPolicy | Stored], position: list[Any] | None) -> dict[str, Any]:
    return {"policies": policy_answers(context, found), **paging(context, position, "list_policies")}


def _of_aws(context: Context, path_prefix: str, used_as: tuple[str, ...], after: str) -> list[AwsPolicy | Stored]:
    found = sorted(aws_policies().values(), key=lambda each: each.name)
    chosen = [each for each in found if each.path.startswith(path_prefix) and each.name > after]
    if used_as:
        arns = [_arn(context, each) for each in chosen]
        used = {arn for kind in used_as for arn in grants.uses(context, kind, arns)}
        chosen = [each for each in chosen if _arn(context, each) in used]
    return list(chosen)


def _arn(context: Context, policy: AwsPolicy | Stored) -> str:
    return policy.arn(context.place.partition) if isinstance(policy, AwsPolicy) else policy.arn


def _description(policy: AwsPolicy | Stored) -> str | None:
    return policy.description if isinstance(policy, AwsPolicy) else policy.record["description"]
