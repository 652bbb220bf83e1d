"""Lists of Amazon Forecast's resources: the newest first, in pages, filtered by what each operation lets filter by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, or_

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.resources import Resource, Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

Filters = Sequence[Mapping[str, str]]
Columns = Mapping[str, ColumnElement[str]]


class Listed(TypedDict, total=False):
    """What a List operation is asked for: where to go on, how many, and which."""

    next_token: str | None
    max_results: int | None
    filters: Filters | None


PARENT: ColumnElement[str] = RESOURCES.c.parent
ARN: ColumnElement[str] = RESOURCES.c.arn
STATUS: Columns = {"Status": RESOURCES.c.state}
MOST = 100


def page(
    context: Context,
    resource: Resource,
    member: str,
    summary: Callable[[Stored], Mapping[str, Any]],
    *,
    next_token: str | None = None,
    max_results: int | None = None,
    filters: Filters | None = None,
    by: Columns | None = None,
    where: Sequence[ColumnElement[bool]] = (),
) -> dict[str, Any]:
    """Return the answer of a List operation, `member` naming its list; `by` are the columns that filters may name.

    Raises InvalidInput, with the code InvalidNextTokenException on a token that is not of this list.
    """
    found = resources.listing(
        context.connection,
        resource,
        context.place,
        where=[*where, *conditions(filters or (), by or {})],
        order="created",
        descending=True,
        limit=max_results or MOST,
        position=position(context, next_token, member),
    )
    return {
        member: [summary(stored) for stored in found.items],
        "next_token": context.token(found.position, of=f"forecast/{member}"),
    }


def position(context: Context, next_token: str | None, member: str) -> list[Any] | None:
    """Return where a list goes on by its token; raises InvalidInput with the code InvalidNextTokenException."""
    try:
        return context.position(next_token, of=f"forecast/{member}")
    except InvalidInput as error:
        raise InvalidInput(error.message, code="InvalidNextTokenException") from None


def conditions(filters: Filters, by: Columns) -> list[ColumnElement[bool]]:
    """Return what all of the filters ask of the columns; raises InvalidInput on a key that is none of `by`."""
    found: list[ColumnElement[bool]] = []
    for each in filters:
        column = by.get(each["key"])
        if column is None:
            raise InvalidInput(f"The filter key {each['key']!r} is none of {', '.join(by)}; filter by one of them")
        same = column == each["value"]
        found.append(same if each["condition"] == "IS" else or_(column != each["value"], column.is_(None)))
    return found
