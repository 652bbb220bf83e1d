"""Resources of Amazon Forecast found by their ARNs, and what may be done with them in their states."""

from __future__ import annotations

from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput, NotFound
from headrace.server.operations.forecasting.kinds import ACTIVE, KINDS
from headrace.server.resources import Resource, Stored, by_arn


def get(context: Context, arn: str, *kinds: Resource) -> Stored:
    """Return the resource of that ARN, which is of one of the kinds (any where none is given).

    Raises InvalidInput where the ARN is of no such kind, NotFound where nothing is there.
    """
    wanted = kinds or tuple(KINDS.values())
    parts = arn.split(":", 5)
    kind = f"forecast/{parts[5].partition('/')[0]}" if len(parts) == 6 and parts[0] == "arn" else ""
    if not any(kind == each.kind for each in wanted) or parts[2] != "forecast":
        titles = " or a ".join(each.title for each in wanted) if kinds else "resource of Amazon Forecast"
        raise InvalidInput(f"{arn!r} is not the ARN of a {titles}; send one that is")
    stored = by_arn(context.connection, arn)
    place = context.place
    if stored is None or stored.kind != kind or (stored.account, stored.region) != (place.account, place.region):
        raise NotFound(f"No resource found {arn}", status=400)
    return stored


def get_active(context: Context, arn: str, *kinds: Resource) -> Stored:
    """Return the resource of that ARN, as `get` does; raises InUse (ResourceInUse) where it is not ACTIVE."""
    stored = get(context, arn, *kinds)
    if stored.state != ACTIVE:
        raise InUse(
            f"The {KINDS[stored.kind].title} {arn} is {stored.state}; it must be ACTIVE before it can be used",
            status=400,
        )
    return stored
