"""How the traffic of a variant moves from its old instances to the new ones: at once, or in steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.model_server import Instance, ModelFailed, ModelServer

LINEAR = (10, 50)
CANARY = (1, 50)
ROLLING = (5, 50)
"""The least and the most percent of the instances that a step may take, as AWS says."""


@dataclass(frozen=True)
class Step:
    """How many percent of the new instances take traffic, and for how many seconds before the next step."""

    percent: float
    seconds: float


@dataclass(frozen=True)
class Shift:
    """The steps of a deployment, the last one of 100 percent; `termination` seconds later the old instances stop.

    A deployment whose traffic has not moved after `longest` seconds is rolled back.
    """

    steps: tuple[Step, ...] = (Step(100, 0),)
    termination: float = 0
    longest: float = math.inf

    def taken(self, step: Step, count: int) -> int:
        """Return how many of `count` new instances take traffic in a step."""
        return count if step.percent >= 100 else min(count, max(1, math.ceil(count * step.percent / 100)))


def shift_of(config: Mapping[str, Any] | None, count: int) -> Shift:
    """Return how a DeploymentConfig moves the traffic of `count` instances; all at once where it says nothing."""
    if not config:
        return Shift()
    rolling = config.get("rolling_update_policy")
    if rolling:
        size = _percent(rolling["maximum_batch_size"], count)
        return Shift(_even(size, rolling["wait_interval_in_seconds"]), longest=_longest(rolling))
    policy = config.get("blue_green_update_policy")
    if not policy:
        return Shift()
    routing = policy["traffic_routing_configuration"]
    wait = routing["wait_interval_in_seconds"]
    if routing["type"] == "CANARY":
        steps: tuple[Step, ...] = (Step(_percent(routing["canary_size"], count), wait), Step(100, wait))
    elif routing["type"] == "LINEAR":
        steps = _even(_percent(routing["linear_step_size"], count), wait)
    else:
        steps = (Step(100, wait),)
    return Shift(steps, policy.get("termination_wait_in_seconds") or 0, _longest(policy))


def move_traffic(
    models: ModelServer,
    new: Mapping[str, Sequence[Instance]],
    before: Mapping[str, Sequence[Instance]],
    shift: Shift,
    stopping: Event,
) -> bool:
    """Let the new instances of each target take over from those before, in steps; returns False where the server stops.

    Raises ModelFailed after `shift.longest` seconds, when those before serve again.
    """
    end = monotonic() + shift.longest
    for step in shift.steps:
        for target, instances in new.items():
            taken = shift.taken(step, len(instances))
            old = before.get(target, ())
            kept = old[: max(0, len(old) - taken)] if taken < len(instances) else ()
            models.serve(target, [*instances[:taken], *kept])
        if step.seconds and stopping.wait(max(0.0, min(step.seconds, end - monotonic()))):
            return False
        if monotonic() >= end:
            for target in new:
                models.serve(target, before.get(target, ()))
            raise ModelFailed(
                f"The deployment took longer than its MaximumExecutionTimeoutInSeconds of {shift.longest:g} seconds, "
                "and was rolled back."
            )
    return True


def check_policy(config: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput on a DeploymentConfig whose parts do not go together."""
    if not config:
        return
    if (config.get("auto_rollback_configuration") or {}).get("alarms"):
        raise InvalidInput(
            "AutoRollbackConfiguration names alarms, and alarms of CloudWatch are not built in here: leave it out; an "
            "update whose model does not load is rolled back in any case."
        )
    blue_green, rolling = config.get("blue_green_update_policy"), config.get("rolling_update_policy")
    if blue_green and rolling:
        raise InvalidInput("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be set; leave one out.")
    if rolling:
        _check_size("MaximumBatchSize", rolling["maximum_batch_size"], ROLLING)
    if not blue_green:
        return
    routing = blue_green["traffic_routing_configuration"]
    for kind, member, name, span in (
        ("CANARY", "canary_size", "CanarySize", CANARY),
        ("LINEAR", "linear_step_size", "LinearStepSize", LINEAR),
    ):
        if routing["type"] == kind and not routing.get(member):
            raise InvalidInput(f"TrafficRoutingConfiguration of Type {kind} needs {name}.")
        if routing["type"] != kind and routing.get(member):
            raise InvalidInput(f"{name} goes with TrafficRoutingConfiguration of Type {kind} only; leave it out.")
        if routing.get(member):
            _check_size(name, routing[member], span)


def _check_size(name: str, size: Mapping[str, Any], span: tuple[int, int]) -> None:
    if size["type"] == "CAPACITY_PERCENT" and not span[0] <= size["value"] <= span[1]:
        raise InvalidInput(f"{name} must be between {span[0]} and {span[1]} percent, and is {size['value']}.")


def _percent(size: Mapping[str, Any], count: int) -> float:
    if size["type"] == "CAPACITY_PERCENT":
        return float(size["value"])
    return 100.0 * min(size["value"], count) / count if count else 100.0


def _longest(policy: Mapping[str, Any]) -> float:
    return float(policy.get("maximum_execution_timeout_in_seconds") or math.inf)


def _even(percent: float, seconds: float) -> tuple[Step, ...]:
    number = math.ceil(100 / percent)
    return tuple(Step(min(100.0, percent * (place + 1)), seconds) for place in range(number))
