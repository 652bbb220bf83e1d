"""Listings of resources: filtered, ordered, in pages that stay right while resources come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from headrace.server.clock import stamp
from headrace.server.errors import InvalidInput
from headrace.server.resources.kinds import Page, Place, Resource
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES

ORDERS = {"Name": "name", "CreationTime": "created", "LastModifiedTime": "modified", "Status": "state"}
"""Columns by the values of SortBy."""


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
    """Return up to `limit` resources ordered by `order` ("name", "created", "modified", "state"), after `position`.

    `where` are further conditions on the columns of RESOURCES; `parent` None lists those of every parent. What is there
    from the first page to the last appears once, whatever is created or deleted between the pages. Raises InvalidInput
    when `position` is of another order.
    """
    column, row = RESOURCES.c[order], RESOURCES.c.id
    region = place.region if resource.regional else ""
    conditions = [
        RESOURCES.c.kind == resource.kind, RESOURCES.c.account == place.account, RESOURCES.c.region == region, *where,
    ]  # fmt: skip
    if parent is not None:
        conditions.append(RESOURCES.c.parent == parent)
    if position is not None:
        conditions.append(_after(position, order, descending))
    keys = (column.desc(), row.desc()) if descending else (column, row)
    chosen = select(*SHOWN, row).where(*conditions).order_by(*keys).limit(limit + 1)
    rows = connection.execute(chosen).all()
    last = rows[limit - 1] if len(rows) > limit else None
    more = None if last is None else [order, descending, getattr(last, order), last.id]
    return Page([read_row(each) for each in rows[:limit]], more)


def search(
    connection: Connection,
    resource: Resource,
    place: Place,
    asked: Mapping[str, Any],
    *,
    position: Sequence[Any] | None = None,
    parent: str | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    sort_by: str = "CreationTime",
    sort_order: str = "Ascending",
    limit: int = 10,
) -> Page:
    """Return one page of a listing by the parameters that AWS's List operations share.

    `asked` are the operation's own: name_contains, status_equals, creation_time_after and _before,
    last_modified_time_after and _before, sort_by, sort_order, max_results (AWS page: SageMaker API, ListTrainingJobs);
    others in it are ignored. `sort_by`, `sort_order` and `limit` are what the operation does unasked.
    """
    order = ORDERS.get(asked.get("sort_by") or sort_by)
    if order is None:
        raise InvalidInput(f"SortBy {asked.get('sort_by')!r} is none of {', '.join(ORDERS)}")
    return listing(
        connection,
        resource,
        place,
        parent=parent,
        where=[*where, *filters(asked)],
        order=order,
        descending=(asked.get("sort_order") or sort_order) == "Descending",
        limit=asked.get("max_results") or limit,
        position=position,
    )


def filters(asked: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return the conditions on RESOURCES that the shared parameters of AWS's List operations ask for."""
    columns = RESOURCES.c
    conditions: list[ColumnElement[bool]] = []
    if asked.get("name_contains"):
        conditions.append(columns.name.contains(asked["name_contains"], autoescape=True))
    if asked.get("status_equals"):
        conditions.append(columns.state == asked["status_equals"])
    for name, column in (("creation_time", columns.created), ("last_modified_time", columns.modified)):
        after, before = asked.get(f"{name}_after"), asked.get(f"{name}_before")
        if isinstance(after, datetime):
            conditions.append(column > stamp(after))
        if isinstance(before, datetime):
            conditions.append(column < stamp(before))
    return conditions


def _after(position: Sequence[Any], order: str, descending: bool) -> ColumnElement[bool]:
    if len(position) != 4 or list(position[:2]) != [order, descending]:
        raise InvalidInput("the pagination token is of a listing in another order; ask for the first page again")
    column, row = RESOURCES.c[order], RESOURCES.c.id
    value, number = position[2:]
    if descending:
        return or_(column < value, and_(column == value, row < number))
    return or_(column > value, and_(column == value, row > number))
