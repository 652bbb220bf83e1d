"""Users, groups, roles and the other named things of IAM: how they are declared, named, found, stored and paged."""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, LimitExceeded, NotFound
from headrace.server.resources import Place, Resource, Stored
from headrace.server.stores.metadata.tables.identity import UNIQUE_IDS
from headrace.server.stores.metadata.tables.resources import RESOURCES, TAGS

USER = Resource("iam/user", "user", "arn:{partition}:iam::{account}:user{path}{name}", regional=False)
GROUP = Resource("iam/group", "group", "arn:{partition}:iam::{account}:group{path}{name}", regional=False)
ROLE = Resource("iam/role", "role", "arn:{partition}:iam::{account}:role{path}{name}", regional=False)
INSTANCE_PROFILE = Resource(
    "iam/instance-profile",
    "instance profile",
    "arn:{partition}:iam::{account}:instance-profile{path}{name}",
    regional=False,
)
POLICY = Resource("iam/policy", "policy", "arn:{partition}:iam::{account}:policy{path}{name}", regional=False)
MFA_DEVICE = Resource("iam/mfa", "MFA device", "arn:{partition}:iam::{account}:mfa{path}{name}", regional=False)

MISSING = {
    USER.kind: "The user with name {} cannot be found.",
    GROUP.kind: "The group with name {} cannot be found.",
    ROLE.kind: "The role with name {} cannot be found.",
    INSTANCE_PROFILE.kind: "Instance Profile {} cannot be found.",
    POLICY.kind: "Policy {} was not found.",
    MFA_DEVICE.kind: "VirtualMFADevice with serial number {} doesn't exist.",
}
_TAKEN = {
    USER.kind: "User with name {} already exists.",
    GROUP.kind: "Group with name {} already exists.",
    ROLE.kind: "Role with name {} already exists.",
    INSTANCE_PROFILE.kind: "Instance Profile {} already exists.",
    POLICY.kind: "A policy called {} already exists. Duplicate names are not allowed.",
    MFA_DEVICE.kind: "MFADevice entity at the same path and name already exists.",
}
_ID_PREFIXES = {
    USER.kind: "AIDA",
    GROUP.kind: "AGPA",
    ROLE.kind: "AROA",
    INSTANCE_PROFILE.kind: "AIPA",
    POLICY.kind: "ANPA",
    MFA_DEVICE.kind: "AMFA",
}
QUOTAS = {
    USER.kind: ("Users", 5000),
    GROUP.kind: ("Groups", 300),
    ROLE.kind: ("Roles", 1000),
    INSTANCE_PROFILE.kind: ("InstanceProfiles", 1000),
    POLICY.kind: ("Policies", 1500),
    MFA_DEVICE.kind: ("MFADevices", 5000),
}
"""The word of AWS's account summary for each kind, and how many an account may have (AWS page: IAM and STS quotas)."""

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAGE = 100

Item = TypeVar("Item")


def create(
    context: Context,
    resource: Resource,
    name: str,
    record: Mapping[str, Any],
    *,
    policy: str | None = None,
    tags: Sequence[Mapping[str, str]] | None = None,
) -> Stored:
    """Store a new entity with a new unique id (`record["id"]`).

    Raises AlreadyExists when its name is taken in any casing, LimitExceeded when the account is full.
    """
    word, most = QUOTAS[resource.kind]
    if count(context, resource) >= most:
        raise quota_exceeded(f"{word}PerAccount", most)
    _refuse_taken(context, resource, name)
    prefix = _ID_PREFIXES.get(resource.kind)
    unique = {"id": prefix + "".join(secrets.choice(_ID_LETTERS) for _ in range(17))} if prefix else {}
    try:
        stored = resources.create(
            context.connection, resource, context.place, name, {**record, **unique},
            now=context.now, policy=policy, tags=tag_map(tags),
        )  # fmt: skip
    except AlreadyExists:
        raise AlreadyExists(_TAKEN[resource.kind].format(name)) from None
    if unique:
        context.connection.execute(insert(UNIQUE_IDS).values(id=unique["id"], arn=stored.arn))
    return stored


def get(context: Context, resource: Resource, name: str) -> Stored:
    """Return the entity of that name; raises NotFound."""
    stored = resources.find(context.connection, resource, context.place, name)
    if stored is None:
        raise NotFound(MISSING[resource.kind].format(name))
    return stored


def change(context: Context, resource: Resource, stored: Stored, **members: Any) -> Stored:
    """Replace members of an entity's record; raises Conflict when another request was faster."""
    return resources.change(context.connection, resource, stored, now=context.now, record={**stored.record, **members})


