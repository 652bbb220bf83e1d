"""Log groups; source: AWS, "Amazon CloudWatch Logs API Reference"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput, NotFound
from headrace.server.resources import Place, Resource, Stored
from headrace.server.stores.metadata.tables.logs import LOG_EVENTS, LOG_STREAMS
from headrace.server.stores.metadata.tables.resources import RESOURCES

GROUP = Resource("logs/log-group", "log group", "arn:{partition}:logs:{region}:{account}:log-group:{name}")


def create_log_group(
    context: Context,
    *,
    log_group_name: str,
    kms_key_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    log_group_class: str = "STANDARD",
    deletion_protection_enabled: bool = False,
) -> None:
    """Create a log group whose events are kept until a retention policy says otherwise; raises AlreadyExists."""
    if kms_key_id:
        raise InvalidInput(f"the KMS key {kms_key_id!r} does not exist; leave kmsKeyId out")
    if log_group_name.startswith("aws/"):
        raise InvalidInput(f"the name {log_group_name!r} begins with aws/, which is reserved; choose another name")
    record = {"log_group_class": log_group_class, "deletion_protection_enabled": deletion_protection_enabled}
    resources.create(context.connection, GROUP, context.place, log_group_name, record, now=context.now, tags=tags)


def delete_log_group(context: Context, *, log_group_name: str) -> None:
    """Delete a log group with its streams, events and metric filters; raises NotFound, InUse when it is protected."""
    stored = find_group(context, log_group_name)
    if stored.record.get("deletion_protection_enabled"):
        raise InUse(
            f"the log group {log_group_name!r} is protected from deletion; lift that first", code="ValidationException"
        )
    number = group_number(context.connection, stored)
    context.connection.execute(delete(LOG_EVENTS).where(LOG_EVENTS.c.log_group == number))
    context.connection.execute(delete(LOG_STREAMS).where(LOG_STREAMS.c.log_group == number))
    context.connection.execute(delete(RESOURCES).where(RESOURCES.c.parent == stored.arn))
    resources.remove(context.connection, stored)


def put_log_group_deletion_protection(
    context: Context, *, log_group_identifier: str, deletion_protection_enabled: bool
) -> None:
    """Protect a log group from deletion, or lift that; raises NotFound."""
    stored = find_group(context, None, log_group_identifier)
    record = stored.record | {"deletion_protection_enabled": deletion_protection_enabled}
    resources.change(context.connection, GROUP, stored, now=context.now, record=record)


def describe_log_groups(
    context: Context,
    *,
    account_identifiers: Sequence[str] | None = None,
    log_group_name_prefix: str | None = None,
    log_group_name_pattern: str | None = None,
    next_token: str | None = None,
    limit: int = 50,
    include_linked_accounts: bool = False,
    log_group_class: str | None = None,
    log_group_identifiers: Sequence[str] | None = None,
) -> dict[str, Any]:
    """List log groups by name: those with a prefix, those whose name contains a pattern, or the named ones."""
    if log_group_name_prefix and log_group_name_pattern:
        raise InvalidInput("give logGroupNamePrefix or logGroupNamePattern, not both")
    if any(each != context.place.account for each in account_identifiers or ()) and include_linked_accounts:
        raise InvalidInput("no other accounts are linked; leave accountIdentifiers out")
    where = []
    if log_group_name_prefix:
        where.append(RESOURCES.c.name.startswith(log_group_name_prefix, autoescape=True))
    if log_group_name_pattern:
        where.append(RESOURCES.c.name.contains(log_group_name_pattern, autoescape=True))
    if log_group_class:
        where.append(RESOURCES.c.record.contains(f'"log_group_class": "{log_group_class}"', autoescape=True))
    if log_group_identifiers:
        named = list(log_group_identifiers)
        where.append(or_(RESOURCES.c.name.in_(named), RESOURCES.c.arn.in_(named)))
    page = resources.listing(
        context.connection, GROUP, context.place, where=where, limit=limit,
        position=context.position(next_token, of="describe_log_groups"),
    )  # fmt: skip
    return {
        "log_groups": [_described(context.connection, each) for each in page.items],
        "next_token": context.token(page.position, of="describe_log_groups"),
    }


def list_log_groups(
    context: Context,
    *,
    log_group_name_pattern: str | None = None,
    log_group_class: str | None = None,
    next_token: str | None = None,
    limit: int = 50,
    **unused: Any,
) -> dict[str, Any]:
    """List log groups in short."""
    del unused
    found = describe_log_groups(
        context, log_group_name_pattern=log_group_name_pattern, log_group_class=log_group_class, next_token=next_token,
        limit=limit,
    )  # fmt: skip
    names = ("log_group_name", "log_group_arn", "log_group_class")
    return {
        "log_groups": [{name: each[name] for name in names} for each in found["log_groups"]],
        "next_token": found["next_token"],
    }


def find_group(context: Context, name: str | None, identifier: str | None = None) -> Stored:
    """Return the group of a name, or of an identifier that is a name or an ARN; raises NotFound, InvalidInput."""
    if (name is None) == (identifier is None):
        raise InvalidInput("give either logGroupName or logGroupIdentifier, one of the two")
    wanted = name or _name_of(identifier or "")
    stored = resources.find(context.connection, GROUP, context.place, wanted)
    if stored is None or ((identifier or "").startswith("arn:") and not (identifier or "").startswith(stored.arn)):
        raise NotFound(f"The specified log group does not exist: {wanted}", status=400)
    return stored


def group_number(connection: Connection, stored: Stored) -> int:
    """Return the number by which streams and events name their group."""
    return int(connection.execute(select(RESOURCES.c.id).where(RESOURCES.c.arn == stored.arn)).scalar_one())


def group_of(connection: Connection, place: Place, name: str, now: int) -> Stored:
    """Return the group of a name, creating it if need be."""
    found = resources.find(connection, GROUP, place, name)
    return found or resources.create(connection, GROUP, place, name, {"log_group_class": "STANDARD"}, now=now)


def _described(connection: Connection, stored: Stored) -> dict[str, Any]:
    number = group_number(connection, stored)
    size = select(func.coalesce(func.sum(LOG_STREAMS.c.stored), 0)).where(LOG_STREAMS.c.log_group == number)
    filters = select(func.count()).where(RESOURCES.c.parent == stored.arn)
    return {
        "log_group_name": stored.name,
        "creation_time": stored.created,
        "metric_filter_count": connection.scalar(filters) or 0,
        "arn": f"{stored.arn}:*",
        "log_group_arn": stored.arn,
        "stored_bytes": int(connection.scalar(size) or 0),
        **stored.record,
    }


def _name_of(identifier: str) -> str:
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*") if identifier.startswith("arn:") else identifier
