"""What target tracking policies make of their metrics.

AWS page: How target tracking scaling for Application Auto Scaling works. Three periods above the target scale out,
fifteen minutes of them below nine tenths of it scale in; only those count that began after the last change.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.scaling.kinds import SIDES, TRACKING
from headrace.server.operations.scaling.measures import Pace, pace_of, values
from headrace.server.resources import Stored

LOG = logging.getLogger("headrace.scaling")

PERIODS_OUT = 3
IN_BELOW = 0.9
LATEST_PERIODS = 5
"""How many periods old the newest value may be."""

COOLDOWN_SECONDS = 300
LARGEST_CAPACITY = 1 << 30


@dataclass(frozen=True)
class Wish:
    """The capacity that a policy asks for, when its metric triggers it; `side` is "High" to scale out, else "Low"."""

    policy: Stored
    side: str
    capacity: int

    @property
    def cause(self) -> str:
        """What an activity says of it."""
        alarm = self.policy.record["alarms"][SIDES.index(self.side)]["alarm_name"]
        return f"monitor alarm {alarm} in state ALARM triggered policy {self.policy.name}"


@dataclass(frozen=True)
class Present:
    """What is known of a target: its capacity, and what its record keeps as `scaled` (ms)."""

    capacity: int
    scaled: Mapping[str, Any]
    now: int

    def cooling(self, direction: str, seconds: int | None) -> bool:
        """Tell whether the cooldown after the last change of a direction by a policy still lasts."""
        last = self.scaled.get(direction)
        return last is not None and self.now < last["at"] + (COOLDOWN_SECONDS if seconds is None else seconds) * 1000

    def start_of(self, configuration: Mapping[str, Any]) -> int:
        """Return the capacity to count from to scale out: while a cooldown lasts, that before the last time."""
        cooling = self.cooling("out", configuration.get("scale_out_cooldown"))
        return int(self.scaled["out"]["from"]) if cooling else self.capacity


def watch(context: Context, policy: Stored, present: Present) -> Wish | None:
    """Return what a policy asks for now, or None.

    To scale out it is more than there is, by the latest period; to scale in it is what the busiest period needs, which
    may be as much as there is.
    """
    configuration = policy.record[TRACKING]
    target = configuration["target_value"]
    pace = pace_of(context, configuration)
    series = _series(context, policy, present, pace)
    latest = series[-PERIODS_OUT:]
    if len(latest) == PERIODS_OUT and min(latest) > target:
        capacity = _needed(max(1, present.start_of(configuration)), latest[-1], target)
        return Wish(policy, "High", capacity) if capacity > present.capacity else None
    low = series[-pace.periods_in :]
    if len(low) < pace.periods_in or max(low) >= IN_BELOW * target:
        return None
    if present.cooling("in", configuration.get("scale_in_cooldown")):
        return None
    return Wish(policy, "Low", _needed(present.capacity, max(low), target))


def _series(context: Context, policy: Stored, present: Present, pace: Pace) -> list[float]:
    """Return the values of the latest periods that are over and follow one another without a gap, the newest last."""
    step = pace.seconds * 1000
    end = present.now // step * step
    start = max(end - (pace.periods_in + LATEST_PERIODS) * step, -(-present.scaled["at"] // step) * step)
    if start >= end:
        return []
    try:
        found = values(context, policy.record["resource_id"], policy.record[TRACKING], start=start, end=end)
    except InvalidInput as error:
        LOG.warning("the policy %s is passed over: %s", policy.arn, error.message)
        return []
    time = max(found, default=0)
    if time < end - LATEST_PERIODS * step:
        return []
    series: list[float] = []
    while time in found:
        series.append(found[time])
        time -= step
    return series[::-1]


def _needed(capacity: int, value: float, target: float) -> int:
    """Return how much is needed for a value per unit of a capacity to come down, or up, to the target."""
    return math.ceil(max(0.0, min(capacity * value / target, LARGEST_CAPACITY)) - 1e-9)
