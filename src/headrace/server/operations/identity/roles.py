"""IAM roles."""

from __future__ import annotations

from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput
from headrace.server.operations.identity import grants, last_use
from headrace.server.operations.identity.answers import role_answer
from headrace.server.operations.identity.documents import check_trust_policy
from headrace.server.operations.identity.entities import (
    ROLE,
    change,
    create,
    get,
    page,
    remove,
)
from headrace.server.operations.identity.instance_profiles import profiles_of
from headrace.server.resources import Stored
from headrace.server.security import credentials

SERVICE_PATH = "/aws-service-role/"


def create_role(
    context: Context,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str | None = None,
    max_session_duration: int = 3600,
    permissions_boundary: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a role that those whom its trust policy names may assume; raises AlreadyExists. AWS page: CreateRole."""
    if path.startswith(SERVICE_PATH):
        raise InvalidInput(f"Path {path} is reserved for roles that CreateServiceLinkedRole makes; choose another path")
    check_trust_policy(context, assume_role_policy_document)
    record = {"path": path, "description": description, "max_session_duration": max_session_duration}
    stored = create(context, ROLE, role_name, record, policy=assume_role_policy_document, tags=tags)
    if permissions_boundary:
        grants.set_boundary(context, stored.record["id"], permissions_boundary)
    return {"role": role_answer(context, stored, whole=True)}


def get_role(context: Context, *, role_name: str) -> dict[str, Any]:
    """Describe a role with its trust policy, tags and last use. AWS page: GetRole."""
    return {"role": role_answer(context, get(context, ROLE, role_name), whole=True)}


def list_roles(
    context: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List roles by name. AWS page: ListRoles."""
    found, paging = page(context, ROLE, "list_roles", path_prefix=path_prefix, marker=marker, max_items=max_items)
    return {"roles": [role_answer(context, stored) for stored in found], **paging}


def update_role(
    context: Context, *, role_name: str, description: str | None = None, max_session_duration: int | None = None
) -> dict[str, Any]:
    """Change a role's description or longest session. AWS page: UpdateRole."""
    stored = own_role(context, role_name)
    change(
        context,
        ROLE,
        stored,
        description=stored.record["description"] if description is None else description,
        max_session_duration=max_session_duration or stored.record["max_session_duration"],
    )
    return {}


def update_role_description(context: Context, *, role_name: str, description: str) -> dict[str, Any]:
    """Change a role's description. AWS page: UpdateRoleDescription."""
    stored = change(context, ROLE, get(context, ROLE, role_name), description=description)
    return {"role": role_answer(context, stored, whole=True)}


def update_assume_role_policy(context: Context, *, role_name: str, policy_document: str) -> None:
    """Replace a role's trust policy. AWS page: UpdateAssumeRolePolicy."""
    stored = own_role(context, role_name)
    check_trust_policy(context, policy_document)
    resources.change(context.connection, ROLE, stored, now=context.now, policy=policy_document)


def delete_role(context: Context, *, role_name: str) -> None:
    """Delete a role without policies and profiles; raises InUse (DeleteConflict) else. AWS page: DeleteRole."""
    stored = own_role(context, role_name)
    unique_id = stored.record["id"]
    if grants.names(context, unique_id, grants.ATTACHED):
        raise InUse("Cannot delete entity, must detach all policies first.")
    if grants.names(context, unique_id, grants.INLINE):
        raise InUse("Cannot delete entity, must delete policies first.")
    if profiles_of(context, stored):
        raise InUse("Cannot delete entity, must remove roles from instance profile first.")
    forget_role(context, stored)


def put_role_permissions_boundary(context: Context, *, role_name: str, permissions_boundary: str) -> None:
    """Set the most that a role may be allowed. AWS page: PutRolePermissionsBoundary."""
    grants.set_boundary(context, own_role(context, role_name).record["id"], permissions_boundary)


def delete_role_permissions_boundary(context: Context, *, role_name: str) -> None:
    """Take a role's boundary away. AWS page: DeleteRolePermissionsBoundary."""
    grants.take_all(context, own_role(context, role_name).record["id"], grants.BOUNDARY)


def own_role(context: Context, role_name: str) -> Stored:
    """Return a role that the account may change; raises InvalidInput for those that belong to an AWS service."""
    stored = get(context, ROLE, role_name)
    if stored.record["path"].startswith(SERVICE_PATH):
        raise InvalidInput(
            f"Cannot perform the operation on the protected role '{role_name}' - this role is only modifiable by AWS",
            code="UnmodifiableEntity",
        )
    return stored


def forget_role(context: Context, stored: Stored) -> None:
    """Delete a role with all that it has."""
    for kind in (grants.ATTACHED, grants.INLINE, grants.BOUNDARY):
        grants.take_all(context, stored.record["id"], kind)
    credentials.end_sessions(context.connection, stored.record["id"], before=context.now + 1)
    last_use.forget(context, stored.record["id"])
    remove(context, stored)
