"""Turns are taken until the time is up, by a clock that stands still until it is moved."""

from __future__ import annotations

from headrace.ml.process.progress import Progress
from headrace.ml.process.training.turns import Turns


class Clock(Progress):
    """A run whose time passes by hand."""

    now = 0.0

    def elapsed(self) -> float:
        return self.now


def taken(clock: Clock, turns: Turns, seconds: float, most: int = 20) -> int:
    while turns.taken < most and turns.another():
        clock.now += seconds
    return turns.taken


def test_turns_take_their_share_of_the_time_left() -> None:
    clock = Clock(budget=100.0)
    clock.now = 20.0
    assert taken(clock, Turns(clock, 0.5), 5.0) == 8  # of 80 seconds, 40
    assert clock.now == 60.0
    assert taken(clock, Turns(clock, 0.5), 15.0) == 1
    assert taken(clock, Turns(clock, 1.0), 15.0) == 1


def test_the_first_turns_are_taken_whatever_the_time_and_all_without_a_budget() -> None:
    late = Clock(budget=10.0)
    late.now = 30.0
    assert taken(late, Turns(late, 0.5), 1.0) == 1
    assert taken(late, Turns(late, 0.5, fewest=3), 1.0) == 3
    free = Clock(budget=None)
    assert taken(free, Turns(free, 0.1), 1000.0) == 20
