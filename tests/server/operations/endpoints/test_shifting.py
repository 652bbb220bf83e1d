"""How traffic moves: the steps that a DeploymentConfig asks for, and who serves after each of them."""

from threading import Event
from typing import Any

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.model_server import Instance, ModelFailed, ModelServer
from headrace.server.operations.endpoints.shifting import Shift, Step, check_policy, move_traffic, shift_of

Config = dict[str, Any]


def size(kind: str, value: int) -> Config:
    return {"type": kind, "value": value}


def blue_green(kind: str, wait: int = 5, **more: Any) -> Config:
    routing = {"type": kind, "wait_interval_in_seconds": wait}
    policy = {name: more.pop(name) for name in list(more) if name.endswith("in_seconds")}
    return {"blue_green_update_policy": {"traffic_routing_configuration": routing | more, **policy}}


@pytest.mark.parametrize(
    ("config", "steps"),
    [
        (None, [(100, 0)]),
        ({}, [(100, 0)]),
        (blue_green("ALL_AT_ONCE"), [(100, 5)]),
        (blue_green("CANARY", canary_size=size("CAPACITY_PERCENT", 25)), [(25, 5), (100, 5)]),
        (blue_green("CANARY", canary_size=size("INSTANCE_COUNT", 1)), [(25, 5), (100, 5)]),
        (blue_green("LINEAR", linear_step_size=size("CAPACITY_PERCENT", 40)), [(40, 5), (80, 5), (100, 5)]),
        (blue_green("LINEAR", linear_step_size=size("INSTANCE_COUNT", 2)), [(50, 5), (100, 5)]),
        (
            {
                "rolling_update_policy": {
                    "maximum_batch_size": size("CAPACITY_PERCENT", 50), "wait_interval_in_seconds": 7,
                }
            },
            [(50, 7), (100, 7)],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_the_steps_of_four_instances(config: Config | None, steps: list[tuple[float, float]]) -> None:
    assert shift_of(config, 4).steps == tuple(Step(*each) for each in steps)


def test_how_long_a_deployment_may_take_and_the_old_instances_stay() -> None:
    shift = shift_of(blue_green("ALL_AT_ONCE", termination_wait_in_seconds=9), 1)
    assert (shift.termination, shift.longest) == (9, float("inf"))
    assert shift_of(blue_green("ALL_AT_ONCE", maximum_execution_timeout_in_seconds=600), 1).longest == 600


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (blue_green("CANARY"), "Type CANARY needs CanarySize"),
        (blue_green("LINEAR", canary_size=size("INSTANCE_COUNT", 1)), "LINEAR needs|CanarySize goes with"),
        (blue_green("CANARY", canary_size=size("CAPACITY_PERCENT", 51)), "between 1 and 50 percent, and is 51"),
        (blue_green("LINEAR", linear_step_size=size("CAPACITY_PERCENT", 9)), "between 10 and 50 percent, and is 9"),
        ({"auto_rollback_configuration": {"alarms": [{"alarm_name": "mine"}]}}, "alarms of CloudWatch are not built"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(config: Config, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_policy(config)


def fleet(count: int) -> list[Instance]:
    """Return instances of no container, which are as good as others to be counted."""
    return [Instance((), ()) for _ in range(count)]


class Watched(ModelServer):
    """Remembers how many old and new instances served after each step."""

    def __init__(self, old: list[Instance]) -> None:
        super().__init__()
        self.old, self.steps = old, []  # type: ignore[var-annotated]
        super().serve("target", old)

    def serve(self, name: str, instances: Any) -> list[Instance]:
        gone = super().serve(name, instances)
        old = sum(each in self.old for each in self.instances(name))
        self.steps.append((old, len(self.instances(name)) - old))
        return gone


@pytest.mark.parametrize(
    ("percents", "seen"),
    [
        ((100,), [(0, 4)]),
        ((25, 100), [(3, 1), (0, 4)]),
        ((40, 80, 100), [(2, 2), (0, 4), (0, 4)]),
        ((1, 100), [(3, 1), (0, 4)]),
    ],
)
def test_new_instances_take_the_place_of_as_many_old_ones(
    percents: tuple[float, ...], seen: list[tuple[int, int]]
) -> None:
    old = fleet(4)
    models = Watched(old)
    shift = Shift(tuple(Step(each, 0) for each in percents))
    assert move_traffic(models, {"target": fleet(4)}, {"target": old}, shift, Event())
    assert models.steps == seen


def test_one_that_takes_too_long_is_rolled_back() -> None:
    old = fleet(2)
    models = Watched(old)
    shift = Shift((Step(50, 60), Step(100, 60)), longest=0.01)
    with pytest.raises(ModelFailed, match=r"longer than its MaximumExecutionTimeoutInSeconds of 0\.01 seconds"):
        move_traffic(models, {"target": fleet(2), "other": fleet(1)}, {"target": old}, shift, Event())
    assert models.instances("target") == tuple(old)
    assert models.instances("other") == ()


def test_a_server_that_stops_moves_nothing_further() -> None:
    old, stopping = fleet(2), Event()
    stopping.set()
    models = Watched(old)
    assert not move_traffic(
        models, {"target": fleet(2)}, {"target": old}, Shift((Step(50, 60), Step(100, 60))), stopping
    )
    assert models.steps == [(1, 1)]
