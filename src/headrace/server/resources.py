"""Each resource declared once: its ARN, its states and their order, its parent; and the rows that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from headrace.server.errors import AlreadyExists, Conflict, InUse, InvalidInput, NotFound
from headrace.server.stores.metadata.tables.resources import RESOURCES, TAGS

MOST_TAGS = 50


@dataclass(frozen=True)
class Resource:
    """A kind of resource.

    `kind` is "service/type" ("iam/role"); `title` is what sentences call it; `arn` is a template over {partition},
    {region}, {account}, {name} and the record's own members; `states` maps each state to those that may follow it, its
    first key being the first state; `regional` is False where names are unique across regions.
    """

    kind: str
    title: str
    arn: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regional: bool = True


@dataclass(frozen=True)
class Place:
    """Where a resource lives: AWS's partition, account and region."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True)
class Stored:
    """One resource as it is stored; `record` holds the members that its describe operation answers with."""

    kind: str
    account: str
    region: str
    name: str
    arn: str
    record: dict[str, Any]
    state: str = ""
    parent: str = ""
    policy: str | None = None
    version: int = 1
    created: int = 0
    modified: int = 0


@dataclass(frozen=True)
class Page:
    """A part of a listing; `position` is where the next part begins, or None at the end."""

    items: list[Stored]
    position: list[Any] | None


def create(
    connection: Connection,
    resource: Resource,
    place: Place,
    name: str,
    record: Mapping[str, Any],
    *,
    now: int,
    parent: str = "",
    policy: str | None = None,
    tags: Mapping[str, str] | None = None,
    token: str = "",
    token_digest: str = "",
) -> Stored:
    """Store a new resource in its first state, with its tags.

    With an idempotency `token` that created this resource before, the stored one is returned when `token_digest` (of the
    request) is the same. Raises AlreadyExists otherwise.
    """
    region = place.region if resource.regional else ""
    arn = resource.arn.format_map(
        {"partition": place.partition, "region": place.region, "account": place.account, "name": name, **record}
    )
    stored = Stored(
        resource.kind, place.account, region, name, arn, dict(record), next(iter(resource.states), ""), parent, policy,
        1, now, now,
    )  # fmt: skip
    values = {key: getattr(stored, key) for key in Stored.__dataclass_fields__}
    try:
        with connection.begin_nested():
            connection.execute(
                insert(RESOURCES).values(
                    values | {"record": json.dumps(stored.record), "token": token, "token_digest": token_digest}
                )
            )
    except IntegrityError:
        earlier = connection.execute(select(RESOURCES).where(_named(resource, place, name, parent))).one_or_none()
        if earlier is not None and token and (earlier.token, earlier.token_digest) == (token, token_digest):
            return _stored(earlier)
        raise AlreadyExists(f"the {resource.title} {name!r} exists already; choose another name") from None
    if tags:
        tag(connection, arn, tags)
    return stored


def find(connection: Connection, resource: Resource, place: Place, name: str, *, parent: str = "") -> Stored | None:
    """Return the resource of that name, or None."""
    row = connection.execute(select(RESOURCES).where(_named(resource, place, name, parent))).one_or_none()
    return None if row is None else _stored(row)


def get(connection: Connection, resource: Resource, place: Place, name: str, *, parent: str = "") -> Stored:
    """Return the resource of that name; raises NotFound."""
    stored = find(connection, resource, place, name, parent=parent)
    if stored is None:
        raise NotFound(f"the {resource.title} {name!r} does not exist in account {place.account}; list what exists")
    return stored


def by_arn(connection: Connection, arn: str) -> Stored | None:
    """Return the resource with this ARN, or None."""
    row = connection.execute(select(RESOURCES).where(RESOURCES.c.arn == arn)).one_or_none()
    return None if row is None else _stored(row)


