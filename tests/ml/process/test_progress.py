"""The clock of a run and how busy the machine is, with clocks that the tests move."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from headrace.ml.process.progress import Moment, Pace, Progress


@dataclass
class At(Progress):
    now: float = 0.0

    def elapsed(self) -> float:
        return self.now


def test_nothing_measured_is_a_calm_machine() -> None:
    assert Pace().slowdown() == 1.0


def test_the_slowdown_is_wall_by_processor_time_of_the_newest_stretches() -> None:
    pace = Pace()
    pace.note(1.0, 1.0)
    assert pace.slowdown() == 1.0
    pace.note(9.0, 1.0)
    assert pace.slowdown() == 5.0
    pace.note(20.0, Pace.MEMORY)  # which is as much as it remembers
    assert pace.slowdown() == 20.0 / Pace.MEMORY


def test_two_threads_are_no_quicker_than_idle_cores_and_blinks_say_nothing() -> None:
    pace = Pace()
    pace.note(1.0, 2.0)
    assert pace.slowdown() == 1.0
    pace.note(50.0, Pace.SHORTEST / 2)
    assert pace.slowdown() == 1.0


@pytest.mark.parametrize(("wall", "affordable"), [(1.0, 60.0), (1.4, 60.0), (6.0, 10.0)])
def test_plans_are_made_for_the_budget_unless_the_machine_is_busy(wall: float, affordable: float) -> None:
    progress = At(budget=60.0)
    progress.pace.note(wall, 1.0)
    assert progress.affordable() == affordable


def test_without_a_budget_nothing_depends_on_the_pace() -> None:
    progress = At(budget=None, closing=100.0)
    progress.pace.note(50.0, 1.0)
    assert progress.affordable() is None
    assert progress.spares(1000.0)


def test_a_busy_machine_spares_what_takes_a_small_share_of_the_time_left() -> None:
    progress = At(budget=60.0, now=40.0)
    assert progress.spares(5.0)
    progress.pace.note(4.0, 1.0)
    assert progress.spares(0.2)
    assert not progress.spares(0.3)
    assert progress.spares(0.3, share=0.1)


def test_moments_keep_the_step_and_the_best_until_they_are_told_anew() -> None:
    heard: list[Moment] = []
    progress = At(budget=60.0, now=20.0, listener=heard.append)
    progress.tell("reading", step="3/9 Datasets", best="0.8")
    progress.tell("typing")
    assert heard[-1] == Moment("3/9 Datasets", "typing", "0.8", 40.0, None)
