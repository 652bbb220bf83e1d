"""What is done about one target from time to time: its activity is followed, its schedules run, its policies obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.states import IN_SERVICE
from headrace.server.operations.endpoints.variants import capacity_of
from headrace.server.operations.scaling.activities import follow, hold, release, scale
from headrace.server.operations.scaling.kinds import POLICY, TARGET, TRACKING, children, variant_of
from headrace.server.operations.scaling.schedules import run_due
from headrace.server.operations.scaling.tracking import Present, Wish, watch
from headrace.server.resources import Place, Stored, by_arn
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES


def registered(connection: Connection, partition: str) -> Iterator[tuple[Stored, Place]]:
    """Yield the targets of all accounts and regions, and where each is."""
    for row in connection.execute(select(*SHOWN).where(RESOURCES.c.kind == TARGET.kind)):
        target = read_row(row)
        yield target, Place(target.account, target.region, partition)


def attend(context: Context, arn: str) -> None:
    """Do what is due about a target, in an open writing transaction at its place; to be called every few seconds."""
    target = by_arn(context.connection, arn)
    if target is None:
        return
    target = run_due(context, follow(context, target))
    if not target.record["open"]:
        _obey(context, target)


def _obey(context: Context, target: Stored) -> Stored:
    """Scale to the largest capacity that a policy asks for to scale out, or to that of all policies to scale in."""
    policies, variant = children(context, POLICY, target), variant_of(target.name)
    try:
        found = capacity_of(context, variant.endpoint, variant.name)
    except InvalidInput:
        return target
    if not policies or found.status != IN_SERVICE:
        return target
    record, suspended = target.record, target.record["suspended_state"]
    low, high = max(found.least, record["min_capacity"]), record["max_capacity"]
    present = Present(found.desired, record["scaled"], context.now)
    wishes = [watch(context, policy, present) for policy in policies]
    out = [wish for wish in wishes if wish and wish.side == "High"]
    if out:
        wish = max(out, key=_capacity)
        if suspended["dynamic_scaling_out_suspended"]:
            return target
        if present.capacity >= high:
            return _hold(context, target, wish, {"code": "AlreadyAtMaxCapacity", "max_capacity": high})
        return _scale(context, target, wish, max(low, min(wish.capacity, high)))
    able = [wish for wish, policy in zip(wishes, policies, strict=True) if _scales_in(policy)]
    below = [wish for wish in able if wish and wish.side == "Low"]
    if below and len(below) == len(able) and not suspended["dynamic_scaling_in_suspended"]:
        wish = max(below, key=_capacity)
        if present.capacity <= low:
            return _hold(context, target, wish, {"code": "AlreadyAtMinCapacity", "min_capacity": low})
        if max(low, wish.capacity) < present.capacity:
            return _scale(context, target, wish, min(high, max(low, wish.capacity)))
    return release(context, target)


def _scale(context: Context, target: Stored, wish: Wish, capacity: int) -> Stored:
    return scale(context, release(context, target), capacity, wish.cause, by_policy=True)


def _hold(context: Context, target: Stored, wish: Wish, reason: dict[str, Any]) -> Stored:
    return hold(context, target, wish.policy.name, wish.cause, reason)


def _scales_in(policy: Stored) -> bool:
    return not policy.record[TRACKING].get("disable_scale_in")


def _capacity(wish: Wish) -> int:
    return wish.capacity
