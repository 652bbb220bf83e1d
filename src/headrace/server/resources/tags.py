"""Tags of resources, and the resources that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, insert, or_, select

from headrace.server.errors import InvalidInput, LimitExceeded
from headrace.server.resources.kinds import Place
from headrace.server.resources.members import member
from headrace.server.stores.metadata.tables.resources import RESOURCES, TAGS

MOST_TAGS = 50
HOME_OF_GLOBAL_SERVICES = "us-east-1"

_TAGS_OF = select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == bindparam("arn")).order_by(TAGS.c.key)
_INSERT = insert(TAGS)
_FORGET = delete(TAGS).where(TAGS.c.arn == bindparam("at_arn"))


def tags_of(connection: Connection, arn: str) -> dict[str, str]:
    """Return the tags of a resource, ordered by key."""
    return {row.key: row.value for row in connection.execute(_TAGS_OF, {"arn": arn})}


def tags_of_each(connection: Connection, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of several resources by ARN, each ordered by key; a resource without any has an empty one."""
    found: dict[str, dict[str, str]] = {arn: {} for arn in arns}
    rows = connection.execute(select(TAGS).where(TAGS.c.arn.in_(arns)).order_by(TAGS.c.arn, TAGS.c.key))
    for row in rows:
        found[row.arn][row.key] = row.value
    return found


def tag(connection: Connection, arn: str, tags: Mapping[str, str]) -> None:
    """Add or replace tags; raises LimitExceeded past fifty, InvalidInput on a key that AWS reserves."""
    reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
    if reserved is not None:
        raise InvalidInput(f"the tag key {reserved!r} begins with aws:, which is reserved; choose another key")
    present = tags_of(connection, arn)
    if len(present | dict(tags)) > MOST_TAGS:
        raise LimitExceeded(f"{arn} would have more than {MOST_TAGS} tags; remove some first")
    untag(connection, arn, [key for key in tags if key in present])
    if tags:
        connection.execute(_INSERT, [{"arn": arn, "key": key, "value": value} for key, value in tags.items()])


def untag(connection: Connection, arn: str, keys: Sequence[str]) -> None:
    """Remove tags; keys that are not there are no error."""
    if keys:
        connection.execute(delete(TAGS).where(TAGS.c.arn == arn, TAGS.c.key.in_(keys)))


def forget_tags(connection: Connection, arn: str) -> None:
    """Remove all tags of a resource."""
    connection.execute(_FORGET, {"at_arn": arn})


def tagged(
    connection: Connection,
    place: Place,
    *,
    tags: Sequence[tuple[str, Sequence[str]]] = (),
    kinds: Sequence[str] = (),
    arns: Sequence[str] = (),
    limit: int = 100,
    position: Sequence[Any] | None = None,
) -> list[tuple[str, dict[str, str]]]:
    """Return (ARN, tags) of up to `limit` tagged resources of a region, in order of ARN, after `position` [arn].

    A resource is returned when it has every one of `tags` (a key with any of the values, or with whichever if there are
    none), is of one of `kinds` ("s3" or "s3/bucket") and one of `arns`, as far as these are given.
    """
    conditions = [_of(place), exists().where(TAGS.c.arn == RESOURCES.c.arn)]
    for key, values in tags:
        with_key = [TAGS.c.arn == RESOURCES.c.arn, TAGS.c.key == key]
        conditions.append(exists().where(*with_key, *([TAGS.c.value.in_(values)] if values else [])))
    if kinds:
        kind = RESOURCES.c.kind
        conditions.append(
            or_(*(kind == each if "/" in each else kind.startswith(f"{each}/", autoescape=True) for each in kinds))
        )
    if arns:
        conditions.append(RESOURCES.c.arn.in_(arns))
    if position:
        conditions.append(RESOURCES.c.arn > position[0])
    chosen = select(RESOURCES.c.arn).where(*conditions).order_by(RESOURCES.c.arn).limit(limit)
    return list(tags_of_each(connection, connection.execute(chosen).scalars().all()).items())


def tag_words(
    connection: Connection, place: Place, *, key: str | None = None, limit: int, position: Sequence[Any] | None = None
) -> list[str]:
    """Return up to `limit` tag keys of a region, or the values of one `key`, in order, after `position` [word]."""
    column = TAGS.c.key if key is None else TAGS.c.value
    conditions = [_of(place)]
    if key is not None:
        conditions.append(TAGS.c.key == key)
    if position:
        conditions.append(column > position[0])
    chosen = select(column).distinct().join(RESOURCES, RESOURCES.c.arn == TAGS.c.arn)
    return list(connection.execute(chosen.where(*conditions).order_by(column).limit(limit)).scalars())


def _of(place: Place) -> ColumnElement[bool]:
    home = func.coalesce(member("region"), HOME_OF_GLOBAL_SERVICES) == place.region
    here = or_(RESOURCES.c.region == place.region, and_(RESOURCES.c.region == "", home))
    return and_(RESOURCES.c.account == place.account, here)
