"""Everything that grants something in the account, in one listing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.answers import group_answer, role_answer, user_answer
from headrace.server.operations.identity.attachments import attached
from headrace.server.operations.identity.documents import encoded
from headrace.server.operations.identity.entities import GROUP, POLICY, ROLE, USER, paging
from headrace.server.operations.identity.groups import groups_of
from headrace.server.operations.identity.instance_profiles import profile_answer, profiles_of
from headrace.server.operations.identity.managed import AwsPolicy, aws_policies
from headrace.server.operations.identity.policies import policy_answers
from headrace.server.operations.identity.policy_versions import versions_of
from headrace.server.resources import Stored

_PAGE = 100


def get_account_authorization_details(
    context: Context, *, filter: list[str] | None = None, max_items: int | None = None, marker: str | None = None
) -> dict[str, Any]:
    """List users, groups, roles and policies with all that they grant. AWS page: GetAccountAuthorizationDetails."""
    wanted = filter or [*_SECTIONS, "AWSManagedPolicy"]
    sections = [section for kind, section in _SECTIONS.items() if kind in wanted]
    limit = max_items or _PAGE
    position = context.position(marker, of="account_details") or [0, None]
    answer: dict[str, Any] = {f"{noun}_detail_list": [] for noun in ("user", "group", "role")} | {"policies": []}
    begun, within = int(position[0]), position[1]
    for index, (resource, key, show) in list(enumerate(sections))[begun:]:
        listed = resources.listing(context.connection, resource, context.place, limit=limit, position=within)
        answer[key] += [show(context, each) for each in listed.items]
        limit -= len(listed.items)
        if listed.position is not None or (limit == 0 and index + 1 < len(sections)):
            more = [index, listed.position] if listed.position is not None else [index + 1, None]
            return answer | paging(context, more, "account_details")
        within = None
    if "AWSManagedPolicy" in wanted:
        answer["policies"] += _of_aws(context)
    return answer | paging(context, None, "account_details")


def _user(context: Context, stored: Stored) -> dict[str, Any]:
    answer = user_answer(context, stored, whole=True)
    answer.pop("password_last_used", None)
    groups = [each.name for each in groups_of(context, stored)]
    return {**answer, "group_list": groups, **_policies_of(context, stored, "user")}


def _group(context: Context, stored: Stored) -> dict[str, Any]:
    return {**group_answer(context, stored), **_policies_of(context, stored, "group")}


def _role(context: Context, stored: Stored) -> dict[str, Any]:
    answer = role_answer(context, stored, whole=True)
    for member in ("description", "max_session_duration"):
        answer.pop(member, None)
    profiles = [profile_answer(context, each) for each in profiles_of(context, stored)]
    return {**answer, "instance_profile_list": profiles, **_policies_of(context, stored, "role")}


def _policies_of(context: Context, stored: Stored, noun: str) -> dict[str, Any]:
    inline = [
        {"policy_name": name, "policy_document": encoded(document)}
        for name, document in grants.documents(context, stored.record["id"]).items()
    ]
    return {f"{noun}_policy_list": inline, "attached_managed_policies": attached(context, stored)}


def _policy(context: Context, policy: AwsPolicy | Stored) -> dict[str, Any]:
    answer = policy_answers(context, [policy])[0]
    versions = [
        {
            "document": encoded(document),
            "version_id": f"v{number}",
            "is_default_version": preferred,
            "create_date": moment(created),
        }
        for number, document, created, preferred in versions_of(context, answer["arn"])
    ]
    return {**answer, "policy_version_list": versions}


def _of_aws(context: Context) -> list[dict[str, Any]]:
    arns = {policy.arn(context.place.partition): policy for policy in aws_policies().values()}
    used = grants.uses(context, grants.ATTACHED, list(arns)) | grants.uses(context, grants.BOUNDARY, list(arns))
    return [_policy(context, arns[arn]) for arn in sorted(used)]


_SECTIONS: dict[str, tuple[resources.Resource, str, Callable[[Context, Stored], dict[str, Any]]]] = {
    "User": (USER, "user_detail_list", _user),
    "Group": (GROUP, "group_detail_list", _group),
    "Role": (ROLE, "role_detail_list", _role),
    "LocalManagedPolicy": (POLICY, "policies", _policy),
}