def listing(
    connection: Connection,
    resource: Resource,
    place: Place,
    *,
    parent: str | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    order: str = "name",
    descending: bool = False,
    limit: int = 100,
    position: Sequence[Any] | None = None,
) -> Page:
    """Return up to `limit` resources ordered by `order` ("name", "created", "modified"), after `position`.

    `where` are further conditions on the columns of RESOURCES; `parent` None lists those of every parent.
    """
    column = RESOURCES.c[order]
    conditions = [_kind(resource, place), *where]
    if parent is not None:
        conditions.append(RESOURCES.c.parent == parent)
    if position is not None:
        value, last = position
        beyond = column < value if descending else column > value
        after = RESOURCES.c.id < last if descending else RESOURCES.c.id > last
        conditions.append(or_(beyond, and_(column == value, after)))
    keys = (column.desc(), RESOURCES.c.id.desc()) if descending else (column, RESOURCES.c.id)
    rows = connection.execute(select(RESOURCES).where(*conditions).order_by(*keys).limit(limit + 1)).all()
    more = [getattr(rows[limit - 1], order), rows[limit - 1].id] if len(rows) > limit else None
    return Page([_stored(row) for row in rows[:limit]], more)


def change(
    connection: Connection,
    resource: Resource,
    stored: Stored,
    *,
    now: int,
    record: Mapping[str, Any] | None = None,
    state: str | None = None,
    policy: str | None | bool = False,
) -> Stored:
    """Replace the record, state or policy (None removes it) of a resource that nobody changed since it was read.

    Raises InUse when `state` may not follow its present one, Conflict when another transaction was faster.
    """
    if state is not None and state != stored.state and state not in resource.states.get(stored.state, ()):
        raise InUse(
            f"the {resource.title} {stored.name!r} is {stored.state} and can't become {state} now; wait or stop it first"
        )
    new = replace(
        stored,
        record=stored.record if record is None else dict(record),
        state=stored.state if state is None else state,
        policy=stored.policy if isinstance(policy, bool) else policy,
        version=stored.version + 1,
        modified=now,
    )
    done = connection.execute(
        update(RESOURCES)
        .where(RESOURCES.c.arn == stored.arn, RESOURCES.c.version == stored.version)
        .values(
            record=json.dumps(new.record), state=new.state, policy=new.policy, version=new.version, modified=now
        )
    )
    if done.rowcount != 1:
        raise Conflict(f"the {resource.title} {stored.name!r} was changed by another request meanwhile; try again")
    return new


def remove(connection: Connection, stored: Stored) -> None:
    """Delete a resource with its tags; raises InUse while other resources have it as their parent."""
    if connection.execute(select(RESOURCES.c.id).where(RESOURCES.c.parent == stored.arn).limit(1)).first():
        raise InUse(f"{stored.arn} still has resources that belong to it; delete those first")
    connection.execute(delete(RESOURCES).where(RESOURCES.c.arn == stored.arn))
    connection.execute(delete(TAGS).where(TAGS.c.arn == stored.arn))


def tags_of(connection: Connection, arn: str) -> dict[str, str]:
    """Return the tags of a resource, ordered by key."""
    rows = connection.execute(select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == arn).order_by(TAGS.c.key))
    return {row.key: row.value for row in rows}


def tag(connection: Connection, arn: str, tags: Mapping[str, str]) -> None:
    """Add or replace tags; raises InvalidInput past fifty or on a key that AWS reserves."""
    reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
    if reserved is not None:
        raise InvalidInput(f"the tag key {reserved!r} begins with aws:, which is reserved; choose another key")
    if len(tags_of(connection, arn) | dict(tags)) > MOST_TAGS:
        raise InvalidInput(f"{arn} would have more than {MOST_TAGS} tags; remove some first")
    untag(connection, arn, list(tags))
    if tags:
        connection.execute(insert(TAGS), [{"arn": arn, "key": key, "value": value} for key, value in tags.items()])


def untag(connection: Connection, arn: str, keys: Sequence[str]) -> None:
    """Remove tags; keys that are not there are no error."""
    connection.execute(delete(TAGS).where(TAGS.c.arn == arn, TAGS.c.key.in_(keys)))


def _kind(resource: Resource, place: Place) -> ColumnElement[bool]:
    region = place.region if resource.regional else ""
    columns = RESOURCES.c
    return and_(columns.kind == resource.kind, columns.account == place.account, columns.region == region)


def _named(resource: Resource, place: Place, name: str, parent: str) -> ColumnElement[bool]:
    return and_(_kind(resource, place), RESOURCES.c.parent == parent, RESOURCES.c.name == name)


def _stored(row: Any) -> Stored:
    values = {key: getattr(row, key) for key in Stored.__dataclass_fields__}
    return Stored(**(values | {"record": json.loads(row.record)}))