def rename(context: Context, resource: Resource, stored: Stored, name: str, path: str) -> Stored:
    """Give an entity another name and path, and so another ARN; its unique id, tags and policies stay."""
    if name != stored.name:
        _refuse_taken(context, resource, name, but=stored.arn)
    record = {**stored.record, "path": path}
    arn = resource.arn.format_map({**_place(context.place), "name": name, **record})
    if arn == stored.arn:
        return stored
    changed = resources.change(context.connection, resource, stored, now=context.now, record=record)
    moved = update(RESOURCES).where(RESOURCES.c.arn == stored.arn).values(name=name, arn=arn)
    context.connection.execute(moved)
    context.connection.execute(update(UNIQUE_IDS).where(UNIQUE_IDS.c.arn == stored.arn).values(arn=arn))
    context.connection.execute(update(TAGS).where(TAGS.c.arn == stored.arn).values(arn=arn))
    return replace(changed, name=name, arn=arn)


def remove(context: Context, stored: Stored) -> None:
    """Delete an entity with its tags and its unique id."""
    resources.remove(context.connection, stored)
    context.connection.execute(delete(UNIQUE_IDS).where(UNIQUE_IDS.c.arn == stored.arn))


def count(context: Context, resource: Resource) -> int:
    """Return how many entities of a kind the account has."""
    columns = RESOURCES.c
    chosen = select(func.count()).where(
        columns.kind == resource.kind, columns.account == context.place.account, columns.region == ""
    )
    return context.connection.execute(chosen).scalar_one()


def by_ids(context: Context, resource: Resource, ids: Select[Any]) -> list[Stored]:
    """Return the entities of a kind whose unique ids a query selects, ordered by name."""
    arns = select(UNIQUE_IDS.c.arn).where(UNIQUE_IDS.c.id.in_(ids))
    most = QUOTAS[resource.kind][1]
    found = resources.listing(
        context.connection, resource, context.place, where=[RESOURCES.c.arn.in_(arns)], limit=most
    )
    return found.items


def page(
    context: Context,
    resource: Resource,
    of: str,
    *,
    path_prefix: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
    where: Sequence[ColumnElement[bool]] = (),
) -> tuple[list[Stored], dict[str, Any]]:
    """Return one page of the account's entities whose path begins with a prefix, and the answer's paging members."""
    found = resources.listing(
        context.connection,
        resource,
        context.place,
        where=[*where, *under_path(context, resource, path_prefix)],
        limit=max_items or _PAGE,
        position=context.position(marker, of=of),
    )
    return found.items, paging(context, found.position, of)


def under_path(context: Context, resource: Resource, path_prefix: str | None) -> list[ColumnElement[bool]]:
    """Return the condition that an entity's path begins with a prefix, or none."""
    if not path_prefix or path_prefix == "/":
        return []
    start = resource.arn.format_map({**_place(context.place), "path": path_prefix, "name": ""})
    return [func.substr(RESOURCES.c.arn, 1, len(start)) == start]


def part(
    context: Context, items: Sequence[tuple[str, Item]], of: str, *, marker: str | None, max_items: int | None
) -> tuple[list[Item], dict[str, Any]]:
    """Return one page of (key, item) pairs ordered by key, and the answer's paging members."""
    position = context.position(marker, of=of)
    start = bisect_right(items, str(position[0]), key=lambda pair: pair[0]) if position else 0
    end = start + (max_items or _PAGE)
    last = [items[end - 1][0]] if end < len(items) else None
    return [item for _, item in items[start:end]], paging(context, last, of)


def paging(context: Context, position: Sequence[Any] | None, of: str) -> dict[str, Any]:
    """Return the members that tell whether a listing goes on, and where."""
    return {"is_truncated": position is not None, "marker": context.token(position, of=of)}


def described(stored: Stored, noun: str) -> dict[str, Any]:
    """Return what every answer about an entity shows: path, name, unique id, ARN, time of creation."""
    return {
        "path": stored.record["path"],
        f"{noun}_name": stored.name,
        f"{noun}_id": stored.record["id"],
        "arn": stored.arn,
        "create_date": moment(stored.created),
    }


def tag_map(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Return a request's tags by key; raises InvalidInput when two keys differ at most in casing."""
    pairs = {tag["key"]: tag["value"] for tag in tags or ()}
    if len({key.lower() for key in pairs}) != len(tags or ()):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return pairs


def tag_list(context: Context, arn: str) -> list[dict[str, str]] | None:
    """Return the tags of an entity as answers show them; None when it has none."""
    found = resources.tags_of(context.connection, arn)
    return [{"key": key, "value": value} for key, value in found.items()] or None


def quota_exceeded(quota: str, most: int) -> LimitExceeded:
    """Return the error of a full quota, in AWS's words."""
    return LimitExceeded(f"Cannot exceed quota for {quota}: {most}", status=409)


def _refuse_taken(context: Context, resource: Resource, name: str, *, but: str = "") -> None:
    columns = RESOURCES.c
    taken = select(columns.arn).where(
        columns.kind == resource.kind,
        columns.account == context.place.account,
        func.lower(columns.name) == name.lower(),
        columns.arn != but,
    )
    if context.connection.execute(taken).first():
        raise AlreadyExists(_TAKEN[resource.kind].format(name))


def _place(place: Place) -> dict[str, str]:
    return {"partition": place.partition, "account": place.account, "region": ""}
