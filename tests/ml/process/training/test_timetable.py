from __future__ import annotations

import math

import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.process.training.timetable import GRACE, MARGIN, Timetable
from headrace.ml.process.training.trial import FITTED, Trial


def fitted(index: int, score: float, seconds: float) -> Trial:
    trial = Trial(index, f"t{index}", find_algorithm("decision_tree"), {}, status=FITTED, score=score)
    trial.results = {0: {"seconds": seconds}, 1: {"seconds": seconds}}
    return trial


def test_without_a_budget_time_is_never_up(progress_at) -> None:
    timetable = Timetable(progress_at(budget=None, now=1e9), 2)
    assert timetable.left() == timetable.diagnosis() == math.inf
    assert timetable.left_for_search([fitted(0, 0.9, 5.0)], True, 1.2) == math.inf


def test_the_steps_after_training_keep_their_share(progress_at) -> None:
    assert Timetable(progress_at(budget=15.0, now=0.0), 2).left() == 11.0
    assert Timetable(progress_at(budget=15.0, now=11.0), 2).left_for_first_model() == GRACE
    assert Timetable(progress_at(budget=60.0, now=10.0), 2).left() == 60 - 10 - 4.8
    assert Timetable(progress_at(budget=600.0, now=0.0), 2).left() == 552.0


def test_what_comes_after_training_is_given_its_time_at_the_speed_of_the_moment(progress_at) -> None:
    progress = progress_at(budget=60.0, now=0.0, closing=2.0)
    assert Timetable(progress, 2).left() == 60 - 4.8
    progress.pace.note(6.0, 1.0)
    assert Timetable(progress, 2).left() == pytest.approx(60 - MARGIN * 2.0 * 6.0)


def test_diagnosis_has_its_seconds_from_three_quarters_of_a_minute_on(progress_at) -> None:
    assert Timetable(progress_at(budget=30.0), 2).diagnosis() == 0.0
    assert Timetable(progress_at(budget=60.0), 2).diagnosis() == pytest.approx(3.6)
    assert Timetable(progress_at(budget=3600.0), 2).diagnosis() == 30.0


def test_the_search_leaves_time_to_refit_the_best_trials(progress_at) -> None:
    timetable = Timetable(progress_at(budget=100.0, now=0.0), 2)
    nothing = timetable.left_for_search([], True, 1.0)
    slow_is_best = [fitted(0, 0.9, 10.0), *(fitted(index, 0.5, 0.1) for index in range(1, 6))]
    slow_is_worst = [fitted(0, 0.1, 10.0), *(fitted(index, 0.5, 0.1) for index in range(1, 6))]
    assert nothing - timetable.left_for_search(slow_is_best, True, 1.0) == 10.0
    assert nothing - timetable.left_for_search(slow_is_worst, True, 1.0) < 1.0
    assert nothing - timetable.left_for_search(slow_is_worst, False, 1.0) == 10.0
    assert timetable.refit_estimate(slow_is_best, True, 1.5) > 1.5 * 10.0
