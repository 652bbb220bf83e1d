"""Entities of SageMaker's registry and tracking: found by name or ARN, telling who made and who last changed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from headrace.server import resources
from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, OperationError
from headrace.server.resources import Page, Resource, Stored

Members = Mapping[str, Any]
_TIMES = ("_time", "time_stamp")


def make(
    context: Context,
    resource: Resource,
    name: str,
    record: Members,
    *,
    parent: str = "",
    tags: Sequence[Mapping[str, str]] | None = None,
    token: str = "",
    digest: str = "",
) -> Stored:
    """Store a new entity under its name in any case; raises InvalidInput, in AWS's words, where it exists already."""
    identity = identity_of(context)
    kept = {name: value for name, value in plain(record).items() if value is not None}
    try:
        return resources.create(
            context.connection,
            resource,
            context.place,
            name,
            {**kept, "lowered": name.lower(), "created_by": identity, "last_modified_by": identity},
            now=context.now,
            parent=parent,
            tags=tag_map(tags),
            token=token,
            token_digest=digest,
        )
    except AlreadyExists:
        arn = resource.arn_of(context.place, name, {**kept, "lowered": name.lower()})
        raise InvalidInput(f"{resource.title} already exists: {arn}; choose another name") from None


def find(context: Context, resource: Resource, name: str) -> Stored | None:
    """Return the entity of that name or ARN, or None."""
    arn = name if name.startswith("arn:") else resource.arn_of(context.place, name, {"lowered": name.lower()})
    stored = resources.by_arn(context.connection, arn.lower())
    return stored if stored is not None and stored.kind == resource.kind else None


def get(context: Context, resource: Resource, name: str, missing: type[OperationError]) -> Stored:
    """Return the entity of that name or ARN; raises `missing` where there is none."""
    stored = find(context, resource, name)
    if stored is None:
        raise missing(f"{resource.title} {name} does not exist.")
    return stored


def change(context: Context, resource: Resource, stored: Stored, members: Members) -> Stored:
    """Replace the members that are given (those that are None stay) and note who did it."""
    given = {name: value for name, value in plain(members).items() if value is not None}
    record = {**stored.record, **given, "last_modified_by": identity_of(context)}
    return resources.change(context.connection, resource, stored, now=context.now, record=record)


def answer(stored: Stored, names: Sequence[str]) -> dict[str, Any]:
    """Return members of an entity as its describe operation answers them; times are datetimes."""
    times = {"creation_time": stored.created, "last_modified_time": stored.modified}
    return {name: shown(value, name) for name, value in {**stored.record, **times}.items() if name in names}


def page(
    context: Context,
    operation: str,
    resource: Resource,
    asked: Members,
    summary: Callable[[Stored], Members],
    *,
    member: str,
    parent: str | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    sort_order: str = "Descending",
) -> dict[str, Any]:
    """Return the answer of a List operation; `asked` are its parameters, `member` is the name of its list."""
    renamed = {
        "creation_time_after": asked.get("created_after"), "creation_time_before": asked.get("created_before"),
    }  # fmt: skip
    found: Page = resources.search(
        context.connection,
        resource,
        context.place,
        {**asked, **{name: value for name, value in renamed.items() if value is not None}},
        position=context.position(asked.get("next_token"), of=operation),
        parent=parent,
        where=where,
        sort_order=sort_order,
    )
    return {
        member: [summary(stored) for stored in found.items],
        "next_token": context.token(found.position, of=operation),
    }


def identity_of(context: Context) -> dict[str, Any]:
    """Return who asks, as AWS's UserContext."""
    caller = context.caller
    identity = {"arn": caller.arn, "principal_id": caller.user_id, "source_identity": caller.source_identity}
    return {"iam_identity": {name: value for name, value in identity.items() if value}}


def tag_map(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Return a list of tags by key; raises InvalidInput on a key that stands there twice."""
    found = {each["key"]: each.get("value") or "" for each in tags or ()}
    if len(found) < len(tags or ()):
        raise InvalidInput("Duplicate tag keys are not allowed; send each key once")
    return found


def plain(value: Any) -> Any:
    """Return a value with its datetimes as milliseconds, as records hold them."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def shown(value: Any, name: str = "") -> Any:
    """Return a value of a record with its times as datetimes."""
    if isinstance(value, Mapping):
        return {member: shown(each, member) for member, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return moment(value) if name.endswith(_TIMES) and isinstance(value, int) else value
