"""Instance profiles: the wrapping in which a machine is given a role."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.errors import InUse, NotFound
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.answers import role_answer
from headrace.server.operations.identity.entities import (
    INSTANCE_PROFILE,
    ROLE,
    by_ids,
    create,
    described,
    get,
    page,
    part,
    quota_exceeded,
    remove,
    tag_list,
)
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS


def create_instance_profile(
    context: Context, *, instance_profile_name: str, path: str = "/", tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Make an instance profile without a role; raises AlreadyExists. AWS page: CreateInstanceProfile."""
    stored = create(context, INSTANCE_PROFILE, instance_profile_name, {"path": path}, tags=tags)
    return {"instance_profile": profile_answer(context, stored, whole=True)}


def get_instance_profile(context: Context, *, instance_profile_name: str) -> dict[str, Any]:
    """Describe an instance profile with its role. AWS page: GetInstanceProfile."""
    stored = get(context, INSTANCE_PROFILE, instance_profile_name)
    return {"instance_profile": profile_answer(context, stored, whole=True)}


def list_instance_profiles(
    context: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List instance profiles by name. AWS page: ListInstanceProfiles."""
    found, paging = page(
        context,
        INSTANCE_PROFILE,
        "list_instance_profiles",
        path_prefix=path_prefix,
        marker=marker,
        max_items=max_items,
    )
    return {"instance_profiles": [profile_answer(context, stored) for stored in found], **paging}


def list_instance_profiles_for_role(
    context: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the instance profiles that hold a role. AWS page: ListInstanceProfilesForRole."""
    role = get(context, ROLE, role_name)
    found = [(each.name, profile_answer(context, each)) for each in profiles_of(context, role)]
    profiles, paging = part(context, found, "list_instance_profiles_for_role", marker=marker, max_items=max_items)
    return {"instance_profiles": profiles, **paging}


def add_role_to_instance_profile(context: Context, *, instance_profile_name: str, role_name: str) -> None:
    """Put a role into an instance profile, which holds at most one. AWS page: AddRoleToInstanceProfile."""
    profile, role = get(context, INSTANCE_PROFILE, instance_profile_name), get(context, ROLE, role_name)
    if _roles_in(context, profile):
        raise quota_exceeded("InstanceSessionsPerInstanceProfile", 1)
    grants.join(context, role.record["id"], profile.record["id"])


def remove_role_from_instance_profile(context: Context, *, instance_profile_name: str, role_name: str) -> None:
    """Take the role out of an instance profile. AWS page: RemoveRoleFromInstanceProfile."""
    profile, role = get(context, INSTANCE_PROFILE, instance_profile_name), get(context, ROLE, role_name)
    if not grants.leave(context, role.record["id"], profile.record["id"]):
        raise NotFound(f"Role {role_name} in Instance Profile {instance_profile_name} cannot be found.")


def delete_instance_profile(context: Context, *, instance_profile_name: str) -> None:
    """Delete an instance profile without a role; raises InUse (DeleteConflict). AWS page: DeleteInstanceProfile."""
    profile = get(context, INSTANCE_PROFILE, instance_profile_name)
    if _roles_in(context, profile):
        raise InUse("Cannot delete entity, must remove roles from instance profile first.")
    remove(context, profile)


def profiles_of(context: Context, role: Stored) -> list[Stored]:
    """Return the instance profiles that hold a role, by name."""
    ids = select(MEMBERSHIPS.c.container).where(MEMBERSHIPS.c.member == role.record["id"])
    return by_ids(context, INSTANCE_PROFILE, ids)


def profile_answer(context: Context, stored: Stored, *, whole: bool = False) -> dict[str, Any]:
    """Return an instance profile as answers show it; `whole` with its tags."""
    return {
        **described(stored, "instance_profile"),
        "roles": [role_answer(context, role) for role in _roles_in(context, stored)],
        "tags": tag_list(context, stored.arn) if whole else None,
    }


def _roles_in(context: Context, profile: Stored) -> list[Stored]:
    ids = select(MEMBERSHIPS.c.member).where(MEMBERSHIPS.c.container == profile.record["id"])
    return by_ids(context, ROLE, ids)
