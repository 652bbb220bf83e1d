"""How answers show users, groups and roles; listings leave out what AWS's listings leave out."""

from __future__ import annotations

from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.identity import grants, last_use
from headrace.server.operations.identity.documents import encoded
from headrace.server.operations.identity.entities import described, tag_list
from headrace.server.resources import Stored


def user_answer(context: Context, stored: Stored, *, whole: bool = False) -> dict[str, Any]:
    """Return a user as answers show it; `whole` with tags and boundary."""
    answer = described(stored, "user")
    used = stored.record.get("password_last_used")
    if used:
        answer["password_last_used"] = moment(used)
    if whole:
        answer["permissions_boundary"] = grants.boundary(context, stored.record["id"])
        answer["tags"] = tag_list(context, stored.arn)
    return answer


def group_answer(context: Context, stored: Stored) -> dict[str, Any]:
    """Return a group as answers show it."""
    return described(stored, "group")


def role_answer(context: Context, stored: Stored, *, whole: bool = False) -> dict[str, Any]:
    """Return a role as answers show it; `whole` with tags, boundary and last use."""
    record = stored.record
    answer = {
        **described(stored, "role"),
        "assume_role_policy_document": encoded(stored.policy or ""),
        "description": record["description"],
        "max_session_duration": record["max_session_duration"],
    }
    if whole:
        used = last_use.of(context, record["id"])
        answer["permissions_boundary"] = grants.boundary(context, record["id"])
        answer["tags"] = tag_list(context, stored.arn)
        answer["role_last_used"] = {"last_used_date": moment(used.used), "region": used.region} if used else {}
    return answer
