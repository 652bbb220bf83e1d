"""Names of trails, and finding a trail by its name or its ARN."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, select

from headrace.server.context import Context
from headrace.server.errors import Conflict, InvalidInput, NotFound
from headrace.server.resources import Place, Resource, Stored, by_arn, find
from headrace.server.stores.metadata.tables.resources import RESOURCES

TRAIL = Resource(
    "cloudtrail/trail", "trail", "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}"
)  # fmt: skip

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?![._-]))*(?<![._-])")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
ARN = re.compile(r"arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:trail/(.+)")


def check_name(name: str) -> str:
    """Return a name that a trail may have; raises InvalidInput (InvalidTrailNameException)."""
    if not 3 <= len(name) <= 128 or not NAME.fullmatch(name) or ADDRESS.fullmatch(name):
        raise InvalidInput(
            f"the trail name {name[:140]!r} is not allowed; use 3 to 128 letters, digits, periods, underscores and "
            "dashes, no two of these marks side by side, a letter or digit at both ends, and no IP address",
            code="InvalidTrailNameException",
        )
    return name


def find_trail(context: Context, name: str) -> Stored:
    """Return the trail of a name (of this region, or one of all regions) or an ARN; raises NotFound or InvalidInput."""
    if name.startswith("arn:"):
        matched = ARN.fullmatch(name)
        if not matched:
            raise InvalidInput(
                f"{name!r} is not the ARN of a trail; copy it from list-trails", code="CloudTrailARNInvalidException"
            )
        check_name(matched[1])
        stored = by_arn(context.connection, name)
        if stored is None or stored.kind != TRAIL.kind or stored.account != context.place.account:
            raise _unknown(name, context.place)
        return stored
    check_name(name)
    stored = find(context.connection, TRAIL, context.place, name)
    if stored is None:
        stored = next((each for each in trails_of(context) if each.name == name), None)
    if stored is None:
        raise _unknown(name, context.place)
    return stored


def find_home_trail(context: Context, name: str) -> Stored:
    """Return the trail of a name or an ARN whose home is this region; raises Conflict elsewhere."""
    stored = find_trail(context, name)
    if stored.region != context.place.region:
        raise Conflict(
            f"the home of the trail {stored.name!r} is {stored.region}, not {context.place.region}; call that region",
            code="InvalidHomeRegionException", status=400,
        )  # fmt: skip
    return stored


def trails_of(context: Context, *, shadows: bool = True) -> list[Stored]:
    """Return the trails that apply to this region, by name; with `shadows` also those whose home is another."""
    found = all_trails(context.connection, context.place.account)
    here = context.place.region
    return [
        each for each in found if each.region == here or (shadows and each.record.get("is_multi_region_trail", False))
    ]


def all_trails(connection: Connection, account: str) -> list[Stored]:
    """Return the trails of an account in every region, ordered by name and region."""
    columns = RESOURCES.c
    query = select(columns.arn).where(columns.kind == TRAIL.kind, columns.account == account)
    found = [by_arn(connection, arn) for arn in connection.scalars(query.order_by(columns.name, columns.region))]
    return [each for each in found if each is not None]


def described(stored: Stored) -> dict[str, Any]:
    """Return a trail as create, update and describe answer it."""
    return {"name": stored.name, "trail_arn": stored.arn, **stored.record}


def _unknown(name: str, place: Place) -> NotFound:
    return NotFound(
        f"the trail {name!r} does not exist in account {place.account} for {place.region}; see list-trails",
        code="TrailNotFoundException", status=400,
    )  # fmt: skip
