"""Search: finds resources whose properties satisfy an expression, ordered by one of them, in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from headrace.server import resources
from headrace.server.clock import stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.lineage.search import expressions
from headrace.server.operations.lineage.search.comparisons import finite
from headrace.server.operations.lineage.search.properties import plain, searchable, values
from headrace.server.operations.lineage.search.records import SEARCHED, Searched
from headrace.server.resources import Stored
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES

AT_ONCE = 400
PAGE = 100
NUMBER, TEXT, ABSENT = 0, 1, 2


Place = tuple[int, Any, str]
"""What orders a record: what kind of value it has under SortBy, this value, its ARN."""


def search(
    context: Context,
    *,
    resource: str,
    search_expression: dict[str, Any] | None = None,
    sort_by: str = "LastModifiedTime",
    sort_order: str = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE,
    cross_account_filter_option: str = "SameAccount",
    visibility_conditions: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return records of a kind of resource that satisfy an expression, with their tags. AWS page: Search.

    Records without the property that they are ordered by come last. Raises InvalidInput on an unknown property, on an
    operator or value that doesn't go with one, and past the documented limits.
    """
    searched = SEARCHED.get(resource)
    expression = search_expression or {}
    if search_expression is not None:
        expressions.check(expression, searched.knows if searched else lambda _: True)
    if searched and sort_by != "LastModifiedTime" and not searched.knows(sort_by):
        raise InvalidInput(f"Unknown property name: {sort_by}; sort by a property of {resource} in SearchRecord")
    question = resources.request_digest(
        {"resource": resource, "expression": expression, "by": sort_by, "order": sort_order}
    )
    position = context.position(next_token, of=f"search/{question}")
    if searched is None or cross_account_filter_option == "CrossAccount":
        return {"results": [], "total_hits": {"value": 0, "relation": "EqualTo"}}
    descending = sort_order == "Descending"
    hits = [
        _place(stored, known, sort_by)
        for stored, _, known in found(context, searched, _narrowing(context, searched, expression))
        if expressions.matches(expression, known) and _visible(known["tags"], visibility_conditions)
    ]
    left = [each for each in _ordered(hits, descending) if position is None or _comes_after(each, position, descending)]
    page = [arn for _, _, arn in left[:max_results]]
    records = {stored.arn: record for stored, record, _ in found(context, searched, [RESOURCES.c.arn.in_(page)])}
    more = list(left[max_results - 1]) if len(left) > max_results else None
    return {
        "results": [{searched.member: records[arn]} for arn in page],
        "next_token": context.token(more, of=f"search/{question}"),
        "total_hits": {"value": len(hits), "relation": "EqualTo"},
    }


def found(
    context: Context, searched: Searched, conditions: Sequence[ColumnElement[bool]] = ()
) -> Iterator[tuple[Stored, dict[str, Any], dict[str, Any]]]:
    """Yield the resources that satisfy SQL conditions, with the record of each and what filters read of it."""
    columns, place = RESOURCES.c, context.place
    where = [columns.kind == searched.resource.kind, columns.account == place.account, columns.region == place.region]
    chosen = select(*SHOWN).where(*where, *conditions).order_by(columns.created, columns.id)
    for rows in context.connection.execute(chosen).partitions(AT_ONCE):
        stored = [read_row(row) for row in rows]
        tags = resources.tags_of_each(context.connection, [each.arn for each in stored])
        for each, record in zip(stored, searched.records(context, stored), strict=True):
            owner = record.get("model", record)
            owner["tags"] = [{"key": key, "value": value} for key, value in tags[each.arn].items()]
            yield each, record, searchable(record)


def _narrowing(context: Context, searched: Searched, expression: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return the SQL condition of an expression that asks for one name."""
    name = expressions.wanted_exactly(expression, searched.name)
    if name is None:
        return []
    return [RESOURCES.c.arn == searched.resource.arn_of(context.place, name, {"lowered": name.lower()})]


def _place(stored: Stored, known: Mapping[str, Any], sort_by: str) -> Place:
    first = next(iter(values(known, sort_by)), None)
    if first is None:
        modified = plain(sort_by) == "lastmodifiedtime"
        return (NUMBER, stored.modified, stored.arn) if modified else (ABSENT, 0, stored.arn)
    if isinstance(first, datetime):
        return NUMBER, stamp(first), stored.arn
    number = first if isinstance(first, int | float) else finite(first)
    return (TEXT, first, stored.arn) if number is None else (NUMBER, number, stored.arn)


def _ordered(places: Sequence[Place], descending: bool) -> list[Place]:
    present = sorted((each for each in places if each[0] != ABSENT), reverse=descending)
    return present + sorted(each for each in places if each[0] == ABSENT)


def _comes_after(place: Place, position: Sequence[Any], descending: bool) -> bool:
    last = (position[0], position[1], position[2])
    if ABSENT in (place[0], last[0]) or not descending:
        return place > last
    return place < last


def _visible(tags: Mapping[str, str], conditions: Sequence[Mapping[str, str]]) -> bool:
    """Tell whether each tag that a condition names and that is there has the condition's value."""
    keys = [(each["key"].removeprefix("Tags."), each.get("value", "")) for each in conditions if each.get("key")]
    return all(tags.get(key, value) == value for key, value in keys)
