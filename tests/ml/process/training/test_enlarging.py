"""The final fit on rows beyond the sample: as many as time and memory allow, and the same model as of one table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from headrace.ml.algorithms import find_algorithm
from headrace.ml.contract import View
from headrace.ml.process.preparation.rest import Block, Rest
from headrace.ml.process.training.enlarging import BYTES_A_CELL, MAPPED, MEMORY, by_memory, by_time, enlarge
from headrace.ml.process.training.matrices import extend_matrices
from headrace.ml.process.training.refit import refit_members
from headrace.ml.process.training.search import Race
from headrace.ml.process.training.timetable import Timetable
from headrace.ml.process.training.trial import FITTED, Trial

NAMES = ("linear_logistic", "decision_tree")


@pytest.fixture(scope="module")
def race(make_case, workers, workspace, progress_at):
    case = make_case(rows=340)
    other = make_case(rows=400).preparation

    def blocks() -> Iterator[Block]:
        for start in range(0, 400, 150):
            yield other.frame.slice(start, 150), other.target[start : start + 150]

    preparation = replace(case.preparation, rest=Rest(400, blocks))
    done = Race(replace(case, preparation=preparation).setting(workers, workspace, NAMES), trials=2,
                progress=progress_at(budget=None))  # fmt: skip
    done.run()
    return done


def members_of(race: Race) -> list[Trial]:
    return [trial for trial in race.trials if trial.status == FITTED]


def test_the_rows_beyond_the_sample_follow_it_in_one_file(race, workspace) -> None:
    matrices, note = enlarge(race.setting, race.final, members_of(race))
    rows = len(race.final.fit)
    assert matrices.more == 400
    assert note == f"the final fit learnt from {rows + 400:,} of {rows + 400:,} rows, read from the file in blocks"
    for view in {trial.algorithm.view for trial in members_of(race)}:
        small, large = (np.load(workspace / "data" / each.name / f"{view}-fit.npy") for each in (race.final, matrices))
        assert large.dtype == np.float32
        assert np.array_equal(large[:rows], small)
        frames = [frame for frame, _ in race.setting.preparation.rest.blocks()]
        expected = np.concatenate([race.final.plan.transform(frame, view) for frame in frames])
        assert np.array_equal(large[rows:], expected.astype(np.float32), equal_nan=True)
    order = np.load(workspace / "data" / matrices.name / "order.npy")
    assert sorted(order.tolist()) == list(range(rows + 400))


def test_members_are_fitted_on_all_of_them_and_predict_the_sample(race) -> None:
    members = members_of(race)
    matrices, _ = enlarge(race.setting, race.final, members)
    final = refit_members(race.setting, members, {trial.name: 0.5 for trial in members}, matrices)
    assert final.refitted
    for trial in members:
        in_sample = final.in_sample[trial.name]
        assert in_sample.shape == (len(race.setting.preparation.train), 2)
        assert np.isfinite(in_sample).all()


def test_reading_stops_when_the_time_for_it_is_up(race, workspace) -> None:
    blocks = race.setting.preparation.rest.blocks()
    matrices = extend_matrices(
        workspace, race.final, blocks, most=10_000, views=[View.TREES], classes=2, seed=0, until=lambda: True
    )
    assert matrices.more == 150
    stored = np.load(workspace / "data" / matrices.name / "trees-fit.npy")
    assert len(stored) == len(race.final.fit) + 150


def test_without_time_the_sample_is_enough_and_it_is_said(race, progress_at) -> None:
    setting = replace(race.setting, timetable=Timetable(progress_at(budget=60.0, now=59.0), 2))
    matrices, note = enlarge(setting, race.final, members_of(race))
    assert matrices is race.final
    assert "neither time nor memory allowed it" in note


def trial_of(algorithm: str, seconds: float = 1.0, rows: int = 1000) -> Trial:
    found = Trial(0, algorithm, find_algorithm(algorithm), {}, status=FITTED)
    found.results = {0: {"seconds": seconds, "rows": rows}}
    return found


def test_memory_counts_the_two_largest_members_at_once() -> None:
    final = SimpleNamespace(columns=dict.fromkeys(View, 50), fit=np.arange(1000))
    light, cat = "gradient_boosting_lightgbm", "gradient_boosting_catboost"
    alone = by_memory(final, [trial_of(light)])
    both = by_memory(final, [trial_of(light), trial_of(cat), trial_of(light)])
    assert alone == MEMORY // (50 * (MAPPED + BYTES_A_CELL[light])) - 1000
    assert both == MEMORY // (50 * (MAPPED + BYTES_A_CELL[light] + BYTES_A_CELL[cat])) - 1000


def test_time_counts_reading_and_fitting(race, progress_at) -> None:
    final = SimpleNamespace(fit=np.arange(1000))

    def rows(now: float, seconds: float) -> int:
        setting = replace(race.setting, timetable=Timetable(progress_at(budget=100.0, now=now), 2), seconds_a_row=0.001)
        return by_time(setting, final, [trial_of("decision_tree", seconds)])

    assert rows(0.0, 1.0) == int((0.8 * 92 - 1.0) / 0.003)
    assert rows(50.0, 1.0) < rows(0.0, 1.0)
    assert rows(0.0, 5.0) < rows(0.0, 1.0)
    assert rows(99.0, 1.0) == 0
    unlimited = replace(race.setting, timetable=Timetable(progress_at(budget=None), 2))
    assert by_time(unlimited, final, [trial_of("decision_tree")]) > 10**12


def test_the_search_leaves_a_share_of_the_budget_for_more_rows(progress_at) -> None:
    timetable = Timetable(progress_at(budget=1000.0), 2)
    trials = [replace(trial_of("decision_tree", 10.0), score=0.9)]
    plain = timetable.left_for_search(trials, True, 1.0)
    assert timetable.left_for_search(trials, True, 1.0, 5.0) == pytest.approx(plain - 40.0)
    assert timetable.left_for_search(trials, True, 1.0, 500.0) == pytest.approx(plain + 11.0 - 400.0)
    assert math.isinf(Timetable(progress_at(budget=None), 2).left_for_search(trials, True, 1.0, 5.0))
